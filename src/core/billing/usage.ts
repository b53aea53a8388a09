/**
 * What an object has used of what Cloudflare bills, since it was last woken. Counted where it happens, with the
 * runtime's own figures for rows, so that the price of a design is measured and not believed.
 */
export interface Usage {
  /** Rows written, those of indexes and alarms included. */
  readonly rows_written: number;
  readonly rows_read: number;
  /** Calls and HTTP requests to the object, alarms included. */
  readonly requests: number;
  /** Messages that came in over WebSockets; twenty are billed as one request. */
  readonly socket_messages: number;
  /** Operations of the queue: a write, a read and a delete for each 64 KB of a message. */
  readonly queue_operations: number;
  /** Messages put into the queue: each may be an invocation of the consumer. */
  readonly queue_messages: number;
}

export const NO_USAGE: Usage = {
  rows_written: 0,
  rows_read: 0,
  requests: 0,
  socket_messages: 0,
  queue_operations: 0,
  queue_messages: 0,
};

export class UsageMeter {
  // Counted up in place: this runs with every statement, and making a new record each time cost as much as the statement.
  readonly #usage: { -readonly [Unit in keyof Usage]: number } = { ...NO_USAGE };

  add(used: Partial<Usage>): void {
    for (const unit in used) this.#usage[unit as keyof Usage] += used[unit as keyof Usage] ?? 0;
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
  const keys = Object.keys(NO_USAGE) as (keyof Usage)[];
  return Object.fromEntries(keys.map((key) => [key, how(a[key], b[key])])) as unknown as Usage;
}
