import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { SignalInput } from "../../../src/core/signals/signal.ts";
import { Rng } from "../rng.ts";
import type { Amounts } from "./amounts.ts";
import { dropFile } from "./drop-file.ts";
import { QUEUE } from "./host-config.ts";
import { insist } from "./insist.ts";
import { intent } from "./intent.ts";
import type { Work } from "./soak-worker.ts";
import { Spoiled, type SpoiledOptions } from "./spoiled.ts";

export interface FlowOptions extends SpoiledOptions {
  readonly amounts: Amounts;
  readonly seed: number;
}

/** A part of a round's items takes about so long to send. */
const ROUND_MS = 900;
/** Signals of one request. */
const BATCHES = [1, 10, 100] as const;

/** Everything that hosts and their neighbours do all day, at the same time, a part of each with every round. */
export class Flows {
  readonly #options: FlowOptions;
  readonly #rng: Rng;
  readonly #spoiled: Spoiled;
  /** Parts are sent one after the other, and each flow keeps its own order. */
  #sent: Promise<unknown> = Promise.resolve();

  constructor(options: FlowOptions) {
    this.#options = options;
    this.#rng = new Rng(options.seed);
    this.#spoiled = new Spoiled(options);
  }

  /** Sends what belongs to one of `rounds` rounds, after the rounds before. Resolves when it is sent. */
  send(round: number, rounds: number): Promise<unknown> {
    this.#sent = this.#sent.then(() => this.#sendPart(round, rounds));
    // Whoever waits for it hears of a failure.
    this.#sent.catch(() => undefined);
    return this.#sent;
  }

  async #sendPart(round: number, rounds: number): Promise<void> {
    const { amounts, calls, intents, tasks, publisher } = this.#options;
    const upTo = (count: number, part: number) => Math.floor((count * part) / rounds);
    const numbers = (count: number) =>
      Array.from({ length: upTo(count, round + 1) - upTo(count, round) }, (_, n) => upTo(count, round) + n + 1);
    const one = (count: number, act: (n: number) => unknown) => this.#spread(numbers(count).map((n) => () => act(n)));
    await Promise.all([
      this.#spread(this.#batches(numbers(amounts.signals)).map((batch) => () => this.#emit(batch.map(spoke)))),
      one(amounts.asked, (n) =>
        this.#emit([{ id: `asked-${n}`, signal: "Q_SOAK_ASKED", source: "soak", facts: { n } }]),
      ),
      one(amounts.intents, (n) => dropFile(intents[n % 2 === 0 ? 0 : 1], `i${n}`, intent(n))),
      one(amounts.tasks, (n) => this.#put(QUEUE, `task-${n}`, n % 3 === 0 ? "neighbour" : "host", { n })),
      one(amounts.worked, (n) => {
        const work: Work = { n, takesMs: this.#rng.between(0, 30), crashes: false };
        return this.#put("work", `work-${n}`, "soak", work);
      }),
      one(amounts.dropped, (n) => dropFile(join(tasks, "soak"), `d${n}`, { description: `number ${n}` })),
      one(amounts.bus, (n) => publisher.send(["Q_SOAK_BUS", busText(n)])),
      one(amounts.calls, (n) => calls.begin(n)),
      one(amounts.spoiled, (n) => this.#spoiled.send(n)),
    ]);
  }

  async #spread(acts: readonly (() => unknown)[]): Promise<void> {
    for (const act of acts) {
      await act();
      await pause(this.#rng.next() * 2 * (ROUND_MS / acts.length));
    }
  }

  #batches(numbers: readonly number[]): number[][] {
    const batches: number[][] = [];
    for (let from = 0; from < numbers.length; from += batches.at(-1)?.length ?? 1)
      batches.push(numbers.slice(from, from + this.#rng.pick([...BATCHES])));
    return batches;
  }

  /** Now and then again after the answer, as by a sender who did not see it. */
  async #emit(signals: readonly SignalInput[]): Promise<void> {
    const times = this.#rng.next() < 0.05 ? 2 : 1;
    for (let time = 0; time < times; time++) await insist(() => this.#options.client().emit(signals));
  }

  async #put(queue: string, task_id: string, recipient: string, payload: object): Promise<void> {
    const task = { task_id, recipient, type: "TASK_DELEGATE", payload, max_attempts: 100 };
    await insist(() => this.#options.client().queues.put(queue, [task]));
  }
}

const spoke = (n: number): SignalInput => ({ id: `spoke-${n}`, signal: "Q_SOAK_SPOKE", source: "soak", facts: { n } });
const busText = (n: number) => JSON.stringify({ signal: "Q_SOAK_BUS", source: "daemon", facts: { n } });
