import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { silent } from "../../unit/store/temporary-state.ts";
import { linesOf, untilLines } from "../lines-of-file.ts";
import { Rng } from "../rng.ts";

// `GANGLION_TASKS=1200 GANGLION_KILLS=40` is the long run.
const count = Number(process.env.GANGLION_TASKS ?? 120);
const kills = Number(process.env.GANGLION_KILLS ?? 8);
const seed = Number(process.env.GANGLION_SEED ?? 20265);
/** Tasks that a process runs at a time: what one kill can cut off. */
const CONCURRENCY = 3;

test(`two processes killed ${kills} times share ${count} file tasks: each has one result and one completion signal (seed ${seed})`, async () => {
  const rng = new Rng(seed);
  const root = temporaryDirectory();
  const tasks = join(root, "tasks", "review");
  mkdirSync(tasks, { recursive: true });
  const states = [temporaryDirectory(), temporaryDirectory()] as const;
  const start = (state: string) => {
    const running = new RunningProcess(["test/faults/file-tasks/file-worker.ts"], {
      env: { DROP_ROOT: root, DROP_STATE: state },
    });
    return { running, state };
  };
  const team = states.map(start);
  let dropped = 0;
  const drop = (many: number) => {
    for (let n = 0; n < many && dropped < count; n++, dropped++) {
      const name = `t${dropped}.json`;
      writeFileSync(join(tasks, `.${name}`), JSON.stringify({ description: `number ${dropped}` }));
      renameSync(join(tasks, `.${name}`), join(tasks, name));
    }
  };
  const began = join(root, "began");
  for (let kill = 0; kill < kills; kill++) {
    drop(Math.ceil(count / kills));
    const place = rng.between(0, 1);
    const victim = team[place];
    if (victim === undefined) throw new Error("no such process");
    await victim.running.line(/^started$/);
    // Anywhere within a task: some more are to have begun.
    const more = Math.min(linesOf(began).length + rng.between(1, 6), dropped);
    await untilLines(began, more, rng.between(1, 7));
    victim.running.child.kill("SIGKILL");
    await victim.running.ended;
    team[place] = start(victim.state);
  }
  drop(count);
  const claimed = join(tasks, ".claimed");
  await vi.waitFor(
    () => {
      expect(readdirSync(join(root, "results", "review"))).toHaveLength(count);
      // A part of a file whose writer was killed is cleaned away later.
      expect(readdirSync(claimed).filter((name) => !name.endsWith(".tmp"))).toEqual([]);
    },
    { timeout: 300_000, interval: 50 },
  );
  for (const { running } of team) {
    running.child.kill("SIGKILL");
    await running.ended;
  }

  expect(readdirSync(join(root, "dlq", "review"))).toEqual([]);
  expect(readdirSync(join(root, "triggers", "orchestrator"))).toHaveLength(count);
  expect(existsSync(join(root, "twice"))).toBe(false);
  // Only attempts that a kill interrupted are repeated.
  const again = linesOf(began).length - count;
  expect(new Set(linesOf(began)).size).toBe(count);
  expect(again).toBeLessThanOrEqual(kills * CONCURRENCY);
  expect(new Set(linesOf(join(root, "ended"))).size).toBe(count);
  const emitted = states.flatMap((state) => {
    const db = StateDatabase.open(state);
    const spool = new Spool(db, { hostId: "a", maxBytes: 1e9, now: Date.now, log: silent });
    const signals: { signal: string; facts: { task_id: string; claim: string } }[] = [];
    for (let from = 1, batch = spool.read("local", from, 1_000, 1e9); batch !== null; ) {
      signals.push(...batch.texts.map((text) => JSON.parse(text)));
      from = batch.last + 1;
      batch = spool.read("local", from, 1_000, 1e9);
    }
    db.close();
    return signals;
  });
  const complete = emitted.filter(({ signal }) => signal === "Q_WORKER_TASK_COMPLETE");
  expect(new Set(complete.map(({ facts }) => facts.task_id)).size).toBe(count);
  // Two processes have two spools: after a kill between the report and the release of the claim, the next owner reports
  // a second time, under the same claim.
  const twice = complete.length - new Set(complete.map(({ facts }) => facts.claim)).size;
  expect(twice).toBeLessThanOrEqual(kills * CONCURRENCY);
  console.log(`${count + again} attempts for ${count} tasks, ${twice} reported twice`);
}, 3_600_000);
