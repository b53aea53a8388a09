import type { Usage } from "./usage.ts";

/**
 * Cloudflare's list prices of the paid plan, in US dollars per million. The amounts that the plan includes are not deducted.
 * @see https://developers.cloudflare.com/durable-objects/platform/pricing/
 * @see https://developers.cloudflare.com/queues/platform/pricing/
 * @see https://developers.cloudflare.com/workers/platform/pricing/
 */
export const PRICES = {
  workerRequests: 0.3,
  objectRequests: 0.15,
  rowsWritten: 1,
  rowsRead: 0.001,
  queueOperations: 0.4,
  /** Incoming WebSocket messages that are billed as one object request. */
  socketMessagesPerRequest: 20,
} as const;

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
