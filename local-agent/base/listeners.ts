/** The functions to call when something changes. */
export class Listeners {
  readonly #all = new Set<() => void>();

  /** @returns a function that removes the listener */
  add(listener: () => void): () => void {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  notify(): void {
    for (const listener of this.#all) listener();
  }
}
