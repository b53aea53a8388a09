import { formatTimestamp } from "../signals/timestamp.ts";
import type { TaskQueue } from "./task-queue.ts";

/** Type of the tasks that tell of long ones. */
const TYPE = "LONG_TASKS";
/** Tasks that one notice names. */
const MAX_NAMED = 100;

/**
 * Tells a recipient of the tasks that have run for long, by a task of its own, again and again while there are any. Notices
 * that nobody takes do not pile up: there is none while an earlier one waits.
 */
export class LongNotices {
  readonly #queue: TaskQueue;
  #toldMs: number | undefined;
  #lastId = "";

  constructor(queue: TaskQueue) {
    this.#queue = queue;
  }

  get nextDueMs(): number | undefined {
    const { notify_long_to, notify_long_ms, notify_long_every_ms } = this.#queue.settings;
    if (notify_long_to === null) return undefined;
    const firstMs = this.#queue.longRunning.firstMs;
    if (firstMs === undefined) return undefined;
    const longMs = firstMs + notify_long_ms + 1;
    return this.#toldMs === undefined ? longMs : Math.max(longMs, this.#toldMs + notify_long_every_ms);
  }

  /** Queues a notice where one is due. */
  enqueueDue(nowMs: number): void {
    const dueMs = this.nextDueMs;
    const { notify_long_to: recipient, notify_long_ms, notify_long_every_ms } = this.#queue.settings;
    if (dueMs === undefined || recipient === null || nowMs < dueMs) return;
    this.#toldMs = nowMs;
    if (this.#queue.find(this.#lastId)?.lease === null) return;
    const long = this.#queue.longRunning.longerThan(notify_long_ms, nowMs).filter(({ entry }) => entry.type !== TYPE);
    if (long.length === 0) return;
    const tasks = long.slice(0, MAX_NAMED).map(({ entry, ms }) => ({
      task_id: entry.taskId,
      recipient: entry.recipient,
      type: entry.type,
      worker: entry.lease?.worker,
      running_ms: ms,
      started_at: formatTimestamp(nowMs - ms),
    }));
    // Two lives of the queue in one interval tell the same.
    this.#lastId = `long-tasks.${Math.floor(nowMs / notify_long_every_ms)}`;
    const payload = { tasks, ...(long.length > MAX_NAMED && { more: long.length - MAX_NAMED }) };
    this.#queue.enqueue(
      [
        {
          taskId: this.#lastId,
          recipient,
          type: TYPE,
          payloadJson: JSON.stringify(payload),
          sender: "ganglion/queue",
          priority: 1,
          delayMs: 0,
          maxAttempts: 1,
          timeoutMs: null,
          deadlineMs: null,
          caller: null,
          cause: null,
        },
      ],
      nowMs,
    );
  }
}
