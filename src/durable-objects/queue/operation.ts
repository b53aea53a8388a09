import type { QueueOverloaded } from "../../core/queue/api.ts";
import type { TaskQueue } from "../../core/queue/task-queue.ts";
import { OVERLOADED } from "./refusals.ts";

/** A change of a queue that waits for its transaction, which it shares with other operations. */
export interface QueueOperation {
  /** Changes the queue, within the transaction. @returns sends the answer, once the transaction is written */
  readonly apply: (queue: TaskQueue, nowMs: number) => () => void;
  /** Answers that nothing was kept: too much is waiting, or the transaction failed. */
  readonly refuse: () => void;
  /** Task ids that callers chose. One query for all operations of a transaction finds those that repeat a finished task. */
  readonly taskIds: readonly string[];
  /** Number of tasks that the operation is about. */
  readonly weight: number;
  /** Characters of the payloads or results that it brings. */
  readonly chars: number;
  /** Whether it brings tasks, which the queue then holds. */
  readonly brings: boolean;
}

/** @param tasks - the tasks that the operation is about; an id that is `undefined` was not chosen by a caller */
export function operationOf<Result>(
  apply: (queue: TaskQueue, nowMs: number) => Result,
  answer: (result: Result) => void,
  refuse: () => void,
  tasks: readonly { readonly taskId: string | undefined; readonly payloadJson?: string }[] = [],
): QueueOperation {
  return {
    apply: (queue, nowMs) => {
      const result = apply(queue, nowMs);
      return () => answer(result);
    },
    refuse,
    taskIds: tasks.flatMap(({ taskId }) => taskId ?? []),
    weight: Math.max(1, tasks.length),
    chars: tasks.reduce((sum, { payloadJson }) => sum + (payloadJson?.length ?? 0), 0),
    brings: tasks.some(({ payloadJson }) => payloadJson !== undefined),
  };
}

interface Changed<Result> {
  readonly result: Result;
  /** Called once the transaction is written. */
  readonly written?: () => void;
}

/** Submits one change of a queue. @returns its result, once the transaction is written */
export function submitted<Result>(
  commits: { submit(operations: readonly QueueOperation[]): void },
  change: (queue: TaskQueue, nowMs: number) => Changed<Result>,
  tasks: Parameters<typeof operationOf>[3] = [],
): Promise<Result | QueueOverloaded> {
  return new Promise((resolve) => {
    const answer = ({ result, written }: Changed<Result>) => {
      written?.();
      resolve(result);
    };
    commits.submit([operationOf(change, answer, () => resolve(OVERLOADED), tasks)]);
  });
}
