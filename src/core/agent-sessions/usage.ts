import * as z from "zod";

/** What of a session is counted. Money is counted in billionths of a dollar, so that sums are exact. */
export const COUNTERS = [
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "cost_usd",
  "requests",
  "api_failures",
  "tool_calls",
  "tool_failures",
  "prompts",
  "active_seconds",
] as const;
export type Counter = (typeof COUNTERS)[number];

const NANOS = 1e9;

/** Counts so far, those of money in billionths. What is not there is 0. */
export const Tally = z.partialRecord(z.enum(COUNTERS), z.number());
export type Tally = Partial<Record<Counter, number>>;

/** Counts as people and programs see them. */
export type Usage = Readonly<Record<Counter, number>>;

export function addTo(tally: Tally, counter: Counter, value: number): void {
  if (!(value > 0)) return;
  tally[counter] = (tally[counter] ?? 0) + (counter === "cost_usd" ? Math.round(value * NANOS) : value);
}

export function addAll(tally: Tally, other: Tally): void {
  for (const counter of COUNTERS) {
    const value = other[counter];
    if (value !== undefined) tally[counter] = (tally[counter] ?? 0) + value;
  }
}

/**
 * The counts of a session by everything that counted it. Events, metrics and spans of one program count the same requests,
 * so they are not added: of each counter the largest is the nearest to the truth, since each of them may lose something.
 */
export function largest(tallies: readonly Tally[]): Tally {
  const found: Tally = {};
  for (const counter of COUNTERS) {
    const value = Math.max(0, ...tallies.map((tally) => tally[counter] ?? 0));
    if (value > 0) found[counter] = value;
  }
  return found;
}

export function usageOf(tally: Tally): Usage {
  const of = (counter: Counter) => tally[counter] ?? 0;
  return Object.fromEntries(
    COUNTERS.map((counter) => [counter, counter === "cost_usd" ? of(counter) / NANOS : round(of(counter))]),
  ) as Record<Counter, number>;
}

/** Seconds come as fractions. */
const round = (value: number): number => Math.round(value * 1_000) / 1_000;
