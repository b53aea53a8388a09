import type { Budget } from "../../core/billing/budget.ts";
import { logSamples, memorySamples } from "../../core/metrics/samples.ts";
import { PROJECTIONS } from "../../core/projection/batch.ts";
import type { Excess } from "../../core/quotas/excess.ts";
import type { LogStatus } from "../../core/signals/api.ts";
import type { RateMeter } from "../../core/signals/log/rate-meter.ts";
import type { ObjectHeap } from "../shell/isolate-heap.ts";
import type { OwnState } from "../shell/state-reports.ts";
import type { LogLinks } from "./log-links.ts";
import type { LogReader } from "./log-reader.ts";
import type { LogWriter } from "./log-writer.ts";
import type { QueueOutbox } from "./queue-outbox.ts";
import type { SubscriptionStore } from "./subscription-store.ts";
import { type Cursors, undeliveredTo } from "./undelivered.ts";

/** The log's status, and the tokens that it refused hosts, links, streams or signals lately. */
type RefusingLogStatus = LogStatus & { readonly excess?: readonly Excess[] };

export type FullLogStatus = RefusingLogStatus & { readonly undelivered: ReturnType<typeof undeliveredTo> };

interface LogParts {
  readonly reader: LogReader;
  readonly writer: LogWriter;
  readonly subscriptions: SubscriptionStore;
  readonly outbox: QueueOutbox;
  readonly links: LogLinks;
  readonly rate: RateMeter;
}

/** What the log says of itself, but for its size. @param cursors - of the projections, as they say themselves */
export async function logStatus(
  { reader, writer, subscriptions, outbox, links, rate }: LogParts,
  cursors: Cursors,
): Promise<Omit<FullLogStatus, "heap">> {
  return {
    head_seq: writer.headSeq,
    oldest_seq: reader.oldestSeq,
    signals_last_minute: rate.lastMinute(Date.now()),
    ...(await links.status()),
    ...writer.size,
    ...refusedTokens(links, writer, writer.budget.view(Date.now())),
    undelivered: undeliveredTo({ reader, head: writer.headSeq, subscriptions, outbox }, cursors),
  };
}

/** @returns also the budget, where the ecosystem has one */
function refusedTokens(
  links: LogLinks,
  writer: LogWriter,
  budget: Budget,
): Pick<RefusingLogStatus, "excess" | "budget"> {
  const excess = [...links.excess, ...writer.excess];
  return { ...(excess.length === 0 ? {} : { excess }), ...(budget.state === "none" ? {} : { budget }) };
}

/** What the log reports of itself. Relays are not asked: what they said last counts. */
export function logState(
  { oldestSeq }: Pick<LogReader, "oldestSeq">,
  writer: LogWriter,
  links: LogLinks,
  outbox: Pick<QueueOutbox, "sentTo">,
  heap: ObjectHeap,
): OwnState {
  const { subscribers, bytes_in_flight, hosts } = links.sockets.status;
  const relayed = links.relays.links;
  const { limit_bytes, dropped_for_size, damaged } = writer.size;
  const samples = logSamples({
    headSeq: writer.headSeq,
    oldestSeq,
    limitBytes: limit_bytes,
    droppedForSize: dropped_for_size,
    damagedRows: damaged?.rows ?? 0,
    subscribers: subscribers + relayed.length,
    hosts: new Set([...hosts, ...relayed.map(({ host }) => host)]).size,
    bytesInFlight: bytes_in_flight,
    budget: writer.budget.view(Date.now()),
  });
  return {
    samples: [...samples, ...memorySamples(heap.uses)],
    folded: 0,
    sent: Object.fromEntries(PROJECTIONS.map((name) => [name, outbox.sentTo(name)])),
  };
}
