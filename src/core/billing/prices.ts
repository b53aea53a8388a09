import type { Usage } from "./usage.ts";

/**
 * Everything about Cloudflare's prices that Ganglion knows, as the pages read in October 2026. A change of a price is a
 * change of this file alone.
 *
 * @see https://developers.cloudflare.com/workers/platform/pricing/
 * @see https://developers.cloudflare.com/durable-objects/platform/pricing/
 * @see https://developers.cloudflare.com/queues/platform/pricing/
 */

/** List prices of the paid plan, in US dollars per million. The amounts that the plan includes are not deducted. */
export const PRICES = {
  workerRequests: 0.3,
  workerCpuMs: 0.02,
  objectRequests: 0.15,
  durationGbS: 12.5,
  rowsWritten: 1,
  rowsRead: 0.001,
  queueOperations: 0.4,
  /** Incoming WebSocket messages that are billed as one object request. */
  socketMessagesPerRequest: 20,
} as const;

/** A gigabyte (10⁹ bytes) of objects' storage for a month, in US dollars. */
export const STORAGE_USD_PER_GB = 0.2;
/** The paid plan itself, in US dollars a month. */
export const PLAN_USD = 5;
/** Memory that an object is billed for while it is in memory and cannot hibernate, however little of it is used. */
export const OBJECT_GB = 0.128;

/** The lines of a bill. */
export const LINES = [
  "worker_requests",
  "worker_cpu",
  "object_requests",
  "duration",
  "rows_written",
  "rows_read",
  "queue_operations",
  "storage",
] as const;
export type Line = (typeof LINES)[number];
export type Amounts = Readonly<Record<Line, number>>;

export const UNITS: Readonly<Record<Line, string>> = {
  worker_requests: "requests",
  worker_cpu: "ms",
  object_requests: "requests",
  duration: "GB-s",
  rows_written: "rows",
  rows_read: "rows",
  queue_operations: "operations",
  storage: "GB",
};

/** US dollars for one of each unit; of storage, for a gigabyte in a month. */
export const UNIT_PRICES: Amounts = {
  worker_requests: PRICES.workerRequests / 1e6,
  worker_cpu: PRICES.workerCpuMs / 1e6,
  object_requests: PRICES.objectRequests / 1e6,
  duration: PRICES.durationGbS / 1e6,
  rows_written: PRICES.rowsWritten / 1e6,
  rows_read: PRICES.rowsRead / 1e6,
  queue_operations: PRICES.queueOperations / 1e6,
  storage: STORAGE_USD_PER_GB,
};

export const PLANS = ["paid", "free"] as const;
export type Plan = (typeof PLANS)[number];

/** What a plan includes: the paid one in a month, the free one in a day (UTC). What exceeds the free plan is refused. */
export const INCLUDED: Readonly<Record<Plan, { readonly per: "month" | "day"; readonly amounts: Amounts }>> = {
  paid: {
    per: "month",
    amounts: {
      worker_requests: 10e6,
      worker_cpu: 30e6,
      object_requests: 1e6,
      duration: 400_000,
      rows_written: 50e6,
      rows_read: 25e9,
      queue_operations: 1e6,
      storage: 5,
    },
  },
  free: {
    per: "day",
    amounts: {
      worker_requests: 100_000,
      // Limited for each request (10 ms), not for the day.
      worker_cpu: Number.POSITIVE_INFINITY,
      object_requests: 100_000,
      duration: 13_000,
      rows_written: 100_000,
      rows_read: 5e6,
      queue_operations: 10_000,
      storage: 5,
    },
  },
};

/** @param workerRequests - requests that the Worker itself answered */
export function priceOf(usage: Usage, workerRequests: number): number {
  const objectRequests = usage.requests + usage.socket_messages / PRICES.socketMessagesPerRequest;
  return (
    (usage.rows_written * PRICES.rowsWritten +
      usage.rows_read * PRICES.rowsRead +
      objectRequests * PRICES.objectRequests +
      (workerRequests + usage.queue_messages) * PRICES.workerRequests +
      usage.queue_operations * PRICES.queueOperations) /
    1_000_000
  );
}
