/** A binary min-heap. Pushing keys in ascending order costs one comparison each. */
export class Heap<Item> {
  readonly #keys: number[] = [];
  readonly #items: Item[] = [];

  get size(): number {
    return this.#keys.length;
  }

  /** Smallest key, or `undefined`. */
  get firstKey(): number | undefined {
    return this.#keys[0];
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  /** The first item and others that come soon after it, in no order; `count` at most. */
  peek(count: number): readonly Item[] {
    return this.#items.slice(0, count);
  }

  push(key: number, item: Item): void {
    let index = this.#keys.length;
    this.#keys.push(key);
    this.#items.push(item);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if ((this.#keys[parent] as number) <= key) break;
      this.#move(parent, index);
      index = parent;
    }
    this.#put(index, key, item);
  }

  /** Removes and returns the item with the smallest key. The order of items with equal keys is not defined. */
  pop(): Item | undefined {
    const [top] = this.#items;
    const key = this.#keys.pop();
    const item = this.#items.pop();
    const { length } = this.#keys;
    if (length === 0 || key === undefined) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && (this.#keys[child + 1] as number) < (this.#keys[child] as number)) child++;
      if ((this.#keys[child] as number) >= key) break;
      this.#move(child, index);
      index = child;
    }
    this.#put(index, key, item as Item);
    return top;
  }

  /** Removes the items for which `keep` returns `false`. Rebuilds the whole heap in O(n log n): to be called rarely. */
  retain(keep: (item: Item, key: number) => boolean): void {
    const keys = this.#keys.splice(0);
    const items = this.#items.splice(0);
    keys.forEach((key, index) => {
      const item = items[index] as Item;
      if (keep(item, key)) this.push(key, item);
    });
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#keys[from] as number, this.#items[from] as Item);
  }

  #put(index: number, key: number, item: Item): void {
    this.#keys[index] = key;
    this.#items[index] = item;
  }
}
