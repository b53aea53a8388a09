import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { Dice } from "../../faults/dice.ts";
import { readLog } from "../../faults/what-is-kept.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { within } from "../../harness/until.ts";

const portOf = (edge: RunningEdge) => Number(new URL(edge.url).port);
const again = (edge: RunningEdge) => runEdge({ stateDir: edge.stateDir, port: portOf(edge) });

test("what was expected before the edge was killed is told of once each, on time where it is up and at once where it was not", async () => {
  const edge = await runEdge();
  const client = edge.client();
  const expecting = (id: string, seconds: number) => ({
    ...{ id, when: "Q_ASKED", where: `facts.within == ${seconds}`, then: [] },
    expect: {
      ...{ signal: "Q_ANSWERED", by: "facts.n", within: `${seconds}s` },
      else: [{ emit: { signal: "Q_UNANSWERED", facts: { n: "facts.n" } } }],
    },
  });
  const SECONDS = [4, 9, 18] as const;
  for (const seconds of SECONDS) await client.policy.put(`within-${seconds}`, expecting(`within-${seconds}`, seconds));
  // Every fourth is answered: before the kill, or after it and in time.
  const asked = Array.from({ length: 60 }, (_, n) => ({ n, within: SECONDS[n % 3] ?? 4 }));
  const answered = (n: number) => n % 4 === 0;
  for (const facts of asked) await client.emit({ signal: "Q_ASKED", source: "test", facts, id: `asked.${facts.n}` });
  const answer = (n: number) => client.emit({ signal: "Q_ANSWERED", source: "test", facts: { n } });
  const inTime = asked.filter(({ n }) => answered(n));
  for (const { n, within } of inTime) if (within < 18) await answer(n);

  await edge.process.killGroup();
  await pause(4_500);
  const second = await again(edge);
  const upMs = Date.now();
  const late = asked.filter(({ n }) => !answered(n));
  const untilTold = async (count: number) => {
    const follow = second.client().follow({ after: 0, signals: ["Q_UNANSWERED"] });
    for await (const _ of follow) if (--count === 0) return;
  };
  // Nothing is asked of the rules meanwhile: it is their alarm that wakes them.
  await within(untilTold(late.filter(({ within }) => within < 18).length), "the first expectations to run out");
  for (const { n, within } of inTime) if (within === 18) await answer(n);
  await within(untilTold(late.length), "every expectation to run out");
  // What was told twice is in the log before what comes now.
  await second.process.killGroup();
  const third = await again(second);
  const log = await readLog(third);
  const all = log.filter(({ signal }) => signal === "Q_UNANSWERED");
  expect(all.map(({ facts }) => Number(facts.n)).toSorted((a, b) => a - b)).toEqual(late.map(({ n }) => n));
  const askedAt = new Map(log.filter(({ signal }) => signal === "Q_ASKED").map((one) => [one.facts.n, one]));
  for (const { facts, received_at } of all) {
    const { received_at: since, facts: wanted } = askedAt.get(facts.n) as Signal;
    const dueMs = Date.parse(since) + Number(wanted.within) * 1_000;
    const lateMs = Date.parse(received_at) - Math.max(dueMs, upMs);
    expect(Date.parse(received_at)).toBeGreaterThanOrEqual(dueMs);
    // To the second; what ran out while nobody was there, within a second of somebody being there.
    expect(lateMs).toBeLessThan(1_000);
  }
}, 120_000);

test("whoever follows the log has every trigger of every advisory, once and in order, however often the edge is killed between them", async () => {
  const dice = new Dice(20_268);
  let edge = await runEdge();
  const client = edge.client();
  const ADVISORIES = 120;
  await client.policy.put("ripple", {
    ...{ id: "ripple", when: "Q_RIPPLE", rate: { n: 10_000, per: "1m" } },
    then: [{ emit: { signal: "Q_RIPPLE_TRIGGER", facts: { n: "facts.n" } } }],
  });
  const heard: Signal[] = [];
  const hearing = (async () => {
    for await (const signal of client.follow({ after: 0, signals: ["Q_RIPPLE_TRIGGER"] })) {
      heard.push(signal);
      if (Number(signal.facts.n) === ADVISORIES) return;
    }
  })();
  const telling = (async () => {
    for (let n = 1; n <= ADVISORIES; n++) {
      const advisory = { signal: "Q_RIPPLE", source: "test", facts: { n }, id: `ripple.${n}` };
      // It has an id: sent until the edge has said that it has it, it is in the log once.
      for (let sent = false; !sent; )
        sent = await client.emit(advisory).then(
          () => true,
          () => pause(100).then(() => false),
        );
      await pause(dice.between(0, 100));
    }
  })();
  for (let kill = 0; kill < 4; kill++) {
    await pause(dice.between(100, 1_500));
    await edge.process.killGroup();
    edge = await again(edge);
  }
  await within(Promise.all([telling, hearing]), "the last trigger", 60_000);
  expect(heard.map(({ facts }) => facts.n)).toEqual(Array.from({ length: ADVISORIES }, (_, place) => place + 1));
  expect(heard.map(({ cause }) => cause)).toEqual(heard.map(({ facts }) => `ripple.${facts.n}`));
}, 120_000);
