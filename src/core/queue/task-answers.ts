import type { Lease, TaskStatus } from "./task.ts";

export interface EnqueueReceipt {
  readonly taskId: string;
  readonly status: TaskStatus;
  /** Whether the queue knew the task before. */
  readonly known: boolean;
}

export type EnqueueResult =
  | { readonly receipts: readonly EnqueueReceipt[] }
  | { readonly full: true; readonly capacity: number };

export type TransitionResult =
  | { readonly ok: true; readonly status: TaskStatus; readonly expiresMs?: number; readonly cancelled?: Lease | null }
  /** `lost`: the lease is no longer held; `finished`: the task has ended; `unknown`: the queue knows no such task. */
  | { readonly ok: false; readonly reason: "lost" | "finished" | "unknown" };
