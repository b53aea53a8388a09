import { RpcTarget } from "cloudflare:workers";
import type { Settled } from "../../core/idempotency/api.ts";

/**
 * A key whose request runs. The Worker holds it for as long as the request takes: where the Worker ends, however it ends, the
 * runtime disposes of it, and the key is free. So nothing of a running request is stored, and none is locked out by one that
 * died.
 */
export class RunningKey extends RpcTarget {
  readonly #settle: (settled: Settled) => void;
  readonly #release: () => void;

  constructor(settle: (settled: Settled) => void, release: () => void) {
    super();
    this.#settle = settle;
    this.#release = release;
  }

  /** The request had its effect. Resolves when its answer is durable. */
  settle(settled: Settled): void {
    this.#settle(settled);
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}
