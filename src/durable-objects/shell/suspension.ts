/**
 * Keeps an object still while all objects of its ecosystem are copied: calls are refused, the alarm waits, sockets that
 * send something are closed. In memory, and only for a time: neither a crash of the object nor of who copies leaves it so.
 */
export class Suspension {
  #id: string | undefined;
  #untilMs = 0;
  #writes = 0;

  /** When the object goes on; `undefined`: the object is not suspended. Every event asks; hardly any object ever was. */
  untilMs(clock: () => number): number | undefined {
    return this.#untilMs > 0 && this.#untilMs > clock() ? this.#untilMs : undefined;
  }

  /** @param writes - of the object so far @returns whether nothing was written since the last call for the same copy */
  hold(id: string, untilMs: number, writes: number): boolean {
    const still = this.#id === id && this.#writes === writes;
    this.#id = id;
    this.#untilMs = untilMs;
    this.#writes = writes;
    return still;
  }

  /** Holds the object for longer, where it is held for this copy. */
  extend(id: string, untilMs: number): void {
    if (this.#id === id) this.#untilMs = untilMs;
  }

  /** Whether the object has been still since this copy began. */
  holds(id: string, writes: number, nowMs: number): boolean {
    return this.#id === id && this.#writes === writes && this.#untilMs > nowMs;
  }

  end(): void {
    this.#id = undefined;
    this.#untilMs = 0;
  }
}
