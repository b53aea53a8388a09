import type { Claim } from "../../src/core/file-tasks/claim.ts";

/** Claims that this host holds and does not run: those that may run now, and those that pause before their next attempt. */
export class ReadyClaims {
  readonly #onReady: () => void;
  readonly #ready: Claim[] = [];
  readonly #pauses = new Map<string, NodeJS.Timeout>();

  /** @param onReady - called when the pause of a claim is over */
  constructor(onReady: () => void) {
    this.#onReady = onReady;
  }

  get size(): number {
    return this.#pauses.size + this.#ready.length;
  }

  add(claim: Claim): void {
    this.#ready.push(claim);
  }

  addAfter(claim: Claim, ms: number): void {
    const timer = setTimeout(() => {
      this.#pauses.delete(claim.nonce);
      this.#ready.push(claim);
      this.#onReady();
    }, ms);
    this.#pauses.set(claim.nonce, timer);
  }

  /** @returns the claim that has been ready for longest */
  take(): Claim | undefined {
    return this.#ready.shift();
  }

  clear(): void {
    for (const timer of this.#pauses.values()) clearTimeout(timer);
    this.#pauses.clear();
    this.#ready.length = 0;
  }
}
