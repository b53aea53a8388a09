import { LIMITS } from "../../src/core/signals/limits.ts";
import type { Batch, Lane } from "../store/spool.ts";

/** Unconfirmed batches of one lane: enough to hide the round trip, few enough to send again. */
export const WINDOW = 8;

/** Bytes of a frame for everything but the signals. */
const ENVELOPE_BYTES = 1024;

/** The part of the spool that the sender reads. */
export interface SpoolReader {
  producer(lane: Lane): string;
  read(lane: Lane, from: number, maxSignals: number, maxBytes: number): Batch | null;
}

export type AfterRefusal =
  | { readonly kind: "retry"; readonly notBeforeMs: number }
  /** The edge will never take this signal. The lane stops until {@link LaneSender.resume}. */
  | { readonly kind: "unsendable"; readonly number: number; readonly text: string };

interface InFlight {
  readonly first: number;
  readonly last: number;
  readonly texts: readonly string[];
  readonly sentMs: number;
}

/**
 * Sends one lane as an idempotent producer: a window of batches, and go-back-N when one is refused. Uses no socket and
 * no clock. After a lost connection it starts at the oldest unconfirmed number; the log drops the numbers that it has.
 */
export class LaneSender {
  readonly #spool: SpoolReader;
  readonly lane: Lane;
  readonly #inFlight = new Map<number, InFlight>();
  #next = 1;
  /** All numbers up to here are durable at the edge, even if the spool has not deleted them yet. */
  #confirmed = 0;
  #notBeforeMs = 0;
  #refusals = 0;
  #stopped = false;
  /** First number of a refused batch that was not sent again: until then, the edge refuses all later batches. */
  #refusedFrom: number | undefined;
  #maxSignals: number = LIMITS.batchSignals;

  constructor(spool: SpoolReader, lane: Lane) {
    this.#spool = spool;
    this.lane = lane;
  }

  /** A new connection has opened: no batch is in flight. A wait that the edge asked for still applies. */
  restart(): void {
    this.#inFlight.clear();
    this.#refusedFrom = undefined;
    this.#next = this.#confirmed + 1;
  }

  /** The unsendable signal was removed from the spool, or is tried again. */
  resume(notBeforeMs: number): void {
    this.#stopped = false;
    this.#notBeforeMs = Math.max(this.#notBeforeMs, notBeforeMs);
  }

  /** The producer has a new name: the log knows none of its numbers. */
  rename(): void {
    this.#confirmed = 0;
    this.restart();
  }

  /** When {@link frame} may be called again; `undefined` when the lane does not wait for a time. */
  waitingUntil(nowMs: number): number | undefined {
    return this.#notBeforeMs > nowMs ? this.#notBeforeMs : undefined;
  }

  /** Number of the signal that is sent next. */
  get next(): number {
    return this.#next;
  }

  /** When the oldest batch in flight was sent. */
  get oldestSentMs(): number | undefined {
    return this.#inFlight.values().next().value?.sentMs;
  }

  /**
   * The next `append` frame as text, or `null` when the window is full or there is nothing to send. `stuck`: a refused
   * batch has left the spool, and the edge waits for it; only a new connection helps.
   */
  frame(batch: number, nowMs: number): string | "stuck" | null {
    if (this.#inFlight.size >= WINDOW || this.#notBeforeMs > nowMs || this.#stopped) return null;
    const read = this.#spool.read(this.lane, this.#next, this.#maxSignals, LIMITS.batchBytes - ENVELOPE_BYTES);
    if (read === null) return null;
    if (this.#refusedFrom !== undefined && read.first > this.#refusedFrom) return "stuck";
    this.#refusedFrom = undefined;
    this.#inFlight.set(batch, { ...read, sentMs: nowMs });
    this.#next = read.last + 1;
    const producer = this.#spool.producer(this.lane);
    return `{"type":"append","batch":${batch},"producer":"${producer}","first":${read.first},"signals":[${read.texts.join(",")}]}`;
  }

  /** @returns the number up to which the spool can delete */
  appended(batch: number, last: number): number {
    this.#inFlight.delete(batch);
    for (const [other, { last: end }] of this.#inFlight) if (end <= last) this.#inFlight.delete(other);
    this.#confirmed = Math.max(this.#confirmed, last);
    // The edge may have appended a batch that was cancelled here after a refusal.
    this.#next = Math.max(this.#next, this.#confirmed + 1);
    if (this.#refusedFrom !== undefined && this.#refusedFrom <= this.#confirmed) this.#refusedFrom = undefined;
    this.#refusals = 0;
    this.#maxSignals = Math.min(LIMITS.batchSignals, this.#maxSignals * 2);
    return this.#confirmed;
  }

  /**
   * @param status - HTTP status of the problem: 400, 413 and 422 mean that the frame is wrong, any other that the edge
   * cannot take it now
   * @param delayMs - the wait in milliseconds after so many refusals in a row, when the edge gives no time
   * @returns `null` for a batch that is no longer in flight: it was cancelled by an earlier refusal
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
    // The edge refuses all later batches too, to keep the order.
    for (const [other, { first }] of this.#inFlight) if (first >= cut.first) this.#inFlight.delete(other);
    this.#next = Math.min(this.#next, cut.first);
    this.#refusedFrom = Math.min(this.#refusedFrom ?? cut.first, cut.first);
    const wrongFrame = status === 400 || status === 413 || status === 422;
    if (wrongFrame && cut.texts.length === 1) {
      this.#stopped = true;
      return { kind: "unsendable", number: cut.first, text: cut.texts[0] ?? "" };
    }
    if (wrongFrame) this.#maxSignals = Math.max(1, Math.floor(cut.texts.length / 2));
    this.#refusals++;
    this.#notBeforeMs = nowMs + (retryAfterMs ?? (wrongFrame ? 0 : delayMs(this.#refusals)));
    return { kind: "retry", notBeforeMs: this.#notBeforeMs };
  }
}
