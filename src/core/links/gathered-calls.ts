export interface GatheredCallsOptions<Item> {
  /** Sends items in one call. Resolves when all are answered; does not reject. */
  readonly send: (items: readonly Item[]) => Promise<void>;
  /** Waits while company gathers. */
  readonly linger: () => Promise<void>;
  /** Called at once for an item that exceeds the capacity. */
  readonly refuse: (item: Item) => void;
  readonly weigh: (item: Item) => number;
  /** Total weight of a call; an item alone may be heavier. */
  readonly callWeight: number;
  /** Total weight of items that wait, beyond which new ones are refused. */
  readonly capacity: number;
}

/**
 * Items of many senders in few calls, in the order in which they came. The first goes at once; those that come while it is
 * answered, or within the linger after it was sent, go together. One call at a time: two could overtake each other, and the
 * items of a sender have an order.
 */
export class GatheredCalls<Item> {
  readonly #options: GatheredCallsOptions<Item>;
  #waiting: Item[] = [];
  #weight = 0;
  #sending = false;

  constructor(options: GatheredCallsOptions<Item>) {
    this.#options = options;
  }

  add(item: Item): void {
    const { weigh, capacity, refuse } = this.#options;
    const weight = weigh(item);
    if (this.#weight > 0 && this.#weight + weight > capacity) return refuse(item);
    this.#waiting.push(item);
    this.#weight += weight;
    if (!this.#sending) void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    const { send, linger } = this.#options;
    this.#sending = true;
    while (this.#waiting.length > 0) {
      const full = this.#weight > this.#options.callWeight;
      const lingered = full ? Promise.resolve() : linger();
      await send(this.#take());
      await lingered;
    }
    this.#sending = false;
  }

  #take(): Item[] {
    const { weigh, callWeight } = this.#options;
    let weight = 0;
    let count = 0;
    for (const item of this.#waiting) {
      weight += weigh(item);
      if (count > 0 && weight > callWeight) break;
      count++;
    }
    const taken = this.#waiting.splice(0, count);
    for (const item of taken) this.#weight -= weigh(item);
    return taken;
  }
}
