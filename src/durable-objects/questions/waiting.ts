/** Calls that wait for the ends of questions, at most: one more is answered at once. */
const MAX_WAITING = 1_000;

/** Calls that wait for the ends of questions. They are in memory alone: who is cut off by a restart asks again. */
export class Waiting {
  readonly #calls = new Map<string, Set<() => void>>();
  #count = 0;

  /** Resolves when the question ends, or after `waitMs`. */
  until(question: string, waitMs: number): Promise<void> {
    if (this.#count >= MAX_WAITING) return Promise.resolve();
    return new Promise((resolve) => {
      const calls = this.#calls.get(question) ?? new Set();
      this.#calls.set(question, calls);
      const end = () => {
        clearTimeout(timer);
        if (!calls.delete(end)) return;
        this.#count--;
        if (calls.size === 0) this.#calls.delete(question);
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      calls.add(end);
      this.#count++;
    });
  }

  end(question: string): void {
    for (const end of [...(this.#calls.get(question) ?? [])]) end();
  }
}
