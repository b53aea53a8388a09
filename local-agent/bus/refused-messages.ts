import { createHash } from "node:crypto";
import type { Logger } from "../base/log.ts";
import type { InboxDeadLetters } from "../store/inbox-reader.ts";

export interface RefusedMessagesOptions {
  readonly unhandled: InboxDeadLetters;
  readonly log: Logger;
  /** Default: ten minutes. */
  readonly windowMs?: number;
}

/** Dead letters in one window. A program that sends nothing but rubbish must not flood the edge: the rest are counted. */
const LETTERS_A_WINDOW = 20;
const WINDOW_MS = 10 * 60_000;
const REASON_CHARS = 2_000;

/**
 * Tells the edge of messages of the bus that are no signals, so that they are among the dead letters of all hosts. The
 * first of each window are sent whole, one letter for equal messages; of the others one letter says how many they were.
 * The file of this host has all of them.
 */
export class RefusedMessages {
  readonly #options: RefusedMessagesOptions;
  readonly #sent = new Set<string>();
  #more = 0;
  #last: { readonly frames: readonly string[]; readonly reason: string } | undefined;
  #window: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: RefusedMessagesOptions) {
    this.#options = options;
  }

  add(frames: readonly string[], reason: string): void {
    this.#window ??= setTimeout(() => this.#end(), this.#options.windowMs ?? WINDOW_MS).unref();
    if (this.#sent.size >= LETTERS_A_WINDOW) {
      this.#more++;
      this.#last = { frames, reason };
      return;
    }
    const id = createHash("sha256")
      .update(JSON.stringify([frames, reason]))
      .digest("hex")
      .slice(0, 24);
    if (this.#sent.has(id)) return;
    this.#sent.add(id);
    this.#put(id, frames, reason);
  }

  /** Ends the window. Resolves when its letters are on the disk. */
  async flush(): Promise<void> {
    this.#end();
    await this.#writing;
  }

  #end(): void {
    clearTimeout(this.#window);
    this.#window = undefined;
    this.#sent.clear();
    const { frames, reason } = this.#last ?? {};
    if (frames !== undefined) {
      const first = this.#more === 1 ? "1 more message" : `${this.#more} more messages`;
      const words = `${first} of the bus of this host are no signals; dead-letter/bus.jsonl has them. The last one: ${reason}`;
      this.#put(`more.${Date.now()}`, frames, words);
    }
    this.#more = 0;
    this.#last = undefined;
  }

  #put(name: string, frames: readonly string[], reason: string): void {
    const { unhandled, log } = this.#options;
    const { outbox, hostId } = unhandled;
    const written = outbox
      .put({
        id: `${hostId}.bus.${name}`,
        kind: "signal",
        signal: frames.length === 1 ? frames[0] : { frames },
        error: reason.slice(0, REASON_CHARS),
        daemon: `agent/bus/${hostId}`,
      })
      // The message is in the file of this host all the same.
      .catch((error: unknown) => log.error({ err: error }, "bus: a dead letter for the edge cannot be stored"));
    this.#writing = Promise.all([this.#writing, written]).then(() => undefined);
  }
}
