import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { MAX_CRASHES } from "../../../src/core/reactions/run.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { first } from "../../harness/until.ts";
import { linesOf, untilLines } from "../lines-of-file.ts";
import { Rng } from "../rng.ts";
import { readLog } from "../what-is-kept.ts";

// `GANGLION_KILLS=40` is the long run.
const KILLS = Number(process.env.GANGLION_KILLS ?? 3);
const SEED = Number(process.env.GANGLION_SEED ?? 20_262);
/** For each kill: more than are begun before it, so that each kill meets work on a machine of any speed. */
const SIGNALS_A_KILL = 25;
const TASKS_A_KILL = 5;
const SIGNALS = SIGNALS_A_KILL * KILLS;
const TASKS = TASKS_A_KILL * KILLS;
/** Runs at a time. */
const CONCURRENCY = { work: 3, jobs: 2 };

/**
 * Holds a lock for as long as anything of it runs, so that two attempts at one signal at a time are seen. A kill of the
 * agent leaves it running; the next agent ends it, and with the last of its processes the kernel lets go of the lock.
 */
const COMMAND =
  "exec 9> held.$GANGLION_SIGNAL_ID; flock -n 9 || echo $GANGLION_SIGNAL_ID >> twice; " +
  "echo $GANGLION_SIGNAL_ID >> began; sleep 0.0$((RANDOM % 9)); sleep 0.03";

test(`agent killed ${KILLS} times: every signal and task has one reaction, which is reported once and never runs twice at a time (seed ${SEED})`, async () => {
  const rng = new Rng(SEED);
  const edge = await runEdge();
  const client = edge.client();
  const directory = temporaryDirectory();
  const stateDir = temporaryDirectory();
  const run = { command: ["bash", "-c", COMMAND], grace_ms: 100 };
  const config = join(directory, "agent.yaml");
  const reactions = {
    work: { when: "Q_WORK_WANTED", concurrency: CONCURRENCY.work, run, emits: { completed: "Q_WORK_DONE" } },
    jobs: {
      on: { queue: "jobs", recipient: "anyone" },
      concurrency: CONCURRENCY.jobs,
      run,
      emits: { completed: "Q_JOB_DONE" },
    },
  };
  writeFileSync(config, JSON.stringify({ monitors: { health: false }, reactions }));
  const start = () => runAgent(edge, { stateDir, env: { GANGLION_CONFIG: config } });
  let agent = await start();
  // The reactions have a place in the log before the first signal that they have to see.
  await agent.linked();
  const flow = async (round: number) => {
    for (let n = round * SIGNALS_A_KILL + 1; n <= (round + 1) * SIGNALS_A_KILL; n++) {
      await client.emit({ signal: "Q_WORK_WANTED", source: "test", facts: { n }, id: `want.${n}` });
      if (n % (SIGNALS_A_KILL / TASKS_A_KILL) === 0) {
        const names = { task_id: `job.${n}`, recipient: "anyone", type: "Q_JOB_WANTED" };
        await client.queues.put("jobs", [{ ...names, payload: { n }, max_attempts: 50 }]);
      }
      await pause(rng.between(0, 20));
    }
  };
  const began = join(directory, "began");
  for (let kill = 0; kill < KILLS; kill++) {
    const flowing = flow(kill);
    // In the midst of the work mostly, and now and then while the agent is about to begin.
    if (rng.next() < 0.8) {
      const all = (kill + 1) * (SIGNALS_A_KILL + TASKS_A_KILL);
      await untilLines(began, Math.min(linesOf(began).length + rng.between(1, 12), all), rng.between(1, 20));
    } else await pause(rng.between(0, 500));
    agent.process.signal("SIGKILL");
    await agent.process.ended;
    agent = await start();
    await flowing;
  }
  const over = new Set<string>();
  const ended = (signal: Signal) => {
    const { name, cause } = endOf(signal);
    if (name !== undefined) over.add(`${name} ${cause}`);
    return over.size === SIGNALS + TASKS;
  };
  const follow = client.follow({ after: 0, signals: ["Q_WORK_DONE", "Q_JOB_DONE", "Q_REACTION_FAILED"] });
  // A task that was held by a killed agent waits for its lease.
  await first(follow, ended, "every reaction to end", 300_000).catch(async (error: Error) => {
    const queue = await client.queues.status("jobs");
    throw new Error(`${error.message}: ${over.size} did; ${JSON.stringify(queue)}`);
  });
  expect(await agent.process.stop()).toBe(0);
  // What was told again would be on its way now, or in the log.
  const signals = await readLog(edge);
  const ends = signals.map(endOf).filter(({ name }) => name !== undefined);
  const ofEach = Map.groupBy(ends, ({ name, cause }) => `${name} ${cause}`);
  expect([...ofEach].filter(([, all]) => all.length > 1).map(([end]) => end)).toEqual([]);
  expect(ofEach.size).toBe(SIGNALS + TASKS);
  // A signal's reaction that ran at three kills is given up, as the docs say; a task goes by the attempts of its queue.
  const failed = signals.filter(({ signal }) => signal === "Q_REACTION_FAILED");
  const reasons = new Set(failed.map(({ facts }) => `${facts.reaction}: ${facts.error}`));
  expect([...reasons].filter((one) => one !== `work: the agent crashed ${MAX_CRASHES} times during the run`)).toEqual(
    [],
  );
  expect(failed.length).toBeLessThanOrEqual(Math.floor((KILLS * CONCURRENCY.work) / MAX_CRASHES));
  expect(existsSync(join(directory, "twice"))).toBe(false);
  // What a kill cut off was begun again, and no other.
  const again = linesOf(began).length - new Set(linesOf(began)).size;
  expect(again).toBeLessThanOrEqual(KILLS * (CONCURRENCY.work + CONCURRENCY.jobs));
  console.log(JSON.stringify({ reactions: ends.length, begunAgain: again, givenUp: failed.length }));
}, 3_600_000);

/** Which reaction a signal says is over, and which signal or task set it off; no name where it says nothing of the kind. */
function endOf({ signal, facts, cause }: Signal): { name?: string; cause?: string | undefined } {
  if (signal === "Q_WORK_DONE") return { name: "work", cause };
  if (signal === "Q_JOB_DONE") return { name: "jobs", cause };
  return signal === "Q_REACTION_FAILED" ? { name: String(facts.reaction), cause: String(facts.trigger_id) } : {};
}
