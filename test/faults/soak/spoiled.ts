import { join } from "node:path";
import type { XPublisher } from "zeromq";
import type { Client } from "../../../src/client/client.ts";
import { ApiProblem, EdgeUnreachable } from "../../../src/client/http/problem-errors.ts";
import type { Calls } from "./calls.ts";
import { dropFile } from "./drop-file.ts";
import { insist, isPassing } from "./insist.ts";
import type { Work } from "./soak-worker.ts";

export interface SpoiledOptions {
  readonly client: () => Client;
  readonly publisher: XPublisher;
  readonly calls: Calls;
  /** Directory of the host's intents, and of its neighbour's. */
  readonly intents: readonly [host: string, neighbour: string];
  /** Directory of the dropped tasks, with one for each worker in it. */
  readonly tasks: string;
}

/** Deeper than anything is taken. */
const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const DEEP = 200;

/** Files of each kind of intent that is none. */
export const SPOILED_INTENTS = 3;

/** Attempts of a task that ends every worker that takes it. */
const CRASHING_ATTEMPTS = 2;

/** Items that cannot be processed, one of each kind at a time, in the midst of good ones. */
export class Spoiled {
  readonly #options: SpoiledOptions;

  constructor(options: SpoiledOptions) {
    this.#options = options;
  }

  async send(n: number): Promise<void> {
    const { client, publisher, intents, tasks, calls } = this.#options;
    await Promise.all([
      this.#refused([
        { id: `beside-spoiled-${n}`, signal: "Q_SOAK_SPOILED", source: "soak", facts: { n } },
        { id: `spoiled-${n}`, signal: "no name of a signal", source: "soak", facts: { n } },
      ]),
      this.#refused([
        { id: `deep-${n}`, signal: "Q_SOAK_SPOILED", source: "soak", facts: { deep: JSON.parse(deep(DEEP)) } },
      ]),
      insist(() =>
        client().emit({ id: `asked-spoiled-${n}`, signal: "Q_SOAK_ASKED_SPOILED", source: "soak", facts: { n } }),
      ),
      this.#crashing(n),
    ]);
    // No JSON, no intent, and one that is too deep.
    const texts = [
      `{"id": "spoiled-${n}", "type": "question", "da`,
      `["spoiled", ${n}]`,
      `{"n": ${n}, "data": ${deep(DEEP)}}`,
    ];
    for (const [place, text] of texts.entries()) dropFile(intents[0], `spoiled-${n}-${place}`, text);
    dropFile(join(tasks, "spoiled"), `spoiled-${n}`, { description: `number ${n}` });
    // No JSON, too many frames, no facts, too deep; and what only the edge may say, which the edge refuses.
    for (const frames of [
      ["Q_SOAK_SPOILED", "no JSON"],
      ["Q_SOAK_SPOILED", "{}", "{}"],
      ["Q_SOAK_SPOILED", JSON.stringify({ signal: "Q_SOAK_SPOILED", source: "daemon", facts: [n] })],
      [`{"signal":"Q_SOAK_SPOILED","source":"daemon","facts":{"deep":${deep(DEEP)}}}`],
      [JSON.stringify({ signal: "Q_SOAK_SPOILED", source: "ganglion/soak", facts: { spoiled: n } })],
    ])
      await publisher.send(frames);
    calls.beginSpoiled(n);
  }

  /** A worker that takes it ends there, as often as the task is given out. */
  async #crashing(n: number): Promise<void> {
    const work: Work = { n, takesMs: 0, crashes: true };
    const task = { task_id: `spoiled-${n}`, recipient: "soak", type: "TASK_DELEGATE", payload: work };
    await insist(() => this.#options.client().queues.put("work", [{ ...task, max_attempts: CRASHING_ATTEMPTS }]));
  }

  /** @throws when the edge takes it */
  async #refused(signals: Parameters<ReturnType<SpoiledOptions["client"]>["emit"]>[0]): Promise<void> {
    await insist(async () => {
      try {
        await this.#options.client().emit(signals);
      } catch (error) {
        if (error instanceof EdgeUnreachable || (error instanceof ApiProblem && isPassing(error))) throw error;
        if (error instanceof ApiProblem && [400, 422].includes(error.problem.status)) return;
        throw error;
      }
      throw new Error(`the edge took what is spoiled: ${JSON.stringify(signals).slice(0, 200)}`);
    });
  }
}
