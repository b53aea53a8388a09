import type { PromotionFacts } from "./facts.ts";

/** What was known of a host's promotions when it was last looked at. */
export interface PromotionsReported {
  readonly unacknowledged: number;
  /** What the host said of those that wait, to tell new ones from those that stayed. */
  readonly arrivals?: PromotionFacts["arrivals"];
  /** When it was last told that some wait. */
  readonly toldMs: number | null;
  /** They were told, and no dream that began behind this place of the log has been seen yet. */
  readonly owedSince?: number | null;
}

/** Signals by which a dream begins and ends, see policies/built-in.yaml. */
export const DREAM_BEGINS = "Q_DREAM_TRIGGER";
export const DREAM_ENDS = ["Q_DREAM_COMPLETE", "Q_DREAM_FAILED", "Q_DREAM_TIMEOUT"] as const;

/** What the log says of dreams. Places are 0 where there was none. */
export interface DreamsSeen {
  /** How far the log reached when all of what hosts say had been seen by them. */
  readonly headSeq: number;
  /** Of the last {@link DREAM_BEGINS}. */
  readonly begunSeq: number;
  /** Of the last of {@link DREAM_ENDS}. */
  readonly endedSeq: number;
}

/**
 * Whether a host's promotions are news: some came; or they were told while a dream was in flight, which starts no other,
 * and that one has ended; or they have waited for so long that it is said again.
 *
 * So a dream begins after each promotion came, and none begins for nothing: one that began behind the place that the
 * log had reached when the promotion lay there already has had its chance, even where it failed or left some.
 */
export function judgePromotions(
  before: PromotionsReported | undefined,
  facts: PromotionFacts,
  dreams: DreamsSeen,
  remindMs: number | null,
  nowMs: number,
): { after: PromotionsReported; news: boolean } {
  const { unacknowledged_count: unacknowledged, arrivals } = facts;
  const toldMs = before?.toldMs ?? null;
  const owedSince = before?.owedSince ?? null;
  const begun = owedSince !== null && dreams.begunSeq > owedSince;
  const passedOver = owedSince !== null && !begun && dreams.endedSeq > owedSince;
  const overdue = remindMs !== null && toldMs !== null && nowMs - toldMs >= remindMs;
  const news = unacknowledged > 0 && (haveCome(before, facts) || passedOver || overdue);
  const kept = arrivals === undefined ? {} : { arrivals };
  if (news) return { after: { unacknowledged, ...kept, toldMs: nowMs, owedSince: dreams.headSeq }, news };
  if (unacknowledged === 0) return { after: { unacknowledged, ...kept, toldMs: null, owedSince: null }, news };
  return { after: { unacknowledged, ...kept, toldMs, owedSince: begun ? null : owedSince }, news };
}

/** A count alone would not do: as many may have come as were acknowledged. */
function haveCome(before: PromotionsReported | undefined, { arrivals, unacknowledged_count }: PromotionFacts): boolean {
  if (before === undefined) return true;
  const known = before.arrivals;
  if (arrivals === undefined || known === undefined) return unacknowledged_count > before.unacknowledged;
  // Another run of the agent has counted from the start: it sees the same ones, or not.
  return arrivals.run === known.run ? arrivals.count > known.count : arrivals.waiting !== known.waiting;
}
