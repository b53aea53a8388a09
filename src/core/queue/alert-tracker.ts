import * as z from "zod";
import type { QueueSettings } from "./queue-settings.ts";
import type { Statistics } from "./statistics.ts";

/** `task_slow`: one task ran too long; `p95_slow`: a kind of task mostly does; `tasks_failing`; `queue_deep`. */
const AlertRule = z.enum(["task_slow", "p95_slow", "tasks_failing", "queue_deep"]);
type AlertRule = z.infer<typeof AlertRule>;

const RaisedAlert = z.object({
  rule: AlertRule,
  /** Recipient and type, or the queue. */
  subject: z.string(),
  raisedMs: z.number(),
  /** When the alert's condition last held. */
  lastMs: z.number(),
});
type RaisedAlert = z.infer<typeof RaisedAlert>;

/** Alerts as they are stored. */
export const AlertData = z.object({ raised: z.array(RaisedAlert), failures: z.array(z.number()) });
export type AlertData = z.infer<typeof AlertData>;

/** An alert begins or ends. */
export interface AlertChange {
  readonly rule: AlertRule;
  readonly subject: string;
  readonly state: "raised" | "resolved";
  readonly severity: "warning" | "critical";
  readonly value: number;
  readonly limit: number;
  readonly raisedMs: number;
}

export interface QueueMeasurements {
  readonly depth: number;
  /** Kinds of task with the 95th percentile of their running time. Left out most of the time: percentiles cost more. */
  readonly kinds?: readonly { readonly subject: string; readonly tasks: number; readonly p95Ms: number }[];
}

/** An alert ends when its value falls to this share of the limit: a value that hovers at the limit must not flap. */
const RELEASE = 0.8;
/** Fewest tasks of a kind for which a percentile is meaningful. */
const MIN_TASKS = 20;
/** The alert of a slow task ends after this time without another slow task of the kind. */
const SLOW_TASK_MS = 600_000;
/** Failures remembered; more than any sensible threshold. */
const MAX_FAILURES = 1_000;

/** The raised alerts of a queue. Reports each alert once when it begins and once when it ends. */
export class AlertTracker {
  readonly #raised: Map<string, RaisedAlert>;
  #failures: number[];

  constructor(data: AlertData = { raised: [], failures: [] }) {
    this.#raised = new Map(data.raised.map((alert) => [keyOf(alert.rule, alert.subject), alert]));
    this.#failures = [...data.failures];
  }

