import { expect, test } from "vitest";
import { MAX_CRASHES } from "../../../src/core/reactions/run.ts";
import { amountsFor } from "./amounts.ts";
import { deadLetterFaults, isGivenUp } from "./dead-letter-faults.ts";
import { AT_ONCE } from "./host-config.ts";
import { soak } from "./soak.ts";

// `npm run soak` is the long run.
const kills = Number(process.env.GANGLION_FAULTS ?? 6);
const seed = Number(process.env.GANGLION_SEED ?? 20266);
const amounts = amountsFor(process.env.GANGLION_AMOUNT ?? "", kills);

test(`${kills} kills and other faults in random order: every signal is in the log once, and every reaction, task and call ends once (seed ${seed})`, async () => {
  const outcome = await soak({ seed, kills, amounts, say: (line) => console.log(line) });
  const { ledger, happened, crashes, wrongTasks, deadLetters, calls, spooled, runs } = outcome;
  const kinds = Map.groupBy(deadLetters, ({ kind }) => kind);
  console.log(
    JSON.stringify({
      seed,
      happened,
      crashes,
      log: ledger.length,
      ...ledger.summary(),
      bus: `${ledger.bus.length} of ${amounts.bus}`,
      calls: { ...calls, wrong: calls.wrong.length },
      given_up: ledger.givenUp.length,
      dead_letters: Object.fromEntries([...kinds].map(([kind, all]) => [kind, all.length])),
      runs,
    }),
  );
  expect(ledger.faults()).toEqual([]);
  expect(wrongTasks).toEqual([]);
  expect(calls.wrong).toEqual([]);
  expect(calls.replies + calls.late + calls.lost).toBe(amounts.calls);
  expect(calls.spoiled).toBe(amounts.spoiled);

  // What the agent had taken from a bus that forgets.
  expect(ledger.bus).toEqual(ledger.bus.toSorted((a, b) => a - b));
  const inLog = new Set(ledger.bus);
  expect(inLog.size).toBe(ledger.bus.length);
  expect([...spooled].filter((n) => !inLog.has(n))).toEqual([]);
  expect(inLog.size).toBeGreaterThan(0);

  // A reaction is given up that ran at too many kills, and a run that a kill cut off was begun again; no other was.
  const crashed = `answer: the agent crashed ${MAX_CRASHES} times during the run`;
  expect(ledger.givenUp.filter((reason) => reason !== crashed)).toEqual([]);
  const cutOff = (happened.agent ?? 0) * AT_ONCE;
  expect(ledger.givenUp.length).toBeLessThanOrEqual(Math.floor(cutOff / MAX_CRASHES));
  expect(runs.reactions - amounts.asked).toBeLessThanOrEqual(cutOff);
  expect(runs.dropped - amounts.dropped).toBeLessThanOrEqual(cutOff);

  expect(deadLetterFaults(deadLetters, amounts)).toEqual([]);
  expect(deadLetters.filter(isGivenUp).length).toBe(ledger.givenUp.length);
}, 7_200_000);
