import type { Bottleneck, Bottlenecks } from "./api.ts";
import type { Series, Statistics } from "./statistics.ts";

/** Smallest factor between two percentiles that the summary mentions: less may be chance. */
const NOTABLE = 1.5;
/** Fewest tasks of a period that is compared. */
const MIN_TASKS = 10;

/** Where a queue spends its time: kinds of task, busiest first, and the main bottleneck in a sentence. */
export function findBottlenecks(statistics: Statistics, limit: number, nowMs: number): Bottlenecks {
  statistics.turn(nowMs);
  const recent = statistics.series().sort((a, b) => busy(b) - busy(a));
  const total = recent.reduce((sum, one) => sum + busy(one), 0);
  return {
    summary: describe(statistics),
    slowest: statistics.slowest(limit),
    series: recent.slice(0, limit).map((one): Bottleneck => {
      const { recipient, type, complete, failed } = one;
      return {
        recipient,
        type,
        tasks: complete + failed,
        share: total === 0 ? 0 : round(busy(one) / total),
        ...percentiles(one),
      };
    }),
  };
}

export function percentiles({ running, waiting, ranMs, waitedMs }: Series) {
  return {
    mean_ms: mean(ranMs, running.total),
    waiting_mean_ms: mean(waitedMs, waiting.total),
    p50_ms: whole(running.quantile(0.5)),
    p95_ms: whole(running.quantile(0.95)),
    p99_ms: whole(running.quantile(0.99)),
    waiting_p50_ms: whole(waiting.quantile(0.5)),
    waiting_p95_ms: whole(waiting.quantile(0.95)),
    waiting_p99_ms: whole(waiting.quantile(0.99)),
  };
}

function describe(statistics: Statistics): string | null {
  const current = statistics.current();
  // A period that has just begun has no tasks yet: describe both periods instead.
  const series = current.length > 0 ? current : statistics.series();
  const since = current.length > 0 ? statistics.currentSinceMs : statistics.previousSinceMs;
  const waited = series.reduce((sum, one) => sum + one.waitedMs, 0);
  const ran = series.reduce((sum, one) => sum + one.ranMs, 0);
  if (waited + ran === 0) return null;
  const worst = series.toSorted((a, b) => time(b) - time(a))[0];
  if (worst === undefined) return null;
  const waits = worst.waitedMs > worst.ranMs;
  const clock = new Date(since).toISOString().slice(11, 16);
  const share = Math.round((100 * time(worst)) / (waited + ran));
  const where = worst.recipient === "*" ? "tasks for anyone" : worst.recipient;
  const what = waits ? "waiting for a worker" : "running";
  const split = Math.round((100 * Math.max(worst.waitedMs, worst.ranMs)) / time(worst));
  return (
    `${where}, ${worst.type}: ${share} % of all time since ${clock} UTC, ${split} % of it ${what} ` +
    `(p95 ${whole((waits ? worst.waiting : worst.running).quantile(0.95))} ms${compared(worst, waits, statistics)})`
  );
}

function compared(worst: Series, waits: boolean, statistics: Statistics): string {
  const before = statistics.previous(worst.recipient, worst.type);
  const now = (waits ? worst.waiting : worst.running).quantile(0.95);
  const then = (waits ? before?.waiting : before?.running)?.quantile(0.95);
  if (before === undefined || before.complete + before.failed < MIN_TASKS || worst.complete + worst.failed < MIN_TASKS)
    return "";
  if (now === null || then === null || then === undefined || then === 0) return "";
  const clock = new Date(statistics.previousSinceMs).toISOString().slice(11, 16);
  if (now >= NOTABLE * then) return `, ${round(now / then, 2)} times that of the hour from ${clock}`;
  if (now <= then / NOTABLE) return `, down from ${whole(then)} ms in the hour from ${clock}`;
  return `, as in the hour from ${clock}`;
}

const mean = (sum: number, count: number) => (count === 0 ? null : Math.round(sum / count));
const busy = ({ ranMs }: Series) => ranMs;
const time = ({ ranMs, waitedMs }: Series) => ranMs + waitedMs;
const whole = (value: number | null) => (value === null ? null : Math.round(value));
const round = (value: number, digits = 3) => Number(value.toPrecision(digits));
