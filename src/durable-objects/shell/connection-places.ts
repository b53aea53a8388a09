/**
 * Places for connections to other services. The runtime opens six for an object and lets a seventh wait, whose time would
 * run while nobody is asked: so the waiting is done here, where it costs nothing and is charged to nobody.
 *
 * @see https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections
 */
export class ConnectionPlaces {
  readonly #maxWaiting: number;
  #free: number;
  /** Those who wait, longest first. */
  readonly #waiting = new Set<() => void>();

  constructor(places: number, maxWaiting: number) {
    this.#free = places;
    this.#maxWaiting = maxWaiting;
  }

  /** @returns whether a place was free, or became free within `waitMs`: then {@link release} must follow */
  take(waitMs: number): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(true);
    }
    if (this.#waiting.size >= this.#maxWaiting) return Promise.resolve(false);
    return new Promise((resolve) => {
      const given = () => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(given);
        resolve(false);
      }, waitMs);
      this.#waiting.add(given);
    });
  }

  /** Gives the place to the one who has waited longest. */
  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free++;
    else {
      this.#waiting.delete(next);
      next();
    }
  }
}
