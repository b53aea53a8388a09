import { setTimeout as sleep } from "node:timers/promises";
import { OBJECT_GB, PRICES, priceOf } from "../src/core/billing/prices.ts";
import { NO_USAGE, type Usage, usageSince } from "../src/core/billing/usage.ts";
import { Fleet } from "./bill/fleet.ts";
import { MONTH_SECONDS } from "./bill/measure.ts";
import { type EdgeUnderTest, startEdgeUnderTest } from "./edge-under-test.ts";
import { type Report, rounded } from "./figure.ts";
import { getJson } from "./http-client.ts";

const HOSTS = 50;
/** What is free for a burst is used up by then, and links have been reported. */
const SETTLED_MS = 15_000;

interface Case {
  readonly figure: string;
  readonly agentsPerHost: number;
  /** 0 to 1 */
  readonly observationShare: number;
  readonly atMost: number;
}

const CASES: readonly Case[] = [
  { figure: "one_a_second_a_host", agentsPerHost: 1, observationShare: 0, atMost: 150 },
  { figure: "one_a_second_an_agent", agentsPerHost: 20, observationShare: 0.5, atMost: 400 },
  { figure: "one_a_second_an_agent_no_observations", agentsPerHost: 20, observationShare: 0, atMost: 400 },
];

/** Where the links of the fleet are. */
const PLACES = [
  { place: "at_the_log", links: "off" },
  { place: "at_relays", links: "0" },
] as const;

interface Counted {
  readonly log: Usage;
  readonly relays: Usage;
}

/**
 * What comes into the log of a fleet of 50 hosts in a second, frames of links and calls of relays together, with the links at
 * the log and at relays; and what comes into the relays, with its price.
 * `GANGLION_BENCH_SECONDS`: how long each flow is measured, default 30; `GANGLION_BENCH_ONLY`: figures, with commas.
 */
export async function relays(_: EdgeUnderTest, report: Report): Promise<void> {
  const seconds = Number(process.env.GANGLION_BENCH_SECONDS) || 30;
  const only = process.env.GANGLION_BENCH_ONLY?.split(",");
  for (const one of CASES)
    for (const { place, links } of PLACES) {
      if (only?.includes(`${one.figure}_${place}`) === false) continue;
      const edge = await startEdgeUnderTest({ GANGLION_PROFILE: "paid", GANGLION_LINK_RELAY_LINKS: links });
      try {
        const used = await measured(edge, one, seconds);
        const aSecond = (count: number) => rounded(count / used.seconds);
        const month = (usage: Usage) => rounded((listPrice(usage) / used.seconds) * MONTH_SECONDS);
        const { log, relays: relayed } = used;
        report({
          bench: "relays",
          figure: `${one.figure}_${place}`,
          value: aSecond(log.socket_messages + log.requests),
          unit: "incoming messages and calls of the log a second",
          // Without relays nothing but the agents' own gathering holds a flow down.
          ...(place === "at_the_log" ? {} : { target: { at_most: one.atMost } }),
          hosts: HOSTS,
          agents: HOSTS * one.agentsPerHost,
          share_of_observations: one.observationShare,
          log_messages_a_second: aSecond(log.socket_messages),
          log_calls_a_second: aSecond(log.requests),
          log_usd_a_month_at_list_price: month(log),
          relay_messages_a_second: aSecond(relayed.socket_messages),
          relay_calls_a_second: aSecond(relayed.requests),
          relay_usd_a_month_at_list_price: month(relayed),
        });
      } finally {
        await edge.stop();
      }
    }
}

/** With the time for which the objects could not hibernate. */
function listPrice(usage: Usage): number {
  return priceOf(usage, 0) + ((usage.open_ms / 1_000) * OBJECT_GB * PRICES.durationGbS) / 1_000_000;
}

async function measured(
  edge: EdgeUnderTest,
  { agentsPerHost, observationShare }: Case,
  seconds: number,
): Promise<Counted & { readonly seconds: number }> {
  const fleet = await Fleet.start(edge, { hosts: HOSTS, samplerSeconds: null });
  try {
    fleet.emit(agentsPerHost, observationShare);
    await sleep(SETTLED_MS);
    const before = await counted(edge);
    const beganMs = performance.now();
    await sleep(seconds * 1_000);
    const after = await counted(edge);
    return {
      seconds: (performance.now() - beganMs) / 1_000,
      log: usageSince(before.log, after.log),
      relays: usageSince(before.relays, after.relays),
    };
  } finally {
    fleet.stop();
  }
}

async function counted(edge: EdgeUnderTest): Promise<Counted> {
  const { objects } = (await getJson(edge, "/v1/default/usage")) as {
    objects: { signal_log: Usage; link_relays: Usage };
  };
  return { log: { ...NO_USAGE, ...objects.signal_log }, relays: { ...NO_USAGE, ...objects.link_relays } };
}
