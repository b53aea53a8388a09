import type { TaskQueue } from "../../core/queue/task-queue.ts";

/** A change of a queue that waits to be made, together with others, in one transaction. */
export interface QueueOperation {
  /** Makes the change, in the transaction. @returns what to do once it is written: answering */
  readonly make: (queue: TaskQueue, nowMs: number) => () => void;
  /** Nothing of it was kept: too much is waiting, or the transaction failed. */
  readonly refuse: () => void;
  /** Ids given by callers. Whether they repeat a finished task is looked up for a whole group at once. */
  readonly ids: readonly string[];
  /** Tasks that it is about. */
  readonly weight: number;
}

/** @param tasks - those that it is about; their ids are looked up where callers gave them */
export function operationOf<Result>(
  make: (queue: TaskQueue, nowMs: number) => Result,
  answer: (result: Result) => void,
  refuse: () => void,
  tasks: readonly { readonly taskId: string | undefined }[] = [],
): QueueOperation {
  return {
    make: (queue, nowMs) => {
      const result = make(queue, nowMs);
      return () => answer(result);
    },
    refuse,
    ids: tasks.flatMap(({ taskId }) => taskId ?? []),
    weight: Math.max(1, tasks.length),
  };
}
