/** A capability gap: an open or resolved problem of the fleet, with its evidence. */
export interface Gap {
  readonly name: string;
  /** The same for every gap of this name and category, over time: the key to count and join by. */
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
  /** How often the gap was found again soon after it was resolved; absent: never. */
  readonly reopened?: number;
  /** No scanner has found the gap since then; when the calm time is over it is resolved. */
  readonly calm_since?: string;
  /** Number of reminders emitted, and the time of the last. */
  readonly reminders?: number;
  readonly reminded_at?: string;
  /** Id of the `CAPABILITY_GAP` that raised or reopened the gap. */
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
