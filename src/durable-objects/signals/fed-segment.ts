import type { Segment } from "../../core/signals/log/segment.ts";
import type { Subscription } from "../../core/signals/log/subscription.ts";
import { lineName, lineSeq } from "../../core/signals/signal-line.ts";

/** Signals that came, with everything between the first and the last number that a subscriber here may want. */
export type FedSegment = Pick<Segment, "firstSeq" | "lastSeq" | "lines" | "names">;

/** The signals of a segment that a subscription has not been sent. */
export function linesFor({ matches, sent }: Subscription, segment: FedSegment): readonly string[] {
  const { names } = segment;
  // What a read for this subscriber has found already is not sent twice.
  const lines = segment.firstSeq > sent ? segment.lines : segment.lines.filter((line) => lineSeq(line) > sent);
  if (names.every(matches)) return lines;
  return names.some(matches) ? lines.filter((line) => matches(lineName(line))) : [];
}
