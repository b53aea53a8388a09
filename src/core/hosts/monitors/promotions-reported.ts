import type { PromotionFacts } from "./facts.ts";

/** The promotions of a host at the last round, as they are stored. */
export interface PromotionsReported {
  readonly unacknowledged: number;
  /** The arrivals that the host reported, by which new promotions are distinguished from waiting ones. */
  readonly arrivals?: PromotionFacts["arrivals"];
  /** When waiting promotions were last reported, in milliseconds since the epoch. */
  readonly toldMs: number | null;
  /** The promotions were reported at this sequence number of the log, and no dream that began after it is known yet. */
  readonly owedSince?: number | null;
}

/** The signals that begin and end a dream, see policies/self-improvement.yaml. */
export const DREAM_BEGINS = "Q_DREAM_TRIGGER";
export const DREAM_ENDS = ["Q_DREAM_COMPLETE", "Q_DREAM_FAILED", "Q_DREAM_TIMEOUT"] as const;

/** The dreams that the log shows. A sequence number is 0 where there was none. */
export interface DreamsSeen {
  /** Last sequence number of the log when all hosts had answered. */
  readonly headSeq: number;
  /** Sequence number of the last {@link DREAM_BEGINS}. */
  readonly begunSeq: number;
  /** Sequence number of the last of {@link DREAM_ENDS}. */
  readonly endedSeq: number;
}

/**
 * Decides whether the promotions of a host are reported: some arrived; or they were reported during a dream, which starts
 * no other, and that dream has ended; or they have waited for the reminder.
 *
 * So a dream begins after each arrival, and none begins without need: a dream that began after the promotions had been
 * reported has had its chance, even where it failed or left some of them.
 */
export function updatePromotions(
  before: PromotionsReported | undefined,
  facts: PromotionFacts,
  dreams: DreamsSeen,
  remindMs: number | null,
  nowMs: number,
): { after: PromotionsReported; report: boolean } {
  const { unacknowledged_count: unacknowledged, arrivals } = facts;
  const toldMs = before?.toldMs ?? null;
  const owedSince = before?.owedSince ?? null;
  const begun = owedSince !== null && dreams.begunSeq > owedSince;
  const endedSince = owedSince !== null && !begun && dreams.endedSeq > owedSince;
  const overdue = remindMs !== null && toldMs !== null && nowMs - toldMs >= remindMs;
  const report = unacknowledged > 0 && (haveArrived(before, facts) || endedSince || overdue);
  const kept = arrivals === undefined ? {} : { arrivals };
  if (report) return { after: { unacknowledged, ...kept, toldMs: nowMs, owedSince: dreams.headSeq }, report };
  if (unacknowledged === 0) return { after: { unacknowledged, ...kept, toldMs: null, owedSince: null }, report };
  return { after: { unacknowledged, ...kept, toldMs, owedSince: begun ? null : owedSince }, report };
}

/** A count alone is not enough: as many promotions may have arrived as were acknowledged. */
function haveArrived(
  before: PromotionsReported | undefined,
  { arrivals, unacknowledged_count }: PromotionFacts,
): boolean {
  if (before === undefined) return true;
  const known = before.arrivals;
  if (arrivals === undefined || known === undefined) return unacknowledged_count > before.unacknowledged;
  // Another run of the agent counts from 0 again: the hash shows whether the same promotions wait.
  return arrivals.run === known.run ? arrivals.count > known.count : arrivals.waiting !== known.waiting;
}
