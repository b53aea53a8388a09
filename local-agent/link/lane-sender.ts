import { LIMITS } from "../../src/core/signals/limits.ts";
import type { Batch, Lane } from "../store/spool.ts";

/** Batches of one lane that may be on their way unconfirmed: enough to hide the round trip, few enough to repeat. */
export const WINDOW = 8;

/** Room in a frame for everything that is not a signal. */
const ENVELOPE_BYTES = 1024;

/** What the sender reads from. */
export interface Readable {
  producer(lane: Lane): string;
  read(lane: Lane, from: number, maxSignals: number, maxBytes: number): Batch | null;
}

export type AfterRefusal =
  | { readonly kind: "again"; readonly notBeforeMs: number }
  /** The edge will never take this one. The lane stands still until {@link LaneSender.goOn}. */
  | { readonly kind: "hopeless"; readonly number: number; readonly text: string };

interface InFlight {
  readonly first: number;
  readonly last: number;
  readonly texts: readonly string[];
  readonly sentMs: number;
}

/**
 * Sends one lane as an idempotent producer: a window of batches, and go-back-N when one is refused. Knows no socket
 * and no clock. After a lost connection it begins again with the oldest unconfirmed number; the log drops what it has.
 */
export class LaneSender {
  readonly #spool: Readable;
  readonly lane: Lane;
  readonly #inFlight = new Map<number, InFlight>();
  #next = 1;
  /** Everything up to here is durable at the edge, even if the spool has not let go of it yet. */
  #confirmed = 0;
  #notBeforeMs = 0;
  #refusals = 0;
  #standsStill = false;
  /** First number of a batch that was refused and has not been sent again: the edge refuses all later ones till then. */
  #owed: number | undefined;
  #maxSignals: number = LIMITS.batchSignals;

  constructor(spool: Readable, lane: Lane) {
    this.#spool = spool;
    this.lane = lane;
  }

  /** A new connection: nothing is on its way. A time that the edge asked to wait for still counts. */
  restart(): void {
    this.#inFlight.clear();
    this.#owed = undefined;
    this.#next = this.#confirmed + 1;
  }

  /** What was hopeless is out of the way, or is worth another try. */
  goOn(notBeforeMs: number): void {
    this.#standsStill = false;
    this.#notBeforeMs = Math.max(this.#notBeforeMs, notBeforeMs);
  }

  /** A new producer name: the log knows none of its numbers. */
  rename(): void {
    this.#confirmed = 0;
    this.restart();
  }

  /** When {@link frame} may have something again; `undefined`: not because of the time. */
  waitingUntil(nowMs: number): number | undefined {
    return this.#notBeforeMs > nowMs ? this.#notBeforeMs : undefined;
  }

  /** Since when the oldest batch has been on its way. */
  get oldestSentMs(): number | undefined {
    return this.#inFlight.values().next().value?.sentMs;
  }

  /**
   * The next `append` frame as text, or `null` when the window is full or there is nothing to send. `stuck`: what was
   * refused has left the spool since, and the edge waits for it; only a new connection helps.
   */
  frame(batch: number, nowMs: number): string | "stuck" | null {
    if (this.#inFlight.size >= WINDOW || this.#notBeforeMs > nowMs || this.#standsStill) return null;
    const read = this.#spool.read(this.lane, this.#next, this.#maxSignals, LIMITS.batchBytes - ENVELOPE_BYTES);
    if (read === null) return null;
    if (this.#owed !== undefined && read.first > this.#owed) return "stuck";
    this.#owed = undefined;
    this.#inFlight.set(batch, { ...read, sentMs: nowMs });
    this.#next = read.last + 1;
    const producer = this.#spool.producer(this.lane);
    return `{"type":"append","batch":${batch},"producer":"${producer}","first":${read.first},"signals":[${read.texts.join(",")}]}`;
  }

  /** @returns the number up to which the spool can let go */
  appended(batch: number, last: number): number {
    this.#inFlight.delete(batch);
    for (const [other, { last: end }] of this.#inFlight) if (end <= last) this.#inFlight.delete(other);
    this.#confirmed = Math.max(this.#confirmed, last);
    // A batch that was cut off by a refusal may have been taken all the same.
    this.#next = Math.max(this.#next, this.#confirmed + 1);
    if (this.#owed !== undefined && this.#owed <= this.#confirmed) this.#owed = undefined;
    this.#refusals = 0;
    this.#maxSignals = Math.min(LIMITS.batchSignals, this.#maxSignals * 2);
    return this.#confirmed;
  }

  /**
   * @param status - HTTP status of the problem: 400, 413 and 422 speak about the frame, anything else about the moment
   * @param delayMs - what to wait when the edge names no time, for the given number of refusals in a row
   * @returns `null` for a batch that is not on its way any more: an answer to what was cut off before
   */
  refused(
    batch: number,
    status: number,
    retryAfterMs: number | undefined,
    nowMs: number,
    delayMs: (refusals: number) => number,
  ): AfterRefusal | null {
    const cut = this.#inFlight.get(batch);
    if (cut === undefined) return null;
    // The edge refuses the later ones too, so that the order survives.
    for (const [other, { first }] of this.#inFlight) if (first >= cut.first) this.#inFlight.delete(other);
    this.#next = Math.min(this.#next, cut.first);
    this.#owed = Math.min(this.#owed ?? cut.first, cut.first);
    const wrongFrame = status === 400 || status === 413 || status === 422;
    if (wrongFrame && cut.texts.length === 1) {
      this.#standsStill = true;
      return { kind: "hopeless", number: cut.first, text: cut.texts[0] ?? "" };
    }
    if (wrongFrame) this.#maxSignals = Math.max(1, Math.floor(cut.texts.length / 2));
    this.#refusals++;
    this.#notBeforeMs = nowMs + (retryAfterMs ?? (wrongFrame ? 0 : delayMs(this.#refusals)));
    return { kind: "again", notBeforeMs: this.#notBeforeMs };
  }
}