  get raised(): readonly RaisedAlert[] {
    return [...this.#raised.values()];
  }

  /** Whether an alert is raised that ends by time alone. */
  get endsByTime(): boolean {
    return [...this.#raised.values()].some(({ rule }) => rule !== "queue_deep");
  }

  failed(nowMs: number): void {
    this.#failures.push(nowMs);
    if (this.#failures.length > MAX_FAILURES) this.#failures.shift();
  }

  /** Notes that a task of this kind ran, or has been running, for `ms`. */
  ran(subject: string, ms: number, settings: QueueSettings, nowMs: number): AlertChange[] {
    const limit = settings.alert_task_ms;
    if (limit === null || ms <= limit) return [];
    return this.#raise("task_slow", subject, ms, limit, nowMs);
  }

  /** Checks the alerts that are not about a single task. */
  check(measured: QueueMeasurements, settings: QueueSettings, nowMs: number): AlertChange[] {
    const changes: AlertChange[] = [];
    changes.push(...this.#checkLimit("queue_deep", "queue", measured.depth, settings.alert_depth, RELEASE, nowMs));
    const since = nowMs - settings.alert_failed_window_ms;
    if (this.#failures.some((ms) => ms <= since)) this.#failures = this.#failures.filter((ms) => ms > since);
    changes.push(...this.#checkLimit("tasks_failing", "queue", this.#failures.length, settings.alert_failed, 1, nowMs));
    if (measured.kinds !== undefined) {
      const values = new Map(
        measured.kinds.map(({ subject, tasks, p95Ms }) => [subject, tasks < MIN_TASKS ? 0 : p95Ms]),
      );
      for (const { rule, subject } of this.raised)
        if (rule === "p95_slow" && !values.has(subject)) values.set(subject, 0);
      for (const [subject, value] of values) {
        changes.push(...this.#checkLimit("p95_slow", subject, value, settings.alert_p95_ms, RELEASE, nowMs));
      }
    }
    if (this.#raised.size === 0) return changes;
    for (const alert of this.raised) {
      const ended = settings.alert_task_ms === null || nowMs - alert.lastMs >= SLOW_TASK_MS;
      if (alert.rule === "task_slow" && ended) changes.push(this.#resolve(alert, 0, settings.alert_task_ms ?? 0));
    }
    return changes;
  }

  toJSON(): AlertData {
    return { raised: [...this.#raised.values()], failures: this.#failures };
  }

  #checkLimit(rule: AlertRule, subject: string, value: number, limit: number | null, release: number, nowMs: number) {
    if (limit !== null && value > limit) return this.#raise(rule, subject, value, limit, nowMs);
    const alert = this.#raised.get(keyOf(rule, subject));
    if (alert === undefined || (limit !== null && value > release * limit)) return [];
    return [this.#resolve(alert, value, limit ?? 0)];
  }

  #raise(rule: AlertRule, subject: string, value: number, limit: number, nowMs: number): AlertChange[] {
    const known = this.#raised.get(keyOf(rule, subject));
    if (known !== undefined) {
      known.lastMs = nowMs;
      return [];
    }
    this.#raised.set(keyOf(rule, subject), { rule, subject, raisedMs: nowMs, lastMs: nowMs });
    return [{ rule, subject, state: "raised", severity: severityOf(rule), value, limit, raisedMs: nowMs }];
  }

  #resolve({ rule, subject, raisedMs }: RaisedAlert, value: number, limit: number): AlertChange {
    this.#raised.delete(keyOf(rule, subject));
    return { rule, subject, state: "resolved", severity: severityOf(rule), value, limit, raisedMs };
  }
}

const keyOf = (rule: AlertRule, subject: string) => `${rule} ${subject}`;
const severityOf = (rule: AlertRule) => (rule === "queue_deep" ? "critical" : "warning");

/** An alert in words, for people who get it in a message. */
export function alertText(
  queue: string,
  { rule, subject, state, value, limit }: Pick<AlertChange, "rule" | "subject" | "state" | "value" | "limit">,
): { readonly title: string; readonly text: string } {
  const measured = Math.round(value);
  const words: Readonly<Record<AlertRule, readonly [matter: string, text: string]>> = {
    task_slow: [
      `a task of ${subject} runs long`,
      `A task of ${subject} has run for ${measured} ms; the limit is ${limit} ms.`,
    ],
    p95_slow: [
      `tasks of ${subject} run long`,
      `The 95th percentile of the running time of ${subject} is ${measured} ms; the limit is ${limit} ms.`,
    ],
    tasks_failing: ["tasks fail", `${measured} tasks have failed lately; the limit is ${limit}.`],
    queue_deep: ["too many tasks wait", `${measured} tasks wait; the limit is ${limit}.`],
  };
  const [matter, text] = words[rule];
  if (state === "raised") return { title: `Queue ${queue}: ${matter}`, text };
  return { title: `Queue ${queue}: over: ${matter}`, text: `It is over that ${matter} in the queue ${queue}.` };
}

/** What each kind of task takes, as {@link AlertTracker.check} reads it. */
export const runningTimes = (statistics: Statistics) =>
  statistics.series().map(({ recipient, type, running }) => ({
    subject: `${recipient}/${type}`,
    tasks: running.total,
    p95Ms: running.quantile(0.95) ?? 0,
  }));
