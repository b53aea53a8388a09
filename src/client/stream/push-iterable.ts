/**
 * An async iterable of the items that callbacks push, in order. The number of waiting items is not bounded: the caller of
 * `push` limits the sender by credit.
 */
export class PushIterable<Item> implements AsyncIterable<Item> {
  readonly #waiting: Item[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  push(item: Item): void {
    if (this.#ended) return;
    this.#waiting.push(item);
    this.#wake?.();
  }

  /** Ends the iteration after the items that were pushed before. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    for (;;) {
      const item = this.#waiting.shift();
      if (item !== undefined) yield item;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
