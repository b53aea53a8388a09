/** A binary heap: the smallest key comes out first. Adding keys that grow costs one comparison each. */
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

  push(key: number, item: Item): void {
    let place = this.#keys.length;
    this.#keys.push(key);
    this.#items.push(item);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if ((this.#keys[parent] as number) <= key) break;
      this.#move(parent, place);
      place = parent;
    }
    this.#put(place, key, item);
  }

  pop(): Item | undefined {
    const [top] = this.#items;
    const key = this.#keys.pop();
    const item = this.#items.pop();
    const { length } = this.#keys;
    if (length === 0 || key === undefined) return top;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= length) break;
      if (child + 1 < length && (this.#keys[child + 1] as number) < (this.#keys[child] as number)) child++;
      if ((this.#keys[child] as number) >= key) break;
      this.#move(child, place);
      place = child;
    }
    this.#put(place, key, item as Item);
    return top;
  }

  /** Takes out what is not to be kept. Costs as much as there is: for a clearing now and then. */
  retain(keep: (item: Item, key: number) => boolean): void {
    const keys = this.#keys.splice(0);
    const items = this.#items.splice(0);
    keys.forEach((key, place) => {
      const item = items[place] as Item;
      if (keep(item, key)) this.push(key, item);
    });
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#keys[from] as number, this.#items[from] as Item);
  }

  #put(place: number, key: number, item: Item): void {
    this.#keys[place] = key;
    this.#items[place] = item;
  }
}
