import { ApiProblem } from "../../src/client/http/problem-errors.ts";
import { isTransient } from "../../src/client/http/retry.ts";
import type { SettleAnswer } from "../../src/core/limits/api.ts";
import { doubled } from "../../src/core/numbers/doubled.ts";
import type { Logger } from "../base/log.ts";
import type { SettleAtEdge } from "./limit-edge.ts";
import type { ShareJournal } from "./share-journal.ts";

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 15_000;
/** Settlements that are on their way at a time. */
const AT_A_TIME = 8;

interface SettlementRelayOptions {
  readonly journal: ShareJournal;
  readonly settle: SettleAtEdge;
  readonly onAnswer: (limit: string, answer: SettleAnswer) => void;
  readonly log: Logger;
}

/**
 * Tells the edge what was used, until it has it. The edge knows a repeated settlement by its reservation, so one whose answer was
 * lost counts once.
 */
export class SettlementRelay {
  readonly #options: SettlementRelayOptions;
  readonly #sending = new Set<number>();
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #sent: () => void = () => undefined;
  #problem: string | undefined;
  refused = 0;

  constructor(options: SettlementRelayOptions) {
    this.#options = options;
  }

  /** Why the last one was not taken; `undefined`: it was. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Sends what waits, and goes on until nothing does. */
  run(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    const room = AT_A_TIME - this.#sending.size;
    if (room <= 0) return;
    for (const { number, settlement } of this.#options.journal.unsent(AT_A_TIME)) {
      if (this.#sending.has(number)) continue;
      this.#sending.add(number);
      void this.#send(number, settlement);
    }
  }

  /** The edge can be reached again: what waits is sent now. */
  hurry(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.run();
  }

  /** Waits for what is on its way; the rest is sent after the next start. */
  async stop(withinMs: number): Promise<void> {
    const untilMs = performance.now() + withinMs;
    while (this.#timer === undefined && this.#options.journal.unsentCount > 0 && performance.now() < untilMs) {
      this.run();
      await new Promise<void>((resolve) => {
        this.#sent = resolve;
        setTimeout(resolve, Math.max(1, untilMs - performance.now())).unref();
      });
    }
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #send(number: number, { limit, request }: ReturnType<ShareJournal["unsent"]>[number]["settlement"]) {
    const { journal, settle, onAnswer, log } = this.#options;
    try {
      const answer = await settle(limit, request);
      journal.sent(number);
      this.#failures = 0;
      this.#problem = undefined;
      onAnswer(limit, answer);
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
      if (isTransient(error) || !(error instanceof ApiProblem) || error.problem.status === 401) {
        this.#retry();
      } else {
        // The limit was deleted, or the token may not settle: the same settlement would be refused again.
        this.refused++;
        journal.sent(number);
        log.warn(
          { limit, reservation: request.reservation },
          `limits: the edge refused a settlement: ${error.message}`,
        );
      }
    } finally {
      this.#sending.delete(number);
      this.#sent();
    }
    this.run();
  }

  #retry(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.run();
      },
      doubled(FIRST_DELAY_MS, LONGEST_DELAY_MS, this.#failures++),
    );
    this.#timer.unref();
  }
}
