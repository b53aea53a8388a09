import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { Rng } from "../../faults/rng.ts";
import { readLog } from "../../faults/what-is-kept.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { within } from "../../harness/until.ts";

const portOf = (edge: RunningEdge) => Number(new URL(edge.url).port);
const again = (edge: RunningEdge) => runEdge({ stateDir: edge.stateDir, port: portOf(edge) });

/**
 * How slow the machine is at present: how long the longest of all appends took that were made meanwhile, one after the
 * other, in milliseconds. The log alone hears of them, no rule.
 */
function pulse(edge: RunningEdge): () => Promise<number> {
  const { emit } = edge.client();
  let over = false;
  let longestMs = 0;
  const beating = (async () => {
    for (let since = performance.now(); !over; ) {
      await emit({ signal: "Q_PULSE", source: "test", facts: {} });
      longestMs = Math.max(longestMs, performance.now() - since);
      since = performance.now();
      await pause(50);
    }
  })();
  return async () => {
    over = true;
    await beating;
    return longestMs;
  };
}

test.concurrent("expectations from before a kill of the edge time out once each, on time while the edge runs and at once when it was down", async () => {
  const edge = await runEdge();
  const client = edge.client();
  const expecting = (id: string, seconds: number) => ({
    id,
    when: "Q_ASKED",
    where: `facts.within == ${seconds}`,
    then: [],
    expect: {
      signal: "Q_ANSWERED",
      by: "facts.n",
      within: `${seconds}s`,
      else: [{ emit: { signal: "Q_UNANSWERED", facts: { n: "facts.n" } } }],
    },
  });
  const SECONDS = [2, 6, 11] as const;
  for (const seconds of SECONDS) await client.policy.put(`within-${seconds}`, expecting(`within-${seconds}`, seconds));
  const asked = Array.from({ length: 60 }, (_, n) => ({ n, within: SECONDS[n % 3] ?? 2 }));
  for (let n = 0; n < asked.length; n += 10) {
    const some = asked.slice(n, n + 10);
    await client.emit(some.map((facts) => ({ signal: "Q_ASKED", source: "test", facts, id: `asked.${facts.n}` })));
  }
  // Every fourth is answered: before the kill, or after it and, on a machine that is not very slow, in time.
  const answer = (few: typeof asked) =>
    client.emit(few.map(({ n }) => ({ signal: "Q_ANSWERED", source: "test", facts: { n } })));
  const answered = asked.filter(({ n }) => n % 4 === 0);
  await answer(answered.filter(({ within }) => within < 11));

  await edge.process.killGroup();
  await pause(2_500);
  const second = await again(edge);
  const upMs = Date.now();
  const slowest = pulse(second);
  // Nothing is asked of the rules meanwhile: it is their alarm that wakes them.
  await answer(answered.filter(({ within }) => within === 11));
  const unanswered = asked.filter((one) => !answered.includes(one)).map(({ n }) => n);
  const untilTold = async () => {
    const left = new Set<unknown>(unanswered);
    const follow = second.client().follow({ after: 0, signals: ["Q_UNANSWERED"] });
    for await (const { facts } of follow) if (left.delete(facts.n) && left.size === 0) return;
  };
  await within(untilTold(), "every expectation to run out");
  const paceMs = await slowest();
  // What was told twice is in the log before what comes now.
  await second.process.killGroup();
  const third = await again(second);
  const log = await readLog(third);
  const times = (name: string) =>
    new Map(
      log.filter(({ signal }) => signal === name).map((one) => [Number(one.facts.n), Date.parse(one.received_at)]),
    );
  const [askedAt, answeredAt] = [times("Q_ASKED"), times("Q_ANSWERED")];
  const dueMs = (n: number) => (askedAt.get(n) ?? Number.NaN) + Number(asked[n]?.within) * 1_000;
  // The log says what was in time.
  const late = asked.map(({ n }) => n).filter((n) => !((answeredAt.get(n) ?? Number.POSITIVE_INFINITY) < dueMs(n)));
  expect(late).toEqual(expect.arrayContaining(unanswered));
  const told = log.filter(({ signal }) => signal === "Q_UNANSWERED");
  expect(told.map(({ facts }) => Number(facts.n)).toSorted((a, b) => a - b)).toEqual(late);
  for (const { facts, received_at } of told) {
    const due = dueMs(Number(facts.n));
    expect(Date.parse(received_at)).toBeGreaterThanOrEqual(due);
    // To the second; what ran out while nobody was there, within a second of somebody being there. On a machine that is
    // busy with other things, as much later as a few appends take.
    expect(Date.parse(received_at) - Math.max(due, upMs)).toBeLessThan(1_000 + 4 * paceMs);
  }
});

test.concurrent("a follower of the log receives every trigger of a rule once and in order, however often the edge is killed", async () => {
  const rng = new Rng(20_268);
  let edge = await runEdge();
  const client = edge.client();
  const ADVISORIES = 120;
  await client.policy.put("ripple", {
    id: "ripple",
    when: "Q_RIPPLE",
    rate: { n: 10_000, per: "1m" },
    then: [{ emit: { signal: "Q_RIPPLE_TRIGGER", facts: { n: "facts.n" } } }],
  });
  const heard: Signal[] = [];
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const hearing = (async () => {
    for await (const signal of client.follow({ after: 0, signals: ["Q_RIPPLE_TRIGGER"] })) {
      heard.push(signal);
      begin();
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
      await pause(rng.between(0, 100));
    }
  })();
  // A stream must have been open to be opened again.
  await within(begun, "the first trigger");
  for (let kill = 0; kill < 4; kill++) {
    await pause(rng.between(100, 1_500));
    await edge.process.killGroup();
    edge = await again(edge);
  }
  await within(Promise.all([telling, hearing]), "the last trigger");
  expect(heard.map(({ facts }) => facts.n)).toEqual(Array.from({ length: ADVISORIES }, (_, place) => place + 1));
  expect(heard.map(({ cause }) => cause)).toEqual(heard.map(({ facts }) => `ripple.${facts.n}`));
});
