import * as z from "zod";

const count = z.number().int().nonnegative();

/**
 * How much an object has used of the units that Cloudflare bills. Counted where it happens, with the runtime's own figures
 * for rows, so that the price of a design is measured and not estimated.
 */
export const Usage = z.object({
  /** Rows written, those of indexes and alarms included. */
  rows_written: count,
  rows_read: count,
  /** Calls and HTTP requests to the object, alarms included. */
  requests: count,
  /** Messages that came in over WebSockets; twenty are billed as one request. */
  socket_messages: count,
  /** Operations of the queue: a write, a read and a delete for each 64 KB of a message. */
  queue_operations: count,
  /** Messages put into the queue: each may be an invocation of the consumer. */
  queue_messages: count,
  /** How long the object could not hibernate: an estimate, see open-time.ts. */
  open_ms: count.default(0),
  /** Requests that the Worker answered. */
  worker_requests: count.default(0),
  /** CPU time of those requests: an estimate, see worker-cpu.ts. */
  worker_cpu_ms: count.default(0),
});
export type Usage = Readonly<z.infer<typeof Usage>>;
type Unit = keyof Usage;

export const NO_USAGE: Usage = {
  rows_written: 0,
  rows_read: 0,
  requests: 0,
  socket_messages: 0,
  queue_operations: 0,
  queue_messages: 0,
  open_ms: 0,
  worker_requests: 0,
  worker_cpu_ms: 0,
};

export class UsageMeter {
  // Counted in place: this runs with every statement, and making a new record each time cost as much as the statement.
  readonly #usage: z.infer<typeof Usage> = { ...NO_USAGE };

  add(used: Partial<Usage>): void {
    for (const unit in used) this.#usage[unit as Unit] += used[unit as Unit] ?? 0;
  }

  get usage(): Usage {
    return { ...this.#usage };
  }
}

export function sumUsage(a: Usage, b: Usage): Usage {
  return combine(a, b, (x, y) => x + y);
}

export function usageSince(before: Usage, now: Usage): Usage {
  return combine(now, before, (x, y) => x - y);
}

function combine(a: Usage, b: Usage, how: (x: number, y: number) => number): Usage {
  const result: z.infer<typeof Usage> = { ...NO_USAGE };
  for (const unit in result) result[unit as Unit] = how(a[unit as Unit], b[unit as Unit]);
  return result;
}
