import type * as z from "zod";
import { type Amounts, NO_USE, type Use, usdOf, useOf } from "../../core/limits/amounts.ts";
import type { ReserveAnswer, ReserveRequest, SettleAnswer, SettleRequest } from "../../core/limits/api.ts";
import { askOf } from "../../core/limits/request.ts";
import { ShareBlock } from "../../core/limits/share-block.ts";
import { EdgeUnreachable } from "../http/problem-errors.ts";
import { type Held, HeldReservation } from "./held.ts";

type Reserve = z.input<typeof ReserveRequest>;
type Settle = z.input<typeof SettleRequest>;
type Work<Answer> = (held: Held) => Promise<Answer>;

export interface ShareOptions extends Pick<Reserve, "agent" | "task" | "chain" | "model"> {
  /** What a block has: for several calls, such as those of a few seconds. */
  readonly block: Amounts;
  /** Calls at a time. */
  readonly calls: number;
  /** How long a block is held at most, 1 to 30; default 10. */
  readonly seconds?: number;
}

interface ShareEdge {
  reserve(request: Reserve): Promise<ReserveAnswer>;
  settle(request: Settle): Promise<SettleAnswer | undefined>;
  /** Without a share: a reservation for the call alone. */
  alone<Answer>(request: Reserve, work: Work<Answer>): Promise<Answer>;
  /** Out of the share of the local agent. @returns `undefined`: no agent answers, and nothing was done */
  throughAgent<Answer>(request: Reserve, work: Work<Answer>): Promise<{ readonly answer: Answer } | undefined>;
}

/** After a block was not granted, calls reserve for themselves for so long. */
const ALONE_MS = 1_000;
/** A block is settled so long before it expires, as a part of its time. */
const MARGIN = 0.2;

/**
 * A share of a limit that this process gives to its calls: while a block has room, a call costs no request. Each block is a
 * reservation, so that shares and reservations together never have more than the limit. A block that is nearly used up is
 * followed by the next one; what is left of a block at its end goes back; the block of a process that dies expires.
 *
 * Where no block is granted (the limit is closed, being tried, or used up), each call reserves for itself, and waits as such
 * calls do.
 */
export class LimitShare {
  readonly #options: ShareOptions;
  readonly #edge: ShareEdge;
  readonly #blocks = new Set<ShareBlock>();
  readonly #timers = new Map<ShareBlock, ReturnType<typeof setTimeout>>();
  readonly #settling = new Set<Promise<void>>();
  #asking: Promise<void> | undefined;
  #aloneUntilMs = 0;
  #closed = false;
  #failure: unknown;

  constructor(options: ShareOptions, edge: ShareEdge) {
    this.#options = options;
    this.#edge = edge;
  }

  /**
   * Does work within the share. @param amounts - the most that the call may use
   * @throws what the work throws; LimitRefused where nothing is granted in time
   */
  async with<Answer>(amounts: Amounts, work: Work<Answer>): Promise<Answer> {
    const { agent, task, chain, model } = this.#options;
    const request = { amounts, agent, task, chain, model };
    const done = this.#closed ? undefined : await this.#edge.throughAgent(request, work);
    if (done !== undefined) return done.answer;
    const ask = askOf({ amounts, model });
    let found = this.#take(ask);
    if (found === undefined) {
      await this.#ask();
      found = this.#take(ask);
    }
    if (found === undefined) return await this.#edge.alone(request, work);
    const { block, call } = found;
    // Ahead of need. Where it is refused, the call that needs the next block asks again, and is told why.
    if (block.isLow()) this.#ask().catch(() => undefined);
    const held = new HeldReservation(block.reservation, amounts);
    try {
      return await work(held);
    } finally {
      const { amounts: said, outcome } = held.settlement;
      const refused = outcome !== undefined;
      const beyond = block.end(call, (taken) =>
        refused ? useOf(said, { ...NO_USE, requests: 1 }) : useOf(said, taken),
      );
      if (refused) this.#settle(block, outcome);
      await this.#charge(beyond);
    }
  }

  /**
   * Gives back what is left, and waits until it is. Calls that are open go on, and count as they were reserved.
   *
   * @throws what a refusal of a settlement threw, such as that of a limit that was deleted
   */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#asking;
    for (const block of this.#blocks) this.#settle(block);
    await Promise.all(this.#settling);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #take(ask: ReturnType<typeof askOf>): { block: ShareBlock; call: number } | undefined {
    for (const block of this.#blocks) {
      const call = block.take(ask, Date.now());
      if (call !== undefined) return { block, call };
    }
    return undefined;
  }

  /** Asks for a block, once for all who want one. */
  #ask(): Promise<void> {
    if (this.#closed || Date.now() < this.#aloneUntilMs) return Promise.resolve();
    this.#asking ??= this.#reserve().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #reserve(): Promise<void> {
    const { block: amounts, calls, seconds = 10, agent, task, chain, model } = this.#options;
    const share = { calls, seconds };
    // Its time is counted from here, which is not later than the edge counts it from.
    const nowMs = Date.now();
    try {
      const answer = await this.#edge.reserve({ amounts, agent, task, chain, model, share });
      if (answer.reservation === undefined) {
        this.#aloneUntilMs = Date.now() + ALONE_MS;
        return;
      }
      const untilMs = nowMs + seconds * 1_000 * (1 - MARGIN);
      const block = new ShareBlock({
        reservation: answer.reservation,
        amounts: askOf({ amounts, model }),
        calls,
        untilMs,
      });
      this.#blocks.add(block);
      const timer = setTimeout(() => this.#settle(block), Math.max(0, untilMs - Date.now()));
      if (typeof timer === "object" && "unref" in timer) (timer as { unref(): void }).unref();
      this.#timers.set(block, timer);
    } catch (error) {
      if (!(error instanceof EdgeUnreachable)) throw error;
      this.#aloneUntilMs = Date.now() + ALONE_MS;
    }
  }

  /** Ends a block: its unused rest goes back. Calls that are open count as they were reserved. */
  #settle(block: ShareBlock, outcome?: Settle["outcome"]): void {
    if (!this.#blocks.delete(block)) return;
    clearTimeout(this.#timers.get(block));
    this.#timers.delete(block);
    const amounts = amountsOf(block.taken);
    const { reservation } = block;
    const settling = this.#edge
      .settle({ reservation, amounts, ...(outcome === undefined ? {} : { outcome }) })
      .then((answer) => {
        // The others of this process learn it from here, and those elsewhere from the edge when their blocks end.
        if (answer?.closed_until !== undefined) this.#close(Date.parse(answer.closed_until));
      })
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#settling.delete(settling));
    this.#settling.add(settling);
  }

  /** The limit is closed: what other blocks have is given back, too. */
  #close(untilMs: number): void {
    this.#aloneUntilMs = Math.max(this.#aloneUntilMs, untilMs);
    for (const block of this.#blocks) this.#settle(block);
  }

  /** What a call used beyond what it took, or after its block had ended. */
  async #charge(use: Use): Promise<void> {
    if (Object.values(use).every((amount) => amount === 0)) return;
    const { agent, task, chain, model } = this.#options;
    const reservation = `share-${crypto.randomUUID()}`;
    await this.#edge.settle({ reservation, amounts: amountsOf(use), agent, task, chain, model });
  }
}

const amountsOf = ({ requests, input_tokens, output_tokens, nanos }: Use): Amounts => ({
  requests,
  input_tokens,
  output_tokens,
  usd: usdOf(nanos),
});
