import type * as z from "zod";
import { type Amounts, NO_USE, usdOf } from "../../core/limits/amounts.ts";
import type { ReserveAnswer, ReserveRequest, SettleRequest } from "../../core/limits/api.ts";
import { askOf, usedOf } from "../../core/limits/request.ts";
import { lessOf } from "../../core/limits/uses.ts";
import { EdgeUnreachable } from "../http/problem-errors.ts";
import { pause } from "../http/retry.ts";
import { AnswerLost, type HostDoor } from "./host-door.ts";
import type { Settlements } from "./settlements.ts";

type Reserve = z.input<typeof ReserveRequest>;
type Settle = z.input<typeof SettleRequest>;

interface HostHoldOptions {
  readonly door: HostDoor;
  readonly url: string;
  readonly ecosystem: string;
  /** Tell the edge itself, where the agent is gone. */
  readonly settlements: Pick<Settlements, "send" | "flush">;
}

/** An agent that was killed is started again within this time, mostly. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 200;

/** Reservations through the local agent, which holds shares for all processes of this machine. */
export class HostHold {
  readonly #options: HostHoldOptions;

  constructor(options: HostHoldOptions) {
    this.#options = options;
  }

  /**
   * @param id - of the call, made once: an agent that is asked again holds nothing twice
   * @returns `undefined`: no agent answers, and the edge is to be asked
   */
  reserve(
    id: string,
    limit: string,
    { share: _, ...request }: Reserve,
    when_away: "open" | "closed" | undefined,
    signal: AbortSignal | undefined,
  ): Promise<(ReserveAnswer & { readonly away?: boolean | undefined }) | undefined> {
    const { door, url, ecosystem } = this.#options;
    return door.reserve({ ...request, url, ecosystem, limit, id, ...(when_away && { when_away }) }, signal);
  }

  /** The agent says that it reaches no edge, and the limit is closed then. */
  unreachable(): EdgeUnreachable {
    return new EdgeUnreachable(this.#options.url, new Error("the agent of this host reaches none"));
  }

  /**
   * Tells the agent what was used; where it is gone, the edge.
   *
   * @param expiresAtMs - until then the agent counts the call in no settlement
   */
  async settle(limit: string, request: Settle, reserved: Amounts, expiresAtMs: number | undefined): Promise<void> {
    const { door, url, ecosystem, settlements } = this.#options;
    const untilMs = Date.now() + PATIENCE_MS;
    let isLost = false;
    do {
      try {
        if ((await door.settle({ ...request, url, ecosystem, limit, reserved })) !== undefined)
          // What neither agent nor edge could be told before goes to the agent that is back.
          return await settlements.flush((name, unsent) => this.#offer(name, unsent));
      } catch (error) {
        if (!(error instanceof AnswerLost)) throw error;
        isLost = true;
      }
      // An agent that was killed may have counted it: it knows when it is back.
      if (isLost) await pause(PAUSE_MS, undefined);
    } while (isLost && Date.now() < untilMs);
    await settlements.send(limit, withoutAgent(request, reserved, expiresAtMs));
  }

  /** @returns `undefined`: the agent has not taken it, as far as is known; it knows a repeated one */
  async #offer(limit: string, request: Settle): Promise<object | undefined> {
    const { door, url, ecosystem } = this.#options;
    try {
      return await door.settle({ ...request, url, ecosystem, limit });
    } catch (error) {
      if (!(error instanceof AnswerLost)) throw error;
      return undefined;
    }
  }
}

/**
 * What the edge is told by a process whose agent is gone. It does not know the calls of a block: they count here. A call that was
 * longer than its block was counted as it was reserved, when the block was settled.
 */
function withoutAgent(request: Settle, reserved: Amounts, expiresAtMs: number | undefined): Settle {
  if (!request.reservation.startsWith("h-")) return request;
  const { model } = request;
  const took = { ...NO_USE, ...askOf({ amounts: reserved, model }) };
  const used = usedOf({ amounts: request.amounts, model, ...(request.outcome && { outcome: { status: 429 } }) }, took);
  const { nanos, ...rest } = expiresAtMs === undefined || Date.now() < expiresAtMs ? used : lessOf(used, took);
  return { ...request, amounts: { ...rest, usd: usdOf(nanos) } };
}
