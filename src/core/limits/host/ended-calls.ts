import type { Use } from "../amounts.ts";

/** Calls that are remembered after their end, at most: the oldest are forgotten. */
const MAX_KEPT = 20_000;

/**
 * Which calls have ended, so that what is told twice counts once; and which were counted as they were reserved, because their
 * block was settled before they ended.
 */
export class EndedCalls {
  readonly #ended = new Set<string>();
  readonly #counted = new Map<string, Use>();

  has(id: string): boolean {
    return this.#ended.has(id);
  }

  add(id: string): void {
    this.#counted.delete(id);
    this.#ended.add(id);
    if (this.#ended.size > MAX_KEPT) forgetFirst(this.#ended);
  }

  counted(id: string): { readonly took: Use } | undefined {
    const took = this.#counted.get(id);
    return took === undefined ? undefined : { took };
  }

  count(id: string, took: Use): void {
    this.#counted.set(id, took);
    if (this.#counted.size > MAX_KEPT) forgetFirst(this.#counted);
  }
}

function forgetFirst(kept: Set<string> | Map<string, Use>): void {
  const [first] = kept.keys();
  if (first !== undefined) kept.delete(first);
}
