import { RpcTarget } from "cloudflare:workers";
import type { AcquireAnswer } from "./calls.ts";

/**
 * A request that waits for a lock. The Worker holds it as long as its caller waits: where the Worker ends, or the runtime learns
 * that the caller has gone, it disposes of it, and the request leaves the order of those who wait.
 */
export class WaitingTurn extends RpcTarget {
  readonly #answer: Promise<AcquireAnswer>;
  readonly #leave: () => void;

  constructor(answer: Promise<AcquireAnswer>, leave: () => void) {
    super();
    this.#answer = answer;
    this.#leave = leave;
  }

  /** Resolves when the lock is held, or the time to wait for it is over. */
  ended(): Promise<AcquireAnswer> {
    return this.#answer;
  }

  [Symbol.dispose](): void {
    this.#leave();
  }
}
