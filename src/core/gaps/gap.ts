/** A capability gap: something the fleet cannot do well, with the evidence for it (R15, R16). */
export interface Gap {
  readonly name: string;
  readonly category: string;
  readonly type: string;
  readonly reason: string;
  /** 0 to 1: how far beyond its threshold, see {@link ./score.ts}. */
  readonly alignment_score: number;
  /** 0 to 1: how much work closing it is likely to be. */
  readonly install_cost: number;
  /** The evidence: figures, threshold, sample count, reporter, range of sequence numbers. */
  readonly metadata: Record<string, unknown>;
  readonly status: "open" | "resolved";
  readonly raised_at: string;
  readonly last_seen_at: string;
  readonly resolved_at?: string;
  /** Id of the `CAPABILITY_GAP` that raised it. */
  readonly signal_id?: string;
}
