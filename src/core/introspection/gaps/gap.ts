/** A capability gap: something the fleet cannot do well, with the evidence for it (R15, R16). */
export interface Gap {
  readonly name: string;
  /** The same for every gap of this name and category, in every life: what to count and to join by. */
  readonly fingerprint: string;
  readonly category: string;
  readonly type: string;
  readonly reason: string;
  /** 0 to 1: how far beyond its threshold, see {@link ./score.ts}. */
  readonly alignment_score: number;
  /** 0 to 1: how much work closing it is likely to be. */
  readonly install_cost: number;
  /** The evidence: figures, threshold, sample count, reporters, range of sequence numbers. */
  readonly metadata: Record<string, unknown>;
  readonly status: "open" | "resolved";
  readonly raised_at: string;
  readonly last_seen_at: string;
  readonly resolved_at?: string;
  /** How often it came back soon after it was resolved; absent: never. */
  readonly reopened?: number;
  /** Nothing of it was found since; it is resolved when that has lasted. */
  readonly calm_since?: string;
  /** How often was reminded of it, and when last. */
  readonly reminders?: number;
  readonly reminded_at?: string;
  /** Id of the `CAPABILITY_GAP` that raised (or reopened) it. */
  readonly signal_id?: string;
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
