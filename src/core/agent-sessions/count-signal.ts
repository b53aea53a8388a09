import { parseTimestamp } from "../signals/timestamp.ts";
import { growth } from "./counter-series.ts";
import type { Counts, Session } from "./session.ts";
import type { SessionEvent } from "./session-event.ts";
import { addAll, addTo, COUNTERS, type Counter, type Tally } from "./usage.ts";

/** Chains of one session whose counts are kept apart; the counts of the oldest of more stand under {@link OTHERS}. */
const MAX_CHAINS = 20;
export const OTHERS = "others";
/** Counters from their start on, of one session. */
const MAX_SERIES = 64;
const MAX_SERIES_NAME = 256;
/** No counter of a program is higher. */
const MAX_VALUE = 1e12;

/** Adds what a signal counts to its session, and to the chains that it belongs to. @returns whether anything has grown */
export function countSignal(session: Session, event: SessionEvent): boolean {
  const grown = tallyOf(session, event);
  if (Object.keys(grown).length === 0) return false;
  add(session.counts, event.from, grown);
  for (const chain of chainsOf(event)) add(countsOfChain(session, chain), event.from, grown);
  return true;
}

/** Names of the chains of an event: the id of its trace, and its task. */
function chainsOf({ trace, facts }: SessionEvent): string[] {
  const { task } = facts;
  const traced = trace === undefined ? [] : [trace.slice(3, 35)];
  return typeof task === "string" && task !== "" ? [...traced, task.slice(0, 256)] : traced;
}

function countsOfChain(session: Session, chain: string): Counts {
  const known = session.chains.find((one) => one.chain === chain);
  if (known !== undefined) return known.counts;
  if (session.chains.length >= MAX_CHAINS) {
    const place = session.chains.findIndex((one) => one.chain !== OTHERS);
    const [oldest] = session.chains.splice(place, 1);
    const others = session.chains.find((one) => one.chain === OTHERS)?.counts ?? {};
    for (const [origin, tally] of Object.entries(oldest?.counts ?? {})) add(others, origin as keyof Counts, tally);
    session.chains = [{ chain: OTHERS, counts: others }, ...session.chains.filter((one) => one.chain !== OTHERS)];
  }
  const counts: Counts = {};
  session.chains.push({ chain, counts });
  return counts;
}

function add(counts: Counts, origin: keyof Counts, grown: Tally): void {
  const tally = counts[origin] ?? {};
  counts[origin] = tally;
  addAll(tally, grown);
}

function tallyOf(session: Session, { signal, facts, from }: SessionEvent): Tally {
  const grown: Tally = {};
  switch (signal) {
    case "Q_SESSION_PROMPTED":
      addTo(grown, "prompts", 1);
      break;
    case "Q_SESSION_TOOL_ENDED":
      addTo(grown, "tool_calls", 1);
      if (facts.ok === false) addTo(grown, "tool_failures", 1);
      break;
    case "Q_SESSION_API_FAILED":
      addTo(grown, "api_failures", 1);
      break;
    case "Q_SESSION_USAGE":
      if (from !== "metrics") addTo(grown, "requests", 1);
      for (const counter of COUNTERS) {
        const value = facts[counter];
        if (isAmount(value) && counter !== "requests") addTo(grown, counter, value);
      }
      if (Array.isArray(facts.totals)) for (const total of facts.totals) addTotal(session, grown, total);
  }
  return grown;
}

/** A counter that counts from its start on: what it has grown by. */
function addTotal(session: Session, grown: Tally, total: unknown): void {
  const { series, counter, value, start, at } = Object(total) as Record<string, unknown>;
  if (typeof series !== "string" || !isCounter(counter) || !isAmount(value)) return;
  const atMs = timeOf(at);
  if (atMs === null || !series.startsWith(counter) || series.length > MAX_SERIES_NAME) return;
  const before = session.series[series];
  if (before === undefined && Object.keys(session.series).length >= MAX_SERIES) return;
  const { by, after } = growth(before, { startMs: timeOf(start), atMs, value });
  session.series[series] = after;
  addTo(grown, counter, by);
}

const isAmount = (value: unknown): value is number => typeof value === "number" && value >= 0 && value <= MAX_VALUE;
const timeOf = (value: unknown): number | null => (typeof value === "string" ? (parseTimestamp(value) ?? null) : null);
const isCounter = (name: unknown): name is Counter => COUNTERS.some((counter) => counter === name);
