/**
 * After an event an object still gathers for the queue, sends what is in its outbox, and waits for company of a group: its
 * timers keep it from hibernating for about this long, in milliseconds.
 */
const LINGER_MS = 100;

/**
 * Estimates how long an object could not hibernate, which is the time that is billed: from the beginning of each event
 * (call, alarm, message) to a tenth of a second after its end. Events that overlap count once. Sockets that hibernate cost
 * no time; the runtime's clock stands still while code computes, so pure computing is left out.
 */
export class OpenTime {
  #running = 0;
  /** All before is counted. */
  #countedMs = 0;

  began(nowMs: number): void {
    if (this.#running++ === 0) this.#countedMs = Math.max(this.#countedMs, nowMs);
  }

  /** @returns the time that was not counted yet, in milliseconds */
  ended(nowMs: number): number {
    this.#running--;
    const untilMs = nowMs + LINGER_MS;
    const openMs = Math.max(0, untilMs - this.#countedMs);
    this.#countedMs = Math.max(this.#countedMs, untilMs);
    return openMs;
  }
}
