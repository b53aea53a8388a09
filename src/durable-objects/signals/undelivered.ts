import { PROJECTIONS, type ProjectionName } from "../../core/projection/batch.ts";
import { compilePatterns } from "../../core/signals/pattern.ts";
import { lineSeq, readSignalLine } from "../../core/signals/signal-line.ts";
import type { LogReader } from "./log-reader.ts";
import type { QueueOutbox } from "./queue-outbox.ts";
import type { SubscriptionStore } from "./subscription-store.ts";

/** Where each projection is, as it says itself. */
export type Cursors = Readonly<Partial<Record<ProjectionName, number>>>;

/** What a projection has not confirmed. */
export interface Undelivered {
  /** Sequence numbers from its cursor to the last signal that the queue was sent for it; 0: nothing concerns it. */
  readonly lag: number;
  /** When the log received the oldest of its signals that it has not taken in; `null`: there is none. */
  readonly oldest_undelivered_at: string | null;
}

interface UndeliveredOptions {
  readonly reader: Pick<LogReader, "after">;
  readonly head: number;
  readonly subscriptions: Pick<SubscriptionStore, "of">;
  readonly outbox: Pick<QueueOutbox, "sentTo">;
}

/**
 * How far the projections are behind. A cursor alone does not say so: it stays where it is while signals come that do not
 * concern the projection.
 */
export function undeliveredTo(
  { reader, head, subscriptions, outbox }: UndeliveredOptions,
  cursors: Cursors,
): Partial<Record<ProjectionName, Undelivered>> {
  const behind = (projection: ProjectionName): Undelivered => {
    const cursor = cursors[projection] ?? head;
    const { lines } = reader.after(cursor, head, compilePatterns(subscriptions.of(projection)), 1);
    const [line] = lines;
    if (line === undefined) return { lag: 0, oldest_undelivered_at: null };
    const lag = Math.max(outbox.sentTo(projection), lineSeq(line)) - cursor;
    return { lag, oldest_undelivered_at: readSignalLine(line).received_at };
  };
  const asked = PROJECTIONS.filter((projection) => cursors[projection] !== undefined);
  return Object.fromEntries(asked.map((projection) => [projection, behind(projection)]));
}
