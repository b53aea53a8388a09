import type { PromotionFacts } from "./facts.ts";

/** What was known of a host's promotions when it was last looked at. */
export interface PromotionsKnown {
  readonly unacknowledged: number;
  readonly lastDream: string | number | null;
  /** When it was last told that some wait. */
  readonly toldMs: number | null;
}

/**
 * Whether a host's promotions are news: some wait that did not wait at the last look; or a dream has ended and has left
 * some, whose announcement may have fallen into it; or they have waited for so long that it is said again.
 */
export function judgePromotions(
  before: PromotionsKnown | undefined,
  facts: PromotionFacts,
  remindMs: number | null,
  nowMs: number,
): { after: PromotionsKnown; news: boolean } {
  const { unacknowledged_count: unacknowledged } = facts;
  const lastDream = facts.last_dream_time ?? null;
  const toldMs = before?.toldMs ?? null;
  const more = unacknowledged > (before?.unacknowledged ?? 0);
  const dreamt = before !== undefined && lastDream !== null && lastDream !== before.lastDream;
  const overdue = remindMs !== null && toldMs !== null && nowMs - toldMs >= remindMs;
  const news = unacknowledged > 0 && (more || dreamt || overdue);
  return { after: { unacknowledged, lastDream, toldMs: news ? nowMs : unacknowledged === 0 ? null : toldMs }, news };
}
