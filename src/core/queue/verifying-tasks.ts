import type { Accept } from "./accept.ts";
import type { Entry } from "./entry.ts";

export interface VerifyingTask {
  readonly taskId: string;
  readonly recipient: string;
  readonly accept: Accept;
  readonly sinceMs: number;
}

/** The tasks that wait to be judged, also those that are only in storage. In the order of their reports. */
export class VerifyingTasks {
  readonly #bySeq = new Map<number, VerifyingTask>();

  get size(): number {
    return this.#bySeq.size;
  }

  /** A task without a proof is left out. */
  add({ seq, taskId, recipient, accept, proof }: Entry): void {
    if (proof !== undefined && accept !== undefined)
      this.#bySeq.set(seq, { taskId, recipient, accept, sinceMs: proof.sinceMs });
  }

  delete({ seq }: Pick<Entry, "seq">): void {
    this.#bySeq.delete(seq);
  }

  [Symbol.iterator](): Iterator<VerifyingTask> {
    return this.#bySeq.values();
  }
}
