import type { LockNotHeld } from "../../core/locks/api.ts";
import type { Hold, Waiter } from "../../core/locks/hold.ts";

/** How a wait ended; `undefined`: what stood in the way has gone with the object's state, and the request is to be sent again. */
export type WaitEnd = { readonly held: Hold } | { readonly notHeld: LockNotHeld | undefined };

interface Waiting {
  readonly resolve: (end: WaitEnd) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Requests that wait for locks. Each ends once: with the lock, at its time, or when its sender leaves. */
export class WaitingRequests {
  readonly #waiting = new Map<string, Waiting>();

  /** @param over - its time is over */
  wait({ id }: Waiter, waitMs: number, over: () => void): Promise<WaitEnd> {
    return new Promise((resolve) => {
      this.#waiting.set(id, { resolve, timer: setTimeout(over, waitMs) });
    });
  }

  end(id: string, end: WaitEnd): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.resolve(end);
  }

  /** The state was read anew, and has none of them. */
  endAll(): void {
    for (const id of [...this.#waiting.keys()]) this.end(id, { notHeld: undefined });
  }
}
