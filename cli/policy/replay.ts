import type { Client } from "../../src/client/client.ts";
import type { Rule } from "../../src/core/policy/rule.ts";
import { watchedPatterns } from "../../src/core/policy/rule.ts";
import { type SimulatedDecision, Simulation } from "../../src/core/policy/simulation.ts";
import type { Signal } from "../../src/core/signals/signal.ts";
import { UsageError } from "../failure.ts";
import { remark } from "../output.ts";

export interface Stretch {
  /** RFC 3339 */
  readonly since: string;
  readonly until?: string | undefined;
}

export interface Replayed {
  /** What each of the sets would have decided, in their order. */
  readonly decisions: readonly (readonly SimulatedDecision[])[];
  readonly signals: number;
}

const PAGE = 1_000;
/** Progress is told on standard error, after so many signals. */
const TELL_EVERY = 20_000;

/**
 * Runs sets of rules over the same stretch of the log, here and not at the edge: nothing is written, and what it costs is
 * reading. Only signals that some rule looks at are read.
 */
export async function replay(client: Client, sets: readonly (readonly Rule[])[], stretch: Stretch): Promise<Replayed> {
  const { since, until } = stretch;
  if (until !== undefined && until <= since) throw new UsageError("give --until a time after --since");
  const simulations = sets.map((rules) => new Simulation(rules));
  const decisions: SimulatedDecision[][] = sets.map(() => []);
  let signals = 0;
  for await (const signal of history(client, watchedPatterns(sets.flat()), stretch)) {
    for (const [place, simulation] of simulations.entries()) decisions[place]?.push(...simulation.take(signal));
    if (++signals % TELL_EVERY === 0) remark(`${signals} signals, ${signal.received_at}`);
  }
  const endMs = Math.min(Date.now(), until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until));
  for (const [place, simulation] of simulations.entries()) decisions[place]?.push(...simulation.pass(endMs));
  return { decisions, signals };
}

async function* history(client: Client, signals: readonly string[], { since, until }: Stretch): AsyncGenerator<Signal> {
  let after: number | undefined;
  for (;;) {
    const page = await client.signals({
      ...{ signals, since, limit: PAGE, order: "asc" },
      ...(until === undefined ? {} : { until }),
      ...(after === undefined ? {} : { after }),
    });
    yield* page.signals;
    if (page.next === null) return;
    after = page.next;
  }
}
