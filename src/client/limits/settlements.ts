import type * as z from "zod";
import type { SettleAnswer, SettleRequest } from "../../core/limits/api.ts";
import { EdgeUnreachable } from "../http/problem-errors.ts";

type Settle = z.input<typeof SettleRequest>;

/** Settlements that no edge has taken, at most: the oldest are given up. */
const MAX_UNSENT = 1_000;

/**
 * Sends what was used; what no edge takes is sent with the next settlement that one takes. The edge knows a repeated
 * settlement by its reservation, so that one whose answer was lost counts once.
 */
export class Settlements {
  readonly #settle: (name: string, request: Settle) => Promise<SettleAnswer>;
  readonly #unsent: { readonly name: string; readonly request: Settle }[] = [];

  constructor(settle: (name: string, request: Settle) => Promise<SettleAnswer>) {
    this.#settle = settle;
  }

  /** @returns `undefined`: no edge answers @throws what a refusal throws */
  async send(name: string, request: Settle): Promise<SettleAnswer | undefined> {
    let answer: SettleAnswer;
    try {
      answer = await this.#settle(name, request);
    } catch (error) {
      if (!(error instanceof EdgeUnreachable)) throw error;
      this.#keep({ name, request });
      return undefined;
    }
    await this.flush();
    return answer;
  }

  /**
   * Sends what waits. @param through - what takes it; `undefined`: nobody did
   * @throws what a refusal throws; not where no edge answers
   */
  async flush(through: (name: string, request: Settle) => Promise<object | undefined> = this.#settle): Promise<void> {
    for (let left = this.#unsent.length; left > 0; left--) {
      // Taken out first: several calls of this client settle at the same time, and each must send another one.
      const next = this.#unsent.shift();
      if (next === undefined) return;
      try {
        if ((await through(next.name, next.request)) !== undefined) continue;
      } catch (error) {
        if (!(error instanceof EdgeUnreachable)) throw error;
      }
      this.#unsent.unshift(next);
      return;
    }
  }

  #keep(one: { readonly name: string; readonly request: Settle }): void {
    this.#unsent.push(one);
    if (this.#unsent.length > MAX_UNSENT) this.#unsent.shift();
  }
}
