import { Listeners } from "./listeners.ts";
import type { Report } from "./service.ts";

/** The present report of a service, which notifies its listeners when the report changes. */
export class CurrentReport {
  readonly #listeners = new Listeners();
  #value: Report;

  constructor(first: Report) {
    this.#value = first;
  }

  get value(): Report {
    return this.#value;
  }

  /** @returns whether the report changed */
  set(state: Report["state"], detail: string): boolean {
    if (state === this.#value.state && detail === this.#value.detail) return false;
    this.#value = { ...this.#value, state, detail };
    this.#listeners.notify();
    return true;
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }
}
