/**
 * How many calls are being handed over, so that they stay few where their receiver is slow. One that never ends, since its
 * request was cut off, is forgotten after a while.
 */
export class CallsUnderWay {
  readonly #most: number;
  readonly #forgottenMs: number;
  readonly #begun = new Map<number, number>();
  #last = 0;

  constructor(most: number, forgottenMs: number) {
    this.#most = most;
    this.#forgottenMs = forgottenMs;
  }

  /** @returns ends the call; `undefined`: too many are under way */
  begin(nowMs: number): (() => void) | undefined {
    // In the order in which they began. A clock that was set back keeps nothing for longer than it was set back.
    for (const [number, sinceMs] of this.#begun) {
      if (nowMs - sinceMs < this.#forgottenMs) break;
      this.#begun.delete(number);
    }
    if (this.#begun.size >= this.#most) return undefined;
    const number = ++this.#last;
    this.#begun.set(number, nowMs);
    return () => void this.#begun.delete(number);
  }
}
