import * as z from "zod";
import type { Signal } from "../signals/signal.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { Decision } from "./decision.ts";
import { firstSince, type HistoryReader, PAGE_SIZE, readBackwards, readDecisions } from "./history-reader.ts";
import { lookBackMs } from "./look-back.ts";
import { RecordedEmissions } from "./recorded-emissions.ts";
import { type Rule, watchedPatterns } from "./rule.ts";
import { type SimulatedDecision, Simulation } from "./simulation.ts";
import type { StateKind } from "./state.ts";
import { type StateSnapshot, WarmUp } from "./warm-up.ts";

export interface ReplayRequest {
  /** The rules in force: the state at the beginning is theirs. */
  readonly deployed: readonly Rule[];
  /** Sets of rules to simulate, each on its own. */
  readonly sets: readonly (readonly Rule[])[];
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Length of the warm-up before the beginning. Default: as far as the rules in force look back ({@link lookBackMs}). */
  readonly warmUpMs?: number | undefined;
  /** The maximum number of pages to read. */
  readonly maxPages: { readonly warmUp: number; readonly range: number };
  /** Called for each signal of the range. */
  readonly progress?: (signal: Signal) => void;
}

/** The warm-up of a simulation: how its initial state was derived. */
export const WarmUpView = z.object({
  from: z.string(),
  complete: z.boolean().meta({ description: "The warm-up reached as far back as requested, or to the oldest signal" }),
  signals: z.int(),
  decisions: z.int().meta({ description: "Recorded decisions that the warm-up followed" }),
  under_way: z
    .record(z.string(), z.int())
    .meta({ description: "State of the rules at `since`: number of rows by kind" }),
});
export type WarmUpView = Readonly<z.output<typeof WarmUpView>>;

export interface ReplayResult {
  readonly warm_up: WarmUpView;
  /** Decisions of each set, in the order of the sets. */
  readonly decisions: readonly (readonly SimulatedDecision[])[];
  /** Signals of the range that were processed. */
  readonly signals: number;
  /** When the log received the last of them. */
  readonly through: string | null;
  /** The range holds more signals than the pages allowed. */
  readonly truncated: boolean;
}

/**
 * Signals that are read ahead of the simulation. A signal that a rule emitted is usually in the log within
 * milliseconds of its cause.
 */
const READ_AHEAD = 1_000;
/** Names of the kinds of state for people. The count of firings in the present window is left out: it is of little use. */
const STATE_NAMES = {
  flight: "in_flight",
  once: "cooling_down",
  count: "counting",
  memory: "remembered",
  text: "texts",
  expected: "expected",
  answer: "early_answers",
} as const satisfies Record<Exclude<StateKind, "rate">, string>;

/**
 * Simulates sets of rules over a stretch of the past, as if each set had come into force at the beginning of the stretch
 * with the state of that time. Reads only signals that some rule watches, and writes nothing.
 *
 * @throws InvalidRule
 */
export async function replay(history: HistoryReader, request: ReplayRequest): Promise<ReplayResult> {
  const { deployed, sets, sinceMs, maxPages } = request;
  const signals = watchedPatterns([...deployed, ...sets.flat()]);
  const fromMs = sinceMs - (request.warmUpMs ?? lookBackMs(deployed));
  const first = await firstSince(history, signals, sinceMs);
  // A signal with an earlier event time may have been received later and then lies behind `first`: reading backwards
  // meets the signals before it, the range the others.
  const before = await readBackwards(history, { signals, before: first?.seq, fromMs, maxPages: maxPages.warmUp });
  const decisions = fromMs < sinceMs ? await readDecisions(history, fromMs, sinceMs) : [];
  const run = new ReplayRun(request, fromMs, decisions);
  run.add(before.signals);
  let after = first === undefined ? null : first.seq - 1;
  for (let pages = 0; !run.ended && after !== null && pages < maxPages.range; pages++) {
    const page = await history.signals({ signals, after, limit: PAGE_SIZE, order: "asc" });
    run.add(page.signals);
    run.process(READ_AHEAD);
    after = page.next;
  }
  run.process(0);
  const from = before.complete ? formatTimestamp(fromMs) : before.signals[0]?.received_at;
  return run.result({ from: from ?? formatTimestamp(sinceMs), complete: before.complete, more: after !== null });
}

