import type { Claim } from "../../src/core/file-tasks/claim.ts";

/** How often the edge is asked about submitted tasks, in case the signal of a task's end was lost. */
const ASK_MS = 300_000;

/** Claims whose tasks are in the edge's queue, by the task's id there. */
export class SubmittedTasks {
  readonly #claims = new Map<string, Claim>();
  #askedMs = 0;

  get size(): number {
    return this.#claims.size;
  }

  start(nowMs: number): void {
    this.#askedMs = nowMs;
  }

  add(id: string, claim: Claim): void {
    this.#claims.set(id, claim);
  }

  get(id: string): Claim | undefined {
    return this.#claims.get(id);
  }

  delete(id: string): void {
    this.#claims.delete(id);
  }

  clear(): void {
    this.#claims.clear();
  }

  /** @returns all ids when it is time to ask the edge about them, else none */
  dueIds(nowMs: number): readonly string[] {
    if (nowMs - this.#askedMs < ASK_MS) return [];
    this.#askedMs = nowMs;
    return [...this.#claims.keys()];
  }
}
