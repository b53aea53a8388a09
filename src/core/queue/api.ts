import type { QueueSettings } from "./queue-settings.ts";
import type { SlowTask } from "./statistics.ts";
import type { Outcome, TaskStatus } from "./task.ts";

/** The queue could not write, or has too much waiting to be written. Nothing was kept. */
export interface QueueOverloaded {
  readonly overloaded: true;
  readonly retry_after_ms: number;
}

export interface TaskReceipt {
  readonly task_id: string;
  readonly status: TaskStatus;
}

export type EnqueueAnswer =
  | { readonly tasks: readonly TaskReceipt[] }
  | { readonly full: true; readonly capacity: number }
  | QueueOverloaded;

export interface LeaseQuery {
  readonly recipient: string;
  readonly max: number;
  readonly leaseMs: number;
  readonly waitMs: number;
  readonly worker: string;
}

/** What somebody who holds a task, or wants it gone, can do about it. */
export type Settlement =
  | {
      readonly action: "complete";
      readonly taskId: string;
      readonly leaseId: string;
      readonly resultJson: string | null;
    }
  | {
      readonly action: "fail";
      readonly taskId: string;
      readonly leaseId: string;
      readonly error: string;
      readonly retry: boolean;
    }
  | { readonly action: "extend"; readonly taskId: string; readonly leaseId: string; readonly leaseMs: number }
  | { readonly action: "release"; readonly taskId: string; readonly leaseId: string }
  | { readonly action: "cancel"; readonly taskId: string }
  | { readonly action: "retry"; readonly taskId: string };

export type SettlementAnswer =
  | { readonly task_id: string; readonly status: TaskStatus; readonly lease_expires_at?: string }
  | { readonly conflict: "lost" | "finished" | "unknown" | "unfinished" | "full" }
  | QueueOverloaded;

/** How a call ended. */
export type CallAnswer =
  | {
      readonly correlation_id: string;
      readonly outcome: Outcome;
      readonly resultJson: string | null;
      readonly error: string | null;
      readonly responder: string | null;
      readonly duration_ms: number;
    }
  | { readonly correlation_id: string; readonly pending: "queued" | "running" }
  | { readonly refused: "no_responder" | "full" | "not_a_call" }
  | QueueOverloaded;

export interface RecipientStatus {
  readonly queued: number;
  readonly running: number;
  readonly complete: number;
  readonly failed: number;
  /** Time that workers held the tasks; this hour and the one before. */
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly p99_ms: number | null;
  /** Time until they were given out. */
  readonly waiting_p50_ms: number | null;
  readonly waiting_p95_ms: number | null;
  readonly waiting_p99_ms: number | null;
}

export interface QueueStatus {
  readonly queue: string;
  /** Tasks that are queued, delayed ones included. */
  readonly depth: number;
  readonly running: number;
  readonly by_priority: Readonly<Record<string, number>>;
  readonly by_recipient: Readonly<Record<string, RecipientStatus>>;
  /** Of the task that could be given out and waits longest. */
  readonly oldest_age_ms: number | null;
  /** Connected workers and waiting calls, by recipient. */
  readonly workers: Readonly<Record<string, number>>;
  readonly alerts: readonly { readonly rule: string; readonly subject: string; readonly raised_at: string }[];
  readonly settings: QueueSettings;
}

export interface Bottleneck {
  readonly recipient: string;
  readonly type: string;
  readonly tasks: number;
  /** Share of all time that workers were busy this hour, 0 to 1. */
  readonly share: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly p99_ms: number | null;
  readonly waiting_p50_ms: number | null;
  readonly waiting_p95_ms: number | null;
  readonly waiting_p99_ms: number | null;
}

export interface Bottlenecks {
  /** What holds things up, in words; `null`: nothing has run. */
  readonly summary: string | null;
  readonly slowest: readonly SlowTask[];
  readonly series: readonly Bottleneck[];
}

export interface QueueEvent {
  readonly at: string;
  readonly task_id: string;
  readonly recipient: string;
  readonly type: string;
  readonly event: string;
  readonly attempt?: number;
  readonly worker?: string;
  readonly error?: string;
}
