const WINDOW_MS = 60_000;

/** Counts what one connection does within a minute. */
export class MinuteMeter {
  readonly #most: number;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** @returns whether `amount` more is within the limit of this minute */
  admit(amount: number, nowMs: number): boolean {
    if (nowMs - this.#sinceMs >= WINDOW_MS) {
      this.#sinceMs = nowMs;
      this.#count = 0;
    }
    this.#count += amount;
    return this.#count <= this.#most;
  }
}

/** Nobody acknowledges refusals, so what a peer that does not read makes the edge send has to end at some time. */
const MAX_REFUSALS = 1_000;
const MAX_REFUSED_BYTES = 4 * 1024 * 1024;

/** Counts the refusals that one connection is sent. */
export class RefusalMeter {
  readonly #refusals = new MinuteMeter(MAX_REFUSALS);
  readonly #bytes = new MinuteMeter(MAX_REFUSED_BYTES);

  /** @returns whether one more refusal of so many bytes may be sent; otherwise the connection is to be closed */
  admit(bytes: number, nowMs: number): boolean {
    return this.#refusals.admit(1, nowMs) && this.#bytes.admit(bytes, nowMs);
  }
}

/** Why a connection is closed whose frames are refused too often; 123 bytes at most, as a closing frame holds. */
export const TOO_MANY_REFUSALS = `more than ${MAX_REFUSALS} frames or 4 MiB of refusals within a minute: correct the frames`;
