import type { Logger } from "../base/log.ts";
import type { Inbox, Received } from "./inbox.ts";

export interface InboxReaderOptions {
  readonly inbox: Inbox;
  readonly sink: string;
  readonly log: Logger;
  /** Message of the log when reading or handling fails. */
  readonly failure: string;
  /** Whether a batch can be handled now; default: always. Call `wake` when a `false` becomes `true`. */
  readonly ready?: () => boolean;
  /** Handles a batch, oldest first, and then moves the sink's cursor to `last`. */
  readonly handle: (batch: readonly Received[], last: number) => Promise<void>;
}

/** Signals between two moves of the cursor: a crash repeats so many at most. */
const BATCH = 200;

/** Reads the inbox for one sink, one batch at a time. A batch that failed is read again with the next signal. */
export class InboxReader {
  readonly #options: InboxReaderOptions;
  #running = false;
  #reading: Promise<void> | undefined;
  #removeListener: (() => void) | undefined;

  constructor(options: InboxReaderOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#removeListener = this.#options.inbox.onReceive(() => this.wake());
    this.wake();
  }

  /** Resolves when the present batch is handled. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#removeListener?.();
    await this.#reading;
  }

  wake(): void {
    // One batch at a time. The loop looks again before it ends, so that no wake-up is missed.
    this.#reading ??= this.#readAll()
      .catch((error: unknown) => this.#options.log.error({ err: error }, this.#options.failure))
      .finally(() => {
        this.#reading = undefined;
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
