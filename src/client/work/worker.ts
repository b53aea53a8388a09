import { type ConnectedLocks, openLocks } from "../locks/open-locks.ts";
import { RunningTasks } from "./running-tasks.ts";
import type { TaskHandler } from "./task-handler.ts";
import { WorkerConnection } from "./worker-connection.ts";

export { type TaskHandler, TaskRefused, TaskReleased } from "./task-handler.ts";

export interface WorkOptions {
  readonly url: string;
  /** A function is called for each connection, so that a token that was replaced takes effect. */
  readonly token: string | (() => string);
  /** Default `default`. */
  readonly ecosystem?: string;
  /** Most tasks at a time; default 1. */
  readonly concurrency?: number;
  /** Length of a lease, which is renewed after each third of this time; default 30,000. */
  readonly leaseMs?: number;
  /** What this worker can do: it gets tasks that need these skills, too. */
  readonly skills?: readonly string[];
  /** The host that it runs on: it gets tasks that need what this host has now. Its token must be good for the host. */
  readonly host?: string;
  /** Labels of the host, such as `{ zone: "a" }`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Name of the worker, for people; default: the recipient. */
  readonly worker?: string;
  /** While tasks come over plain HTTP: time between two attempts to open the channel; default 30,000. */
  readonly channelRetryMs?: number;
  /** Receives messages about the connection, for a log. */
  readonly onRemark?: (text: string) => void;
  /** Called with `null` when the connection is open, and with the error when it is lost or cannot be opened. */
  readonly onConnection?: (error: unknown) => void;
}

/** `stop` may be called twice; it resolves when no handler runs and the queue has confirmed their results. */
export interface Worker {
  stop(): Promise<void>;
  /** Number of running handlers. */
  readonly running: number;
}

/** After `stop`, longest wait for the queue to confirm the last results. */
const CONFIRM_MS = 10_000;

/**
 * Works on the tasks of a queue for `recipient`, and on those for anyone. Tasks come by push while the worker has room;
 * where no WebSocket can be opened, by requests that wait for tasks, until the WebSocket can be opened. Handlers go on
 * across lost connections: on the next connection leases are renewed, and unconfirmed results are sent again.
 *
 * A graceful stop takes no more tasks, lets the running handlers finish, and closes the connection last.
 */
export function work(queue: string, recipient: string, handler: TaskHandler, options: WorkOptions): Worker {
  return new QueueWorker(queue, recipient, handler, options);
}

/** working → stopping (no more tasks) → drained (no task can arrive any more) → stopped. */
class QueueWorker implements Worker {
  readonly #recipient: string;
  readonly #concurrency: number;
  readonly #leaseMs: number;
  readonly #claims: Pick<WorkOptions, "skills" | "host" | "labels">;
  readonly #connection: WorkerConnection;
  readonly #locks: ConnectedLocks;
  readonly #tasks: RunningTasks;
  readonly #renewal: ReturnType<typeof setInterval>;
  readonly #stopped: Promise<void>;
  #resolveStopped = (): void => {};
  #state: "working" | "stopping" | "drained" | "stopped" = "working";
  #confirmTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(queue: string, recipient: string, handler: TaskHandler, options: WorkOptions) {
    const { leaseMs = 30_000, onRemark = () => {}, onConnection = () => {} } = options;
    this.#recipient = recipient;
    this.#concurrency = options.concurrency ?? 1;
    this.#leaseMs = leaseMs;
    const { skills, host, labels } = options;
    this.#claims = { ...(skills && { skills }), ...(host !== undefined && { host }), ...(labels && { labels }) };
    this.#stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    const { url, token, ecosystem } = options;
    this.#locks = openLocks({ url, token, ecosystem, onRemark });
    this.#tasks = new RunningTasks({
      withLock: this.#locks.withLock,
      owner: recipient === "*" ? (options.worker ?? "worker") : recipient,
      handler,
      leaseMs,
      send: (frame) => this.#connection.send(frame),
      onProgress: () => this.#stopIfDone(),
      onRemark,
    });
    this.#connection = new WorkerConnection({
      url: options.url,
      token: options.token,
      ecosystem: options.ecosystem ?? "default",
      queue,
      worker: options.worker ?? (recipient === "*" ? undefined : recipient),
      channelRetryMs: options.channelRetryMs,
      onFrame: (frame) => this.#tasks.handle(frame),
      onOpen: () => {
        onConnection(null);
        this.#resume();
      },
      onLost: (error) => {
        if (this.#state !== "working") this.#drain();
        onConnection(error);
      },
      onRemark,
    });
    this.#renewal = setInterval(() => this.#tasks.renewLeases(), leaseMs / 3);
    this.#connection.open();
  }

  get running(): number {
    return this.#tasks.running;
  }

  stop(): Promise<void> {
    if (this.#state === "working") {
      this.#state = "stopping";
      this.#tasks.stopAccepting();
      this.#sendReady();
      this.#drain();
    }
    return this.#stopped;
  }

  /** Sends the state of this worker over a new connection. */
  #resume(): void {
    this.#sendReady();
    this.#tasks.renewLeases();
    this.#tasks.resendReports();
    if (this.#state !== "working") this.#drain();
  }

  #sendReady(): void {
    const credit = this.#state === "working" ? this.#concurrency : 0;
    const { skills, ...where } = this.#claims;
    const claims = { ...where, ...(skills === undefined ? {} : { skills: [...skills] }) };
    this.#connection.send({ type: "ready", recipient: this.#recipient, credit, lease_ms: this.#leaseMs, ...claims });
  }

  #drain(): void {
    void this.#connection.drain().then(() => {
      if (this.#state === "stopping") this.#state = "drained";
      this.#stopIfDone();
    });
  }

  #stopIfDone(): void {
    if (this.#state !== "drained" || this.#tasks.running > 0) return;
    if (this.#tasks.unconfirmed === 0) this.#finish();
    // If the queue does not confirm in time, the leases expire and other workers repeat the tasks: waiting on would not help.
    else this.#confirmTimer ??= setTimeout(() => this.#finish(), CONFIRM_MS);
  }

  #finish(): void {
    this.#state = "stopped";
    clearInterval(this.#renewal);
    clearTimeout(this.#confirmTimer);
    this.#connection.close();
    this.#locks.close();
    this.#resolveStopped();
  }
}
