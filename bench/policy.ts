import { admitRule } from "../src/core/policy/admit-rule.ts";
import { PolicyEngine } from "../src/core/policy/engine.ts";
import type { Rule } from "../src/core/policy/rule.ts";
import type { Signal } from "../src/core/signals/signal.ts";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { percentile, type Report, rounded } from "./figure.ts";
import { getJson, postSignals } from "./http-client.ts";
import { openLink } from "./link-client.ts";

const ROUNDS = 200;
const SIGNALS = 20_000;
const PENDING = 10_000;
const OFTEN = { n: 1_000_000, per: "1m" };

/** From an advisory to its trigger, what a signal costs by the number of rules, and what it is to wait for thousands. */
export async function policy(edge: EdgeUnderTest, report: Report): Promise<void> {
  await reaction(edge, report);
  for (const rules of [1, 100, 1_000]) report(costBySize(rules));
  for (const pending of [0, PENDING]) report(costByPending(pending));
  await timeouts(edge, report);
}

/** Through the real queue, to a subscriber that is connected. */
async function reaction(edge: EdgeUnderTest, report: Report): Promise<void> {
  await put(edge, "bench-trigger", {
    when: "Q_BENCH_ADVISORY",
    where: "facts.promotion_count > 0",
    while_in_flight: { until: "Q_BENCH_DONE", at_most: "2h" },
    rate: OFTEN,
    then: [{ emit: { signal: "Q_BENCH_TRIGGER", facts: { promotion_count: "facts.promotion_count" } } }],
  });
  const subscriber = await openLink(edge, "policy-subscriber");
  subscriber.send(JSON.stringify({ type: "subscribe", after: null, signals: ["Q_BENCH_TRIGGER"] }));
  let arrived = (): void => {};
  subscriber.onSignals = (_, last) => {
    subscriber.send(`{"type":"seen","seq":${last}}`);
    arrived();
  };
  const advisory = signalText("Q_BENCH_ADVISORY", { promotion_count: 3 });
  const done = signalText("Q_BENCH_DONE", {});
  const millis: number[] = [];
  for (let round = 0; round < ROUNDS + 20; round++) {
    const there = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const started = performance.now();
    // What was under way ends with the same request that brings the next advisory.
    const sent = postSignals(edge, `[${done},${advisory}]`);
    await there;
    if (round >= 20) millis.push(performance.now() - started);
    await sent;
  }
  subscriber.close();
  report({
    bench: "policy",
    figure: "advisory_to_trigger",
    value: rounded(percentile(millis, 0.5)),
    unit: "ms",
    target: { at_most: 300 },
    p99_ms: rounded(percentile(millis, 0.99)),
    rounds: ROUNDS,
  });
}

/** One of the rules matches, whatever their number. */
function costBySize(rules: number) {
  const engine = new PolicyEngine(
    Array.from({ length: rules }, (_, at) =>
      rule({
        id: `r${at}`,
        when: at % 10 === 9 ? `Q_BENCH_${at}_*` : `Q_BENCH_${at}`,
        where: "facts.n >= 0",
        rate: OFTEN,
        then: [{ emit: { signal: "Q_OUT", facts: { n: "facts.n" } } }],
      }),
    ),
  );
  const value = microsPerSignal(engine, "Q_BENCH_0");
  return { bench: "policy", figure: `signal_with_${rules}_rules`, value, unit: "us", signals: SIGNALS };
}

/** Asked and answered while so many others are waited for. */
function costByPending(pending: number) {
  const engine = new PolicyEngine([
    rule({
      id: "waits",
      when: "Q_BENCH_0",
      rate: OFTEN,
      expect: { signal: "Q_BENCH_A", by: "facts.n", within: "1d", else: [{ emit: { signal: "Q_L", facts: {} } }] },
    }),
  ]);
  for (let at = 0; at < pending; at++) engine.evaluate(signal(at + 1, "Q_BENCH_0", { n: -1 - at }));
  const value = microsPerSignal(engine, "Q_BENCH_0", "Q_BENCH_A");
  return { bench: "policy", figure: `signal_with_${pending}_pending`, value, unit: "us", signals: SIGNALS };
}

function microsPerSignal(engine: PolicyEngine, ...names: string[]): number {
  const signals = Array.from({ length: SIGNALS }, (_, at) =>
    signal(PENDING + at + 1, names[at % names.length] ?? "", { n: Math.floor(at / names.length) }),
  );
  const warm = signals.length / 4;
  for (const one of signals.slice(0, warm)) engine.evaluate(one);
  const started = performance.now();
  for (const one of signals.slice(warm)) engine.evaluate(one);
  return rounded(((performance.now() - started) * 1_000) / (signals.length - warm));
}

/** Ten thousand that do not come: how late their time-outs are, by the log's own times. */
async function timeouts(edge: EdgeUnderTest, report: Report): Promise<void> {
  await put(edge, "bench-waits", {
    when: "Q_BENCH_ASKED",
    rate: OFTEN,
    expect: {
      signal: "Q_BENCH_ANSWERED",
      by: "facts.n",
      within: "20s",
      else: [{ emit: { signal: "Q_BENCH_LATE", facts: { n: "facts.n" } } }],
    },
  });
  const subscriber = await openLink(edge, "late-subscriber");
  subscriber.send(JSON.stringify({ type: "subscribe", after: null, signals: ["Q_BENCH_LATE"] }));
  const lateness: number[] = [];
  const all = new Promise<void>((resolve) => {
    subscriber.onSignals = (text, last) => {
      subscriber.send(`{"type":"seen","seq":${last}}`);
      const { signals } = JSON.parse(text) as { signals: Signal[] };
      for (const { received_at, timestamp } of signals) lateness.push(Date.parse(received_at) - Date.parse(timestamp));
      if (lateness.length >= PENDING) resolve();
    };
  });
  for (let at = 0; at < PENDING; at += 1_000) {
    const batch = Array.from({ length: 1_000 }, (_, place) => signalText("Q_BENCH_ASKED", { n: at + place }));
    await postSignals(edge, `[${batch.join(",")}]`);
  }
  const { total } = (await getJson(edge, "/v1/default/expectations?limit=1")) as { total: number };
  await all;
  subscriber.close();
  report({
    bench: "policy",
    figure: "time_out_lateness_of_10000",
    value: rounded(percentile(lateness, 0.5)),
    unit: "ms",
    target: { at_most: 1_000 },
    worst_ms: Math.max(...lateness),
    pending_when_asked: total,
    told: lateness.length,
  });
}

function rule(written: object): Rule {
  const admitted = admitRule(written);
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.errors));
  return { ...admitted.rule, version: 1 };
}

async function put(edge: EdgeUnderTest, id: string, body: object): Promise<void> {
  const response = await fetch(`${edge.url}/v1/default/policies/${id}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${edge.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`the rule ${id} was answered ${response.status}: ${await response.text()}`);
}

const signalText = (name: string, facts: object) => JSON.stringify({ signal: name, source: "bench/policy", facts });

function signal(seq: number, name: string, facts: Record<string, unknown>): Signal {
  const received_at = new Date(1_800_000_000_000 + seq).toISOString();
  return { seq, id: `s${seq}`, signal: name, source: "b", ecosystem: "e", timestamp: received_at, received_at, facts };
}
