import type { Logger } from "../base/log.ts";
import type { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";

export interface DeadLetterSenderOptions {
  readonly outbox: DeadLetterOutbox;
  readonly log: Logger;
  /** `null` while there is no connection. */
  readonly send: () => ((text: string) => void) | null;
}

/** Sends dead letters to the edge, one frame at a time: they are few and not urgent. */
export class DeadLetterSender {
  readonly #options: DeadLetterSenderOptions;
  #batch = 0;
  /** The frame that the edge has not confirmed. */
  #sent: { readonly batch: number; readonly through: number } | undefined;
  #endOnPut: (() => void) | undefined;

  constructor(options: DeadLetterSenderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#endOnPut = this.#options.outbox.onPut(() => this.#pump());
  }

  stop(): void {
    this.#endOnPut?.();
  }

  /** A connection has opened: a frame that was not confirmed on the last one is sent again. */
  opened(): void {
    this.#sent = undefined;
    this.#pump();
  }

  /** The edge has stored the dead letters of that frame. */
  stored(batch: number): void {
    const { outbox, log } = this.#options;
    if (this.#sent?.batch !== batch) return;
    outbox.forget(this.#sent.through).then(
      () => {
        this.#sent = undefined;
        this.#pump();
      },
      // They stay, and are sent again over the next connection; the edge recognises them by their ids.
      (error: unknown) => log.error({ err: error }, "dead letters that the edge has stored cannot be deleted here"),
    );
  }

  #pump(): void {
    const send = this.#options.send();
    if (send === null || this.#sent !== undefined) return;
    const next = this.#options.outbox.next();
    if (next === undefined) return;
    this.#sent = { batch: ++this.#batch, through: next.through };
    send(`{"type":"letters","batch":${this.#batch},"letters":[${next.deadLetters.join(",")}]}`);
  }
}
