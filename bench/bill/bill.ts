import { setTimeout as sleep } from "node:timers/promises";
import { amountsOf, monthlyBill } from "../../src/core/billing/bill.ts";
import { predictFleetDay } from "../../src/core/billing/predict.ts";
import { type Amounts, INCLUDED, LINES, UNITS } from "../../src/core/billing/prices.ts";
import { paceOf } from "../../src/core/deployment/profile.ts";
import { type EdgeUnderTest, startEdgeUnderTest } from "../edge-under-test.ts";
import { type Report, rounded } from "../figure.ts";
import { Fleet, type Sent } from "./fleet.ts";
import { afterRound, amountsOfMonth, type Measured, measure } from "./measure.ts";
import { tasksOfMonth } from "./tasks.ts";

const HOSTS = 50;
const FREE_HOSTS = 20;
const DAYS = 30;
/** Of the free profile; see docs/costs.md. */
const FREE_SAMPLER_SECONDS = 60;

interface Case {
  readonly figure: string;
  readonly samplerSeconds: number | null;
  readonly agentsPerHost: number;
  /** 0 to 1 */
  readonly observationShare: number;
  readonly atMost?: number;
  readonly messagesAtMost?: number;
}

const CASES: readonly Case[] = [
  { figure: "idle_sampler_off", samplerSeconds: null, agentsPerHost: 0, observationShare: 0, atMost: 10 },
  { figure: "idle_defaults", samplerSeconds: 5, agentsPerHost: 0, observationShare: 0, atMost: 10 },
  { figure: "one_a_second_a_host", samplerSeconds: 5, agentsPerHost: 1, observationShare: 0, messagesAtMost: 150 },
  {
    figure: "one_a_second_an_agent",
    samplerSeconds: 5,
    agentsPerHost: 20,
    observationShare: 0.5,
    atMost: 20,
    messagesAtMost: 400,
  },
  {
    figure: "one_a_second_an_agent_observations",
    samplerSeconds: 5,
    agentsPerHost: 20,
    observationShare: 1,
    atMost: 20,
    messagesAtMost: 400,
  },
];

/**
 * What a fleet of 50 hosts costs on Cloudflare, in US dollars a month with what the plan includes: the messages, rows and
 * operations of a short run of the embedded edge, as its own meter counts them, as if it went on for a month.
 * `GANGLION_BENCH_SECONDS`: how long each flow is measured, default 30; `GANGLION_BENCH_ONLY`: figures, with commas.
 */
export async function bill(_: EdgeUnderTest, report: Report): Promise<void> {
  const seconds = Number(process.env.GANGLION_BENCH_SECONDS) || 30;
  const only = process.env.GANGLION_BENCH_ONLY?.split(",");
  const wanted = (figure: string) => only === undefined || only.includes(figure);
  for (const one of CASES)
    if (wanted(one.figure)) await withEdge("paid", (edge) => fleetCase(edge, one, seconds, report));
  for (const minutes of [1, 5, 60]) {
    if (wanted(`tasks_of_${minutes}_min`))
      await withEdge("paid", (edge) => taskCase(edge, minutes, 2 * seconds, report));
  }
  if (wanted("free_profile")) await withEdge("free", (edge) => freeCase(edge, report));
}

async function withEdge(profile: string, run: (edge: EdgeUnderTest) => Promise<void>) {
  // The watchdog of an edge on one machine makes a request a second, which Cloudflare never sees.
  const edge = await startEdgeUnderTest({ GANGLION_PROFILE: profile, GANGLION_WATCHDOG_SECONDS: "0" });
  try {
    await run(edge);
  } finally {
    await edge.stop();
  }
}

