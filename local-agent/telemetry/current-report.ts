import { Listeners } from "../base/listeners.ts";
import type { Report } from "../base/service.ts";

/** What a service says of itself now, and who wants to hear when it says something else. */
export class CurrentReport {
  readonly #listeners = new Listeners();
  #value: Report;

  constructor(first: Report) {
    this.#value = first;
  }

  get value(): Report {
    return this.#value;
  }

  /** @returns whether it says something else than before */
  set(state: Report["state"], detail: string): boolean {
    if (state === this.#value.state && detail === this.#value.detail) return false;
    this.#value = { ...this.#value, state, detail };
    this.#listeners.tell();
    return true;
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }
}
