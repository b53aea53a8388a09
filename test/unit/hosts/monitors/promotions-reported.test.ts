import { describe, expect, it } from "vitest";
import {
  DREAM_BEGINS,
  DREAM_ENDS,
  type DreamsSeen,
  type PromotionsReported,
  updatePromotions,
} from "../../../../src/core/hosts/monitors/promotions-reported.ts";
import fc from "../../../fast-check.ts";

const TOLD = "Q_PROMOTIONS_DETECTED";

/**
 * A host on which promotions come and dreams take them, the log, a rule that starts one dream at a time and lags behind
 * the log, and an edge that looks. Everything that is on its way may be as late as it likes.
 */
class World {
  /** Names of signals; their places count from 1. */
  readonly log: string[] = [];
  readonly #emitted: string[] = [];
  #known: PromotionsReported | undefined;
  #ruleAt = 0;
  #inFlight = false;
  /** Place of the trigger that began the dream that runs, or ran last. */
  #dreamOf = 0;
  #dreaming = new Set<number>();
  #came = 0;
  #agent = { run: 0, count: 0, waiting: new Set<number>() };
  readonly #waiting = new Set<number>();
  /** Those that came since the last dream began. */
  readonly #undreamt = new Set<number>();

  come(): void {
    this.#waiting.add(++this.#came);
    this.#undreamt.add(this.#came);
  }

  /** A dream takes what lay there when it began, or some of it. */
  acknowledge(all: boolean): void {
    for (const one of all ? this.#dreaming : [...this.#dreaming].slice(0, 1)) this.#waiting.delete(one);
  }

  restartAgent(): void {
    this.#agent = { run: this.#agent.run + 1, count: 0, waiting: new Set() };
  }

  look(): void {
    for (const one of this.#waiting) if (!this.#agent.waiting.has(one)) this.#agent.count++;
    this.#agent.waiting = new Set(this.#waiting);
    const { run, count } = this.#agent;
    const dreams: DreamsSeen = {
      headSeq: this.log.length,
      begunSeq: this.#lastPlace(DREAM_BEGINS),
      endedSeq: this.#lastPlace(...DREAM_ENDS),
    };
    const facts = {
      promotion_count: this.#waiting.size,
      unacknowledged_count: this.#waiting.size,
      arrivals: { run: String(run), count, waiting: [...this.#waiting].join() },
    };
    const { after, report } = updatePromotions(this.#known, facts, dreams, null, 0);
    this.#known = JSON.parse(JSON.stringify(after));
    if (report) this.#emitted.push(TOLD);
  }

  /** What was emitted reaches the log. */
  handOver(): void {
    const next = this.#emitted.shift();
    if (next !== undefined) this.log.push(next);
  }

  /** The rule takes the next signal of the log. */
  decide(): void {
    const name = this.log[this.#ruleAt];
    if (name === undefined) return;
    this.#ruleAt++;
    if (DREAM_ENDS.some((end) => end === name)) this.#inFlight = false;
    if (name !== TOLD || this.#inFlight) return;
    this.#inFlight = true;
    this.#emitted.push(DREAM_BEGINS);
  }

  dream(): void {
    const trigger = this.#lastPlace(DREAM_BEGINS);
    if (trigger <= this.#dreamOf) return;
    this.#dreamOf = trigger;
    this.#dreaming = new Set(this.#waiting);
    this.#undreamt.clear();
  }

  endDream(how: (typeof DREAM_ENDS)[number]): void {
    if (this.#dreamOf <= this.#lastPlace(...DREAM_ENDS)) return;
    this.#dreaming.clear();
    this.log.push(how);
  }

  #lastPlace(...names: string[]): number {
    return this.log.findLastIndex((name) => names.includes(name)) + 1;
  }

  /** Lets everything happen that is due, in its order. @returns how many dreams that took */
  settle(acknowledges: boolean): number {
    const before = this.#begun;
    for (let round = 0; round < 12; round++) {
      this.look();
      while (this.#emitted.length > 0 || this.#ruleAt < this.log.length) {
        this.handOver();
        this.decide();
      }
      this.dream();
      this.acknowledge(acknowledges);
      this.endDream("Q_DREAM_COMPLETE");
    }
    return this.#begun - before;
  }

  get #begun(): number {
    return this.log.filter((name) => name === DREAM_BEGINS).length;
  }

  /** Promotions that came, still lie there, and no dream began since. */
  get missed(): number[] {
    return [...this.#undreamt].filter((one) => this.#waiting.has(one));
  }
}

const anyStep = fc.oneof(
  ...["come", "look", "look", "handOver", "handOver", "decide", "decide", "dream", "restartAgent"].map((name) =>
    fc.constant({ toString: () => name, run: (world: World) => world[name as "come"]() }),
  ),
  fc.boolean().map((all) => ({ toString: () => `acknowledge ${all}`, run: (world: World) => world.acknowledge(all) })),
  fc.constantFrom(...DREAM_ENDS).map((how) => ({ toString: () => how, run: (world: World) => world.endDream(how) })),
);

describe("promotions that are reported", () => {
  it("are followed by a dream that began after their arrival, and by few dreams without promotions", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 100 }), fc.boolean(), (steps, acknowledges) => {
        const world = new World();
        for (const step of steps) step.run(world);
        // What was in flight ends; what was told into it is told again, once; and then there is peace.
        expect(world.settle(acknowledges)).toBeLessThanOrEqual(4);
        expect(world.missed).toEqual([]);
        expect(world.settle(acknowledges)).toBe(0);
        const dreams = world.log.filter((name) => name !== TOLD).map((name) => name === DREAM_BEGINS);
        expect(dreams.filter((begins, place) => begins && dreams[place - 1] === true)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});