async function fleetCase(edge: EdgeUnderTest, one: Case, seconds: number, report: Report): Promise<void> {
  const fleet = await Fleet.start(edge, { hosts: HOSTS, samplerSeconds: one.samplerSeconds });
  try {
    const { measured, sent } = await flow(edge, fleet, one, seconds);
    const aSecond = (count: number) => rounded(count / measured.seconds);
    const { messages, ...details } = priced(amountsOfMonth(measured), measured);
    const { atMost, messagesAtMost, figure } = one;
    report({
      bench: "bill",
      figure,
      unit: "USD a month",
      ...details,
      ...(atMost === undefined ? {} : { target: { at_most: atMost } }),
      hosts: HOSTS,
      agents: HOSTS * one.agentsPerHost,
      share_of_observations: one.observationShare,
      sampler_seconds: one.samplerSeconds,
    });
    report({
      bench: "bill",
      figure: `${figure}_messages`,
      value: messages,
      unit: "incoming messages of the log a second",
      ...(messagesAtMost === undefined ? {} : { target: { at_most: messagesAtMost } }),
      signals_a_second: aSecond(sent.signals),
      frames_of_signals_a_second: aSecond(sent.frames),
      acknowledgements_a_second: aSecond(sent.acknowledgements),
    });
  } finally {
    fleet.stop();
  }
}

async function flow(
  edge: EdgeUnderTest,
  fleet: Fleet,
  { agentsPerHost, observationShare }: Case,
  seconds: number,
): Promise<{ measured: Measured; sent: Sent }> {
  fleet.emit(agentsPerHost, observationShare);
  // What is free for a burst is used up, and links have been reported.
  if (agentsPerHost > 0) await sleep(45_000);
  else await afterRound();
  const before = fleet.sent;
  const measured = await measure(edge, agentsPerHost > 0 ? seconds : 120);
  const { sent: after } = fleet;
  const sent = {
    signals: after.signals - before.signals,
    frames: after.frames - before.frames,
    acknowledgements: after.acknowledgements - before.acknowledgements,
  };
  return { measured, sent };
}

async function taskCase(edge: EdgeUnderTest, minutes: number, seconds: number, report: Report): Promise<void> {
  const { amounts, running } = await tasksOfMonth(edge, HOSTS, minutes, seconds);
  const { messages: _, ...details } = priced(amounts, undefined);
  // What the tasks add to the plan: it is paid anyway.
  report({
    bench: "bill",
    figure: `tasks_of_${minutes}_min`,
    unit: "USD a month beside the plan",
    ...details,
    value: rounded(details.value - 5),
    ...(minutes === 60 ? { target: { at_most: 3 } } : {}),
    tasks_a_day: 10_000,
    running_at_a_time: running,
  });
}

/** What twenty hosts use of each daily allowance of the free plan. */
async function freeCase(edge: EdgeUnderTest, report: Report): Promise<void> {
  const fleet = await Fleet.start(edge, { hosts: FREE_HOSTS, samplerSeconds: FREE_SAMPLER_SECONDS });
  try {
    await afterRound();
    const amounts = amountsOfMonth(await measure(edge, 180));
    const { amounts: included } = INCLUDED.free;
    const messagesPerMinute = paceOf({ PROFILE: "free" }).observations.perSecond * 60;
    const fleetDay = { hosts: FREE_HOSTS, samplerSeconds: FREE_SAMPLER_SECONDS, messagesPerMinute };
    const predicted = amountsOf(predictFleetDay(fleetDay), amounts.storage);
    const lines = LINES.filter((line) => Number.isFinite(included[line])).map((line) => {
      const used = line === "storage" ? amounts.storage : amounts[line] / DAYS;
      return {
        line,
        unit: UNITS[line],
        a_day: Math.round(used),
        predicted: Math.round(predicted[line]),
        included: included[line],
        share: used / included[line],
      };
    });
    report({
      bench: "bill",
      figure: "free_profile",
      value: rounded(Math.max(...lines.map(({ share }) => share))),
      unit: "of the allowance that is used most",
      target: { at_most: 1 },
      hosts: FREE_HOSTS,
      sampler_seconds: FREE_SAMPLER_SECONDS,
      lines: Object.fromEntries(lines.map(({ line, ...rest }) => [line, { ...rest, share: rounded(rest.share) }])),
    });
  } finally {
    fleet.stop();
  }
}

function priced(amounts: Amounts, measured: Measured | undefined) {
  const { lines, usd, list_usd } = monthlyBill(amounts, "paid");
  return {
    value: rounded(usd),
    list_price: rounded(list_usd),
    lines: Object.fromEntries(
      LINES.map((line) => [
        line,
        { used: rounded(lines[line].used), unit: UNITS[line], usd: rounded(lines[line].usd) },
      ]),
    ),
    messages: rounded(measured?.messagesPerSecond ?? 0),
  };
}
