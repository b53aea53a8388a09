import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Signal } from "../../src/core/signals/signal.ts";
import { temporaryDirectory } from "../harness/cleanup.ts";
import { runAgent } from "../harness/running-agent.ts";
import { runEdge } from "../harness/running-edge.ts";
import { within } from "../harness/until.ts";
import { Dice } from "./dice.ts";

const KILLS = Number(process.env.GANGLION_KILLS ?? 3);
const SEED = Number(process.env.GANGLION_SEED ?? 20_262);
const SIGNALS = 25 * KILLS;
const TASKS = 5 * KILLS;

/**
 * Holds a lock for as long as anything of it runs, so that two attempts at one signal at a time are seen. A kill of the
 * agent leaves it running; the next agent ends it, and with the last of its processes the kernel lets go of the lock.
 */
const COMMAND =
  "exec 9> held.$GANGLION_SIGNAL_ID; flock -n 9 || echo $GANGLION_SIGNAL_ID >> twice; sleep 0.0$((RANDOM % 9)); sleep 0.03";

test(`${KILLS} times kill -9 of the agent: every signal and task is reacted to, told of once, and by one at a time`, async () => {
  const dice = new Dice(SEED);
  const edge = await runEdge();
  const client = edge.client();
  const directory = temporaryDirectory();
  const stateDir = temporaryDirectory();
  const run = { command: ["bash", "-c", COMMAND], grace_ms: 100 };
  const config = join(directory, "agent.yaml");
  const reactions = {
    work: { when: "Q_WORK_WANTED", concurrency: 3, run, emits: { completed: "Q_WORK_DONE" } },
    jobs: { on: { queue: "jobs", recipient: "anyone" }, concurrency: 2, run, emits: { completed: "Q_JOB_DONE" } },
  };
  writeFileSync(config, JSON.stringify({ monitors: { health: false }, reactions }));
  const start = () => runAgent(edge, { stateDir, env: { GANGLION_CONFIG: config } });
  let agent = await start();
  await agent.linked();
  // The reactions have a place in the log before the first signal that they have to see.
  const flowing = (async () => {
    for (let n = 1; n <= SIGNALS; n++) {
      await client.emit({ signal: "Q_WORK_WANTED", source: "test", facts: { n }, id: `want.${n}` });
      if (n % 5 === 0) {
        const task = {
          task_id: `job.${n}`,
          recipient: "anyone",
          type: "Q_JOB_WANTED",
          payload: { n },
          max_attempts: 50,
        };
        await client.queues.put("jobs", [task]);
      }
      await pause(dice.between(0, 40));
    }
  })();
  for (let kill = 0; kill < KILLS; kill++) {
    await pause(dice.between(50, 700));
    agent.process.signal("SIGKILL");
    await agent.process.ended;
    agent = await start();
  }
  await flowing;
  const over = new Set<string>();
  const ended = (signal: Signal) => {
    const { name, cause } = endOf(signal);
    if (name !== undefined) over.add(`${name} ${cause}`);
    return over.size === SIGNALS + TASKS;
  };
  const names = ["Q_WORK_DONE", "Q_JOB_DONE", "Q_REACTION_FAILED"];
  const follow = client.follow({ after: 0, signals: names });
  // A task that was held by killed agents waits for its lease each time, and then for its next attempt.
  await within(untilIn(follow, ended), "every reaction to end", 90_000).catch(async (error: Error) => {
    const queue = await client.queues.status("jobs");
    throw new Error(`${error.message}: ${over.size} did; ${JSON.stringify(queue)}`);
  });
  expect(await agent.process.stop()).toBe(0);
  // What was told again would be on its way now, or in the log.
  const signals: Signal[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page = await client.signals({ signals: names, after, limit: 1_000 });
    signals.push(...page.signals);
    after = page.next;
  }
  const ends = Map.groupBy(signals.map(endOf), ({ name, cause }) => `${name} ${cause}`);
  expect([...ends].filter(([, all]) => all.length > 1).map(([end]) => end)).toEqual([]);
  expect(ends.size).toBe(SIGNALS + TASKS);
  // One that ran at three kills is given up, as the docs say, and at each kill no more than five were running.
  const failed = signals.filter(({ signal }) => signal === "Q_REACTION_FAILED");
  expect(failed.filter(({ facts }) => facts.error !== "the agent crashed 3 times while it ran")).toEqual([]);
  expect(failed.length).toBeLessThanOrEqual(Math.floor((KILLS * 5) / 3));
  expect(existsSync(join(directory, "twice"))).toBe(false);
});

/** Which reaction a signal says is over, and which signal or task set it off; no name where it says nothing of the kind. */
function endOf({ signal, facts, cause }: Signal): { name?: string; cause?: string | undefined } {
  if (signal === "Q_WORK_DONE") return { name: "work", cause };
  if (signal === "Q_JOB_DONE") return { name: "jobs", cause };
  return signal === "Q_REACTION_FAILED" ? { name: String(facts.reaction), cause: String(facts.trigger_id) } : {};
}

async function untilIn<T>(stream: AsyncIterable<T>, wanted: (item: T) => boolean): Promise<void> {
  for await (const item of stream) if (wanted(item)) return;
}
