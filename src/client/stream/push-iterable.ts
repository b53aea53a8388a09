/**
 * What comes in by events goes out by `for await`, in order. It does not bound what waits: whoever pushes has a credit
 * window with the sender.
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

  /** What was pushed before still comes out. */
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
