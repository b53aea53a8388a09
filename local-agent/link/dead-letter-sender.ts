import type { Logger } from "../base/log.ts";
import type { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";
import { underHost } from "./under-host.ts";

export interface DeadLetterSenderOptions {
  readonly outbox: DeadLetterOutbox;
  readonly log: Logger;
  /** `null` while there is no connection. */
  readonly send: () => ((text: string) => void) | null;
  /** Name under which the connection is open; default: whatever the dead letters say. */
  readonly host?: string;
}

const MOST = 50;
/** When dead letters are sent again, in milliseconds, if the edge names no time. */
const AGAIN_MS = 5_000;

/** Sends dead letters to the edge, one frame at a time: they are few and not urgent. */
export class DeadLetterSender {
  readonly #options: DeadLetterSenderOptions;
  #batch = 0;
  /** The frame that the edge has not confirmed. */
  #sent: { readonly batch: number; readonly through: number; readonly count: number } | undefined;
  /** Dead letters in the next frame: after a refusal one at a time, to find the one that the edge does not take. */
  #most = MOST;
  #again: NodeJS.Timeout | undefined;
  #endOnPut: (() => void) | undefined;

  constructor(options: DeadLetterSenderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#endOnPut = this.#options.outbox.onPut(() => this.#pump());
  }

  stop(): void {
    this.#endOnPut?.();
    clearTimeout(this.#again);
  }

  /** A connection has opened: a frame that was not confirmed on the last one is sent again. */
  opened(): void {
    this.#sent = undefined;
    this.#pump();
  }

  /** The edge has stored the dead letters of that frame. */
  stored(batch: number): void {
    if (this.#sent?.batch !== batch) return;
    this.#most = Math.min(MOST, this.#most * 2);
    this.#forgetSent(this.#sent.through);
  }

  /**
   * The edge refused a frame of dead letters. One that it will never take is dropped here: it stays in a file of this host,
   * and those behind it must not wait for it.
   *
   * @param batch - `undefined`: the edge could not read which
   * @param status - HTTP status of the refusal
   */
  refused(batch: number | undefined, status: number, retryAfterMs: number | undefined): void {
    const sent = this.#sent;
    if (sent === undefined || (batch !== undefined && sent.batch !== batch)) return;
    if (status === 429 || status >= 500) {
      clearTimeout(this.#again);
      this.#again = setTimeout(() => this.#sendAgain(), retryAfterMs ?? AGAIN_MS);
    } else if (sent.count > 1) {
      this.#most = 1;
      this.#sendAgain();
    } else {
      this.#options.log.error(
        "the edge will never take a dead letter of this host: it stays in a file of this host only",
      );
      this.#forgetSent(sent.through);
    }
  }

  #forgetSent(through: number): void {
    const { outbox, log } = this.#options;
    outbox.forget(through).then(
      () => this.#sendAgain(),
      // They stay, and are sent again over the next connection; the edge recognises them by their ids.
      (error: unknown) => log.error({ err: error }, "dead letters that the edge has stored cannot be deleted here"),
    );
  }

  #sendAgain(): void {
    this.#sent = undefined;
    this.#pump();
  }

  #pump(): void {
    const { host, outbox } = this.#options;
    const send = this.#options.send();
    if (send === null || this.#sent !== undefined) return;
    const next = outbox.next(this.#most);
    if (next === undefined) return;
    this.#sent = { batch: ++this.#batch, through: next.through, count: next.deadLetters.length };
    const letters = host === undefined ? next.deadLetters : next.deadLetters.map((body) => underHost(body, host));
    send(`{"type":"letters","batch":${this.#batch},"letters":[${letters.join(",")}]}`);
  }
}
