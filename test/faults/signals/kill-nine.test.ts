import { expect, test } from "vitest";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { killNine } from "./kill-nine.ts";

// `GANGLION_KILLS=50 GANGLION_SIGNALS=20000 npx vitest run --project integration test/faults` is the long run.
const kills = Number(process.env.GANGLION_KILLS ?? 6);
const signals = Number(process.env.GANGLION_SIGNALS ?? 2_000);
const seed = Number(process.env.GANGLION_SEED ?? 20261);

const numbersOf = (log: readonly Signal[], name: string) =>
  log.filter(({ signal }) => signal === name).map(({ facts }) => Number(facts.n));
const isAscending = (numbers: readonly number[]) =>
  numbers.every((n, place) => place === 0 || n > (numbers[place - 1] ?? n));

test(`agent and edge killed ${kills} times at random: the log holds each of ${signals} signals once, in its sender's order (seed ${seed})`, async () => {
  const { log, sent, spooled, killed } = await killNine({ seed, kills, signals, say: (line) => console.log(line) });
  expect(killed.agent + killed.edge).toBe(kills);
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, place) => place + 1));
  expect(new Set(log.map(({ id }) => id)).size).toBe(log.length);

  const intents = log
    .filter(({ signal }) => signal === "Q_CURIOSITY_INVESTIGATE")
    .map(({ facts }) => String(facts.question_id));
  expect(intents.toSorted()).toEqual(Array.from({ length: sent.intents }, (_, n) => `intent-${n + 1}`).toSorted());

  expect(numbersOf(log, "Q_CLIENT_SPOKE")).toEqual(Array.from({ length: sent.client }, (_, n) => n + 1));

  // What a publisher says while no agent listens is gone by the nature of its bus; what the agent had taken is not.
  const bus = numbersOf(log, "Q_BUS_SPOKE");
  expect(isAscending(bus)).toBe(true);
  const inLog = new Set(bus);
  expect([...spooled].filter((n) => !inLog.has(n))).toEqual([]);
  expect(bus.length).toBeGreaterThan(0);
  console.log(`${bus.length} of ${sent.bus} bus signals reached an agent that listened`);
}, 3_600_000);
