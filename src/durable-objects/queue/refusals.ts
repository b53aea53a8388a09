import { problem } from "../../core/problem/problem.ts";
import type { QueueOverloaded } from "../../core/queue/api.ts";

/** What is said where the queue could not write, or has too much waiting: nothing of the request was kept. */
export const OVERLOADED: QueueOverloaded = { overloaded: true, retry_after_ms: 500 };

export const queueFull = (capacity: number) =>
  problem("queue-full", 429, "The queue is full", `It holds ${capacity} unfinished tasks, as many as it may.`, {
    capacity,
  });
