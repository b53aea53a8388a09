import type { Signal } from "../../src/core/signals/signal.ts";

/** Signals that are kept for the eye. The log has the others. */
const MAX_KEPT = 5_000;

/**
 * The newest signals of a stream, oldest first. What arrives between two frames of the screen is taken in together, and
 * memory is bounded. A pause needs no memory at all: the log has what comes meanwhile, and the stream resumes behind the
 * last signal that was taken.
 */
export class LiveBuffer {
  #signals: readonly Signal[] = [];
  #pending: Signal[] = [];
  #dropped = 0;
  #last = 0;

  get signals(): readonly Signal[] {
    return this.#signals;
  }

  /** Signals that came and are out of sight; they are in the log. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Sequence number behind which the stream resumes. */
  get last(): number {
    return this.#last;
  }

  /** @returns whether this is the first that waits for a frame */
  push(signal: Signal): boolean {
    this.#last = signal.seq;
    this.#pending.push(signal);
    // Of a burst that is longer than what is kept, the beginning would not be seen.
    if (this.#pending.length >= 2 * MAX_KEPT) {
      this.#dropped += this.#pending.length - MAX_KEPT;
      this.#pending = this.#pending.slice(-MAX_KEPT);
    }
    return this.#pending.length === 1;
  }

  /** Takes in what came since the last frame. */
  flush(): void {
    const all = [...this.#signals, ...this.#pending];
    this.#dropped += Math.max(0, all.length - MAX_KEPT);
    this.#signals = all.slice(-MAX_KEPT);
    this.#pending = [];
  }
}
