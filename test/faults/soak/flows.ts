import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "../../../src/client/client.ts";
import { connectPublisher } from "../../integration/bus/bus-parts.ts";
import { Rng } from "../rng.ts";
import { QUEUE } from "./host-config.ts";

/** What is sent in all, in each of the ways. */
export interface Amounts {
  readonly signals: number;
  readonly asked: number;
  readonly intents: number;
  readonly tasks: number;
  readonly dropped: number;
  readonly bus: number;
}

export interface FlowOptions {
  readonly amounts: Amounts;
  readonly client: () => Client;
  readonly intentsDir: string;
  readonly tasksDir: string;
  readonly xsub: string;
  readonly seed: number;
  /** The flows last about so long. */
  readonly lastsMs: number;
}

/** Everything that a host and its neighbours do all day, at the same time. Resolves when all of it is sent. */
export async function runFlows({
  amounts,
  client,
  intentsDir,
  tasksDir,
  xsub,
  seed,
  lastsMs,
}: FlowOptions): Promise<void> {
  const say = (signal: string, id: string, n: number) =>
    insist(() => client().emit({ id: `${id}-${n}`, signal, source: "soak", facts: { n } }));
  const publisher = await connectPublisher(xsub);
  await Promise.all([
    each(amounts.signals, seed + 1, lastsMs, (n) => say("Q_SOAK_SPOKE", "spoke", n)),
    each(amounts.asked, seed + 2, lastsMs, (n) => say("Q_SOAK_ASKED", "asked", n)),
    each(amounts.intents, seed + 3, lastsMs, (n) =>
      drop(intentsDir, `i${n}`, {
        id: `intent-${n}`,
        type: "question",
        data: { question: `What about number ${n} of ${seed}?` },
      }),
    ),
    each(amounts.tasks, seed + 4, lastsMs, (n) =>
      insist(() =>
        client().queues.put(QUEUE, [
          { task_id: `task-${n}`, recipient: "soak", type: "TASK_DELEGATE", payload: { n }, max_attempts: 100 },
        ]),
      ),
    ),
    each(amounts.dropped, seed + 5, lastsMs, (n) => drop(tasksDir, `d${n}`, { description: `number ${n}` })),
    each(amounts.bus, seed + 6, lastsMs, (n) =>
      publisher.send(["Q_SOAK_BUS", JSON.stringify({ signal: "Q_SOAK_BUS", source: "daemon", facts: { n } })]),
    ),
  ]);
  publisher.close();
}

async function each(count: number, seed: number, lastsMs: number, act: (n: number) => unknown): Promise<void> {
  const rng = new Rng(seed);
  for (let n = 1; n <= count; n++) {
    await act(n);
    await pause(rng.next() * 2 * (lastsMs / count));
  }
}

/** Until it is answered; the same again, under the same id. */
async function insist(act: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await act();
      return;
    } catch {
      await pause(50);
    }
  }
}

async function drop(directory: string, name: string, content: object): Promise<void> {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `.${name}.tmp`), JSON.stringify(content));
  renameSync(join(directory, `.${name}.tmp`), join(directory, `${name}.json`));
}
