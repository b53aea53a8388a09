/** What the API asks a queue's object for; nobody else makes these calls. */

export interface LeaseQuery {
  readonly recipient: string;
  readonly max: number;
  readonly leaseMs: number;
  readonly waitMs: number;
  readonly worker: string;
  readonly skills?: readonly string[] | undefined;
  /** The host that the worker runs on, and its labels. */
  readonly host?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** The token that asks. A token that ends while the request waits gets no task. */
  readonly token?: CallerToken | undefined;
}

/** Recipients whose tasks a caller may see and act on; `undefined`: all. */
export type Recipients = readonly string[] | undefined;

/** A page of unfinished tasks. */
export interface TasksQuery {
  readonly limit: number;
  readonly after: number;
  /** Recipients whose tasks the caller may see. */
  readonly recipients?: Recipients;
  readonly recipient?: string | undefined;
  readonly type?: string | undefined;
  readonly status?: "queued" | "running" | "verifying" | undefined;
  readonly sender?: string | undefined;
  /** Of messages: their thread. */
  readonly thread?: string | undefined;
}

/** The token by which somebody asks for tasks. */
export interface CallerToken {
  readonly id: string;
  /** In milliseconds since the epoch; `null`: never. */
  readonly expiresMs: number | null;
}

/** The token was deleted or has expired while the request waited. */
export interface TokenOver {
  readonly token_over: true;
}
