import type { Logger } from "../base/log.ts";
import type { Inbox, Received } from "./inbox.ts";

export interface InboxReaderOptions {
  readonly inbox: Inbox;
  readonly sink: string;
  readonly log: Logger;
  /** For the log, when reading or handling fails. */
  readonly failure: string;
  /** Whether a batch could be handled now; default: always. Who says no calls `wake` when that changes. */
  readonly ready?: () => boolean;
  /** Handles a batch, oldest first, and then moves the sink's cursor to `last`. */
  readonly handle: (batch: readonly Received[], last: number) => Promise<void>;
}

/** Signals between two moves of the cursor: what a crash repeats at most. */
const BATCH = 200;

/** Reads the inbox for one sink, as signals come, one batch at a time. What fails is read again with the next signal. */
export class InboxReader {
  readonly #options: InboxReaderOptions;
  #running = false;
  #work: Promise<void> | undefined;
  #endOnReceive: (() => void) | undefined;

  constructor(options: InboxReaderOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#endOnReceive = this.#options.inbox.onReceive(() => this.wake());
    this.wake();
  }

  /** Resolves when the batch that is being handled is done. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#endOnReceive?.();
    await this.#work;
  }

  wake(): void {
    // One at a time; it looks again before it ends, so that no wake-up is missed.
    this.#work ??= this.#readAll()
      .catch((error: unknown) => this.#options.log.error({ err: error }, this.#options.failure))
      .finally(() => {
        this.#work = undefined;
      });
  }

  async #readAll(): Promise<void> {
    const { inbox, sink, ready, handle } = this.#options;
    while (this.#running && ready?.() !== false) {
      const batch = inbox.next(sink, BATCH);
      const last = batch.at(-1);
      if (last === undefined) return;
      await handle(batch, last.seq);
    }
  }
}
