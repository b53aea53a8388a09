import { isLasting } from "../base/files/lasting-error.ts";
import type { Logger } from "../base/log.ts";
import type { DeadLetterOutbox } from "./dead-letter-outbox.ts";
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
  /** Receives each signal that cannot be handled. */
  readonly deadLetters: InboxDeadLetters;
}

/** Where a reader reports signals that cannot be handled. */
export interface InboxDeadLetters {
  readonly outbox: Pick<DeadLetterOutbox, "put">;
  readonly hostId: string;
}

/** Signals between two moves of the cursor: a crash repeats so many at most. */
const BATCH = 200;

/**
 * Reads the inbox for one sink, one batch at a time. A batch that failed is read again with the next signal; a signal that
 * can never be handled becomes a dead letter, and those behind it go on.
 */
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
    const { inbox, sink, ready } = this.#options;
    while (this.#running && ready?.() !== false) {
      const batch = inbox.next(sink, BATCH);
      if (batch.length === 0) return;
      await this.#handle(batch);
    }
  }

  async #handle(batch: readonly Received[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    try {
      await this.#options.handle(batch, batch.at(-1)?.seq ?? first.seq);
    } catch (error) {
      if (!isDataError(error)) throw error;
      // One of them cannot be read: each is handled by itself, and only that one is left out.
      if (batch.length > 1) for (const one of batch) await this.#handle([one]);
      else await this.#setAside(first, error);
    }
  }

  async #setAside(received: Received, error: Error): Promise<void> {
    const { inbox, sink, log, failure, deadLetters } = this.#options;
    const { seq, id, signal, text } = received;
    log.error({ err: error, signal, id }, `${failure}: the signal becomes a dead letter`);
    await deadLetters.outbox.put({
      id: `${deadLetters.hostId}.inbox.${sink}.${seq}`,
      kind: "signal",
      signal: { seq, id, signal, text },
      error: `the signal could not be handled: ${error.message}`,
      daemon: `inbox/${sink}/${deadLetters.hostId}`,
    });
    await inbox.advance(sink, seq);
  }
}

/** What is thrown because of the signal, and not because of the disk or the bus, where a later try may succeed. */
function isDataError(error: unknown): error is Error {
  return error instanceof Error && (error instanceof TypeError || isLasting(error));
}
