import { Gap } from "../api.ts";

/** A stored gap. Gaps written before gaps had a fingerprint lack this field. */
const StoredGap = Gap.extend({ fingerprint: Gap.shape.fingerprint.optional() });

/**
 * Reads a gap as it is stored.
 *
 * @throws Error for any other text
 */
export function readStoredGap(text: string): Gap {
  const stored = StoredGap.parse(JSON.parse(text));
  return { ...stored, fingerprint: stored.fingerprint ?? fingerprintOf(stored.category, stored.name) };
}

/** @see http://www.isthe.com/chongo/tech/comp/fnv/ FNV-1a, 32 bits, twice */
export function fingerprintOf(category: string, name: string): string {
  return hash(`${category} ${name}`) + hash(`${name} ${category}`);
}

function hash(text: string): string {
  let state = 0x811c9dc5;
  for (let place = 0; place < text.length; place++) state = Math.imul(state ^ text.charCodeAt(place), 0x01000193) >>> 0;
  return state.toString(16).padStart(8, "0");
}
