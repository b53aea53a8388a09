import type { QueueSettings } from "./queue-settings.ts";

/** `task_slow`: one task ran too long; `p95_slow`: most of a kind do; `tasks_failing`; `queue_deep`. */
export type AlertRule = "task_slow" | "p95_slow" | "tasks_failing" | "queue_deep";

export interface RaisedAlert {
  readonly rule: AlertRule;
  /** Recipient and type, or the queue. */
  readonly subject: string;
  readonly raisedMs: number;
  /** When it was last found to hold. */
  lastMs: number;
}

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

export interface Measured {
  readonly depth: number;
  /** Kinds of task with the percentile of their running time; left out between two looks, which cost more. */
  readonly kinds?: readonly { readonly subject: string; readonly tasks: number; readonly p95Ms: number }[];
}

export interface AlertData {
  readonly raised: readonly RaisedAlert[];
  readonly failures: readonly number[];
}

/** An alert ends when its value is below this share of the limit: one that hovers about it does not flap. */
const RELEASE = 0.8;
/** Tasks of a kind before its percentile says anything. */
const ENOUGH = 20;
/** A slow task is old news after this time without another. */
const SLOW_TASK_MS = 600_000;
/** Failures remembered; more than any sensible threshold. */
const MAX_FAILURES = 1_000;

/** Which alerts of a queue stand. Each is told once when it begins and once when it ends (R43). */
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

  /** Whether time alone can end an alert. */
  get waits(): boolean {
    return [...this.#raised.values()].some(({ rule }) => rule !== "queue_deep");
  }

  failed(nowMs: number): void {
    this.#failures.push(nowMs);
    if (this.#failures.length > MAX_FAILURES) this.#failures.shift();
  }

  /** A task of this kind ran, or has been running, for so long. */
  ran(subject: string, ms: number, settings: QueueSettings, nowMs: number): AlertChange[] {
    const limit = settings.alert_task_ms;
    if (limit === null || ms <= limit) return [];
    return this.#hold("task_slow", subject, ms, limit, nowMs);
  }

  /** Looks at everything that is not about one task. */
  look(measured: Measured, settings: QueueSettings, nowMs: number): AlertChange[] {
    const changes: AlertChange[] = [];
    changes.push(...this.#judge("queue_deep", "queue", measured.depth, settings.alert_depth, RELEASE, nowMs));
    const since = nowMs - settings.alert_failed_window_ms;
    this.#failures = this.#failures.filter((ms) => ms > since);
    changes.push(...this.#judge("tasks_failing", "queue", this.#failures.length, settings.alert_failed, 1, nowMs));
    if (measured.kinds !== undefined) {
      const values = new Map(measured.kinds.map(({ subject, tasks, p95Ms }) => [subject, tasks < ENOUGH ? 0 : p95Ms]));
      for (const { rule, subject } of this.raised)
        if (rule === "p95_slow" && !values.has(subject)) values.set(subject, 0);
      for (const [subject, value] of values) {
        changes.push(...this.#judge("p95_slow", subject, value, settings.alert_p95_ms, RELEASE, nowMs));
      }
    }
    for (const alert of this.raised) {
      const over = settings.alert_task_ms === null || nowMs - alert.lastMs >= SLOW_TASK_MS;
      if (alert.rule === "task_slow" && over) changes.push(this.#release(alert, 0, settings.alert_task_ms ?? 0));
    }
    return changes;
  }

  toJSON(): AlertData {
    return { raised: this.raised, failures: this.#failures };
  }

  #judge(rule: AlertRule, subject: string, value: number, limit: number | null, release: number, nowMs: number) {
    if (limit !== null && value > limit) return this.#hold(rule, subject, value, limit, nowMs);
    const alert = this.#raised.get(keyOf(rule, subject));
    if (alert === undefined || (limit !== null && value > release * limit)) return [];
    return [this.#release(alert, value, limit ?? 0)];
  }

  #hold(rule: AlertRule, subject: string, value: number, limit: number, nowMs: number): AlertChange[] {
    const known = this.#raised.get(keyOf(rule, subject));
    if (known !== undefined) {
      known.lastMs = nowMs;
      return [];
    }
    this.#raised.set(keyOf(rule, subject), { rule, subject, raisedMs: nowMs, lastMs: nowMs });
    return [{ rule, subject, state: "raised", severity: severityOf(rule), value, limit, raisedMs: nowMs }];
  }

  #release({ rule, subject, raisedMs }: RaisedAlert, value: number, limit: number): AlertChange {
    this.#raised.delete(keyOf(rule, subject));
    return { rule, subject, state: "resolved", severity: severityOf(rule), value, limit, raisedMs };
  }
}

const keyOf = (rule: AlertRule, subject: string) => `${rule} ${subject}`;
const severityOf = (rule: AlertRule) => (rule === "queue_deep" ? "critical" : "warning");
