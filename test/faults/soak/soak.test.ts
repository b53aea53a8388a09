import { expect, test } from "vitest";
import { MAX_CRASHES } from "../../../src/core/reactions/run.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { AT_ONCE } from "./host-config.ts";
import { soak } from "./soak.ts";

// `npm run soak` is the long run.
const faults = Number(process.env.GANGLION_FAULTS ?? 6);
const seed = Number(process.env.GANGLION_SEED ?? 20266);
const share = (count: number) => Math.max(5, Math.round((count * faults) / 6));
const amounts = {
  signals: share(150),
  asked: share(40),
  intents: share(60),
  tasks: share(40),
  dropped: share(30),
  bus: share(300),
};

const numbersOf = (log: readonly Signal[], name: string, fact = "n") =>
  log.filter(({ signal }) => signal === name).map(({ facts }) => Number(facts[fact]));
const upTo = (count: number) => Array.from({ length: count }, (_, place) => place + 1);
const ascending = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

test(`${faults} faults of five kinds in random order: every signal is in the log once, and every reaction and task ends once (seed ${seed})`, async () => {
  const { log, happened, tasks, spooled, runs } = await soak({
    seed,
    faults,
    amounts,
    say: (line) => console.log(line),
  });
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, place) => place + 1));
  expect(new Set(log.map(({ id }) => id)).size).toBe(log.length);

  // What a durable source held.
  expect(numbersOf(log, "Q_SOAK_SPOKE")).toEqual(upTo(amounts.signals));
  const intents = log.filter(
    ({ signal, source }) => signal === "Q_CURIOSITY_INVESTIGATE" && source.startsWith("intent"),
  );
  expect(intents.map(({ facts }) => String(facts.question_id)).toSorted()).toEqual(
    upTo(amounts.intents)
      .map((n) => `intent-${n}`)
      .toSorted(),
  );
  // What the agent had taken from a bus that forgets.
  const bus = numbersOf(log, "Q_SOAK_BUS");
  expect(bus).toEqual(ascending(bus));
  const inLog = new Set(bus);
  expect([...spooled].filter((n) => !inLog.has(n))).toEqual([]);
  expect(bus.length).toBeGreaterThan(0);

  // Every reaction has answered once, every task and every dropped file is done once.
  const failed = log.filter(({ signal }) => signal === "Q_REACTION_FAILED");
  const reasons = failed.map(({ facts }) => `${facts.reaction}: ${facts.error}`);
  expect(reasons.filter((one) => one !== `answer: the agent crashed ${MAX_CRASHES} times during the run`)).toEqual([]);
  expect(failed.length).toBeLessThanOrEqual(Math.floor((happened.agent * AT_ONCE) / MAX_CRASHES));
  const answered = [...numbersOf(log, "Q_SOAK_ANSWERED"), ...numbersOf(log, "Q_REACTION_FAILED")];
  expect(ascending(answered)).toEqual(upTo(amounts.asked));
  expect(ascending(numbersOf(log, "Q_SOAK_TASK_DONE"))).toEqual(upTo(amounts.tasks));
  expect(tasks).toEqual(upTo(amounts.tasks).map((n) => [`task-${n}`, "complete", 1]));
  const dropped = log
    .filter(({ signal }) => signal === "Q_WORKER_TASK_COMPLETE")
    .map(({ facts }) => String(facts.task_id));
  expect(dropped.toSorted()).toEqual(
    upTo(amounts.dropped)
      .map((n) => `d${n}`)
      .toSorted(),
  );
  // A run that a kill cut off was begun again, and no other.
  const extra = happened.agent * AT_ONCE;
  expect(runs.reactions - amounts.asked).toBeLessThanOrEqual(extra);
  expect(runs.dropped - amounts.dropped).toBeLessThanOrEqual(extra);
  console.log(JSON.stringify({ happened, signals: log.length, bus: bus.length, of: amounts.bus, runs }));
}, 3_600_000);
