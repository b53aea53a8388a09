import type { ObjectSize } from "../billing/heap-budget.ts";
import { LogSketch } from "../numbers/log-sketch.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { AlertTracker } from "./alert-tracker.ts";
import type { QueueStatus, RecipientStatus } from "./api.ts";
import { percentiles } from "./bottlenecks.ts";
import { breakerStatus } from "./breaker-status.ts";
import type { CallBreakers } from "./call-breakers.ts";
import type { LimitGate } from "./limit-gate.ts";
import type { QueuePause } from "./pause.ts";
import { unjudgedTasks } from "./queue-trouble.ts";
import { add, type Series, type Statistics } from "./statistics.ts";
import type { TaskQueue } from "./task-queue.ts";
import type { Waiters } from "./waiters.ts";

interface QueueParts {
  readonly queue: TaskQueue;
  readonly statistics: Statistics;
  readonly alerts: AlertTracker;
  readonly breakers: CallBreakers;
  readonly pause: QueuePause | undefined;
  readonly limitGate: LimitGate;
}

const NO_PERCENTILES = {
  mean_ms: null,
  waiting_mean_ms: null,
  p50_ms: null,
  p95_ms: null,
  p99_ms: null,
  waiting_p50_ms: null,
  waiting_p95_ms: null,
  waiting_p99_ms: null,
};

/** The state of a queue, for people and monitoring. */
export function queueStatus(
  name: string,
  { queue, statistics, alerts, breakers, pause, limitGate }: QueueParts,
  waiters: Waiters,
  nowMs: number,
): Omit<QueueStatus, keyof ObjectSize | "bulk" | "late_mail" | "unplaced"> {
  const { depths } = queue;
  const oldest = queue.oldestWaitingMs;
  const sums = sumsOf(statistics, nowMs);
  return {
    queue: name,
    depth: depths.queued,
    running: depths.running,
    ...(depths.verifying === 0 ? {} : { verifying: depths.verifying }),
    by_priority: Object.fromEntries(depths.byPriority.map((count, place) => [place + 1, count])),
    by_level: byLevel(depths.byPriority),
    by_recipient: byRecipient(queue, statistics, sums),
    oldest_age_ms: oldest === undefined ? null : Math.max(0, nowMs - oldest),
    wait_p50_ms: medianOf([...sums.values()].map(({ waiting }) => waiting)),
    run_p50_ms: medianOf([...sums.values()].map(({ running }) => running)),
    workers: waiters.counts,
    alerts: alerts.raised.map(({ rule, subject, raisedMs }) => ({
      rule,
      subject,
      raised_at: formatTimestamp(raisedMs),
    })),
    paused: pause ?? null,
    ...limitGate.status(queue.ready.parkedLines()),
    ...(depths.verifying === 0 ? {} : { unjudged: unjudgedTasks(queue.proofs.waiting) }),
    breakers: breakerStatus(breakers),
    settings: queue.settings,
  };
}

/** Older dashboards know three levels of priority: 1 to 3, 4 to 7, 8 to 10. */
function byLevel(byPriority: readonly number[]) {
  const sum = (from: number, to: number) => byPriority.slice(from - 1, to).reduce((total, count) => total + count, 0);
  return { high: sum(1, 3), normal: sum(4, 7), low: sum(8, 10) };
}

function medianOf(sketches: readonly LogSketch[]): number | null {
  const all = new LogSketch();
  for (const sketch of sketches) all.merge(sketch);
  const median = all.quantile(0.5);
  return median === null ? null : Math.round(median);
}

/** What was measured of each recipient, of all types of task together. */
function sumsOf(statistics: Statistics, nowMs: number): ReadonlyMap<string, Series> {
  statistics.turn(nowMs);
  const sums = new Map<string, Series>();
  for (const one of statistics.series()) sums.set(one.recipient, add(sums.get(one.recipient), one));
  return sums;
}

function byRecipient(
  { depths }: TaskQueue,
  statistics: Statistics,
  sums: ReadonlyMap<string, Series>,
): Record<string, RecipientStatus> {
  const names = new Set([...depths.byRecipient.keys(), ...statistics.totals.keys()]);
  return Object.fromEntries(
    [...names].sort().map((recipient): [string, RecipientStatus] => {
      const { queued = 0, running = 0, verifying = 0 } = depths.byRecipient.get(recipient) ?? {};
      const { complete = 0, failed = 0 } = statistics.totals.get(recipient) ?? {};
      const sum = sums.get(recipient);
      return [
        recipient,
        {
          queued,
          running,
          ...(verifying > 0 && { verifying }),
          complete,
          failed,
          ...(sum === undefined ? NO_PERCENTILES : percentiles(sum)),
        },
      ];
    }),
  );
}
