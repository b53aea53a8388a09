import type * as z from "zod";
import type { Amounts } from "../../core/limits/amounts.ts";
import type { ReserveAnswer, SettleRequest } from "../../core/limits/api.ts";

type Outcome = NonNullable<z.input<typeof SettleRequest>["outcome"]>;

/** What somebody holds of a limit while work is done. */
export interface Held {
  readonly reservation: string;
  /** Says what was really used. What is not named was used as it was reserved. */
  used(amounts: Amounts): void;
  /** The provider answered 429, or something like it: the limit closes for all. */
  refused(outcome?: Partial<Outcome>): void;
}

/** Nothing was granted in time. */
export class LimitRefused extends Error {
  override readonly name = "LimitRefused";
  readonly answer: ReserveAnswer;

  constructor(limit: string, answer: ReserveAnswer) {
    const until = answer.closed_until === undefined ? "" : ` until ${answer.closed_until}`;
    super(`the limit ${limit} grants nothing${until}: ${answer.detail ?? answer.why ?? "no reason was given"}`);
    this.answer = answer;
  }
}

export class HeldReservation implements Held {
  readonly reservation: string;
  #amounts: Amounts;
  #outcome: Outcome | undefined;

  /** @param amounts - that were reserved: they count where nothing else is said */
  constructor(reservation: string, amounts: Amounts) {
    this.reservation = reservation;
    // The edge does not know what a client has reserved that could not reach it.
    this.#amounts = reservation.startsWith("away-") ? { requests: 1, ...amounts } : {};
  }

  used(amounts: Amounts): void {
    this.#amounts = { ...this.#amounts, ...amounts };
  }

  refused(outcome: Partial<Outcome> = {}): void {
    this.#outcome = { status: 429, ...outcome };
  }

  get settlement() {
    const { reservation } = this;
    return {
      reservation,
      amounts: this.#amounts,
      ...(this.#outcome === undefined ? {} : { outcome: this.#outcome }),
    };
  }
}