/**
 * One run over the signals of a warm-up and of the range that follows it. Processing stays behind reading, so that a
 * recorded emission is known before the simulated rules emit the same signal.
 */
class ReplayRun {
  readonly #request: ReplayRequest;
  readonly #fromMs: number;
  readonly #recorded: readonly Decision[];
  readonly #warmUp: WarmUp;
  readonly #emissions: RecordedEmissions;
  readonly #decisions: SimulatedDecision[][];
  #ahead: Signal[] = [];
  #begun: { readonly snapshot: StateSnapshot; readonly simulations: readonly Simulation[] } | undefined;
  #warmUpSignals = 0;
  #rangeSignals = 0;
  #through: string | null = null;
  #ended = false;

  constructor(request: ReplayRequest, fromMs: number, recorded: readonly Decision[]) {
    this.#request = request;
    this.#fromMs = fromMs;
    this.#recorded = recorded;
    this.#warmUp = new WarmUp(request.deployed, recorded);
    this.#emissions = new RecordedEmissions(request.sinceMs);
    this.#decisions = request.sets.map(() => []);
  }

  /** A signal was met that the log received after the end of the range. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Adds signals that were read, in the order of the log. */
  add(signals: readonly Signal[]): void {
    for (const signal of signals) this.#emissions.add(signal);
    this.#ahead = [...this.#ahead, ...signals];
  }

  /** Processes the signals that were read, except the last `keep`. */
  process(keep: number): void {
    const count = Math.max(0, this.#ahead.length - keep);
    for (const signal of this.#ahead.slice(0, count)) {
      if (this.#ended) break;
      this.#process(signal);
    }
    this.#ahead = this.#ahead.slice(count);
  }

  /** @param read - how far the warm-up reached, and whether the log holds more signals than were read */
  result(read: { readonly from: string; readonly complete: boolean; readonly more: boolean }): ReplayResult {
    const truncated = !this.#ended && read.more;
    const { snapshot, simulations } = this.#begin();
    if (!truncated) {
      for (const [index, simulation] of simulations.entries()) {
        this.#decisions[index]?.push(...simulation.advanceClock(this.#request.untilMs));
      }
    }
    return {
      warm_up: {
        from: read.from,
        complete: read.complete,
        signals: this.#warmUpSignals,
        decisions: this.#recorded.length,
        under_way: countState(snapshot),
      },
      decisions: this.#decisions,
      signals: this.#rangeSignals,
      through: this.#through,
      truncated,
    };
  }

  #process(signal: Signal): void {
    const atMs = Date.parse(signal.received_at);
    if (atMs >= this.#request.untilMs) this.#ended = true;
    else if (atMs >= this.#request.sinceMs) this.#simulate(signal);
    else if (atMs >= this.#fromMs) {
      this.#warmUp.process(signal);
      this.#warmUpSignals++;
    }
  }

  #simulate(signal: Signal): void {
    for (const [index, simulation] of this.#begin().simulations.entries()) {
      this.#decisions[index]?.push(...simulation.process(signal));
    }
    this.#emissions.remove(signal);
    this.#rangeSignals++;
    this.#through = signal.received_at;
    this.#request.progress?.(signal);
  }

  /** Ends the warm-up, once. */
  #begin() {
    if (this.#begun === undefined) {
      const snapshot = this.#warmUp.snapshotAt(this.#request.sinceMs);
      const options = { snapshot, emissions: this.#emissions };
      this.#begun = { snapshot, simulations: this.#request.sets.map((rules) => new Simulation(rules, options)) };
    }
    return this.#begun;
  }
}

/** Counts the rows of state by the names for people; kinds without rows are left out. */
function countState({ rows }: StateSnapshot): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of rows) {
    if (kind === "rate") continue;
    counts[STATE_NAMES[kind]] = (counts[STATE_NAMES[kind]] ?? 0) + 1;
  }
  return counts;
}
