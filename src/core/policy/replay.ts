import type { Signal } from "../signals/signal.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { Decision } from "./decision.ts";
import { firstSince, type HistoryReader, PAGE_SIZE, readBackwards, readDecisions } from "./history-reader.ts";
import { lookBackMs } from "./look-back.ts";
import { Pace, type PaceOptions } from "./pace.ts";
import { RecordedEmissions } from "./recorded-emissions.ts";
import { type Rule, watchedPatterns } from "./rule.ts";
import type { SimulatedDecision, WarmUpView } from "./simulated.ts";
import { finishAtPace, Simulation } from "./simulation.ts";
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
  readonly maxPages: { readonly warmUp: number; readonly range: number; readonly decisions: number };
  /** Default: without a limit and without a pause. */
  readonly pace?: Pace;
  /** Called for each signal of the range. */
  readonly progress?: (signal: Signal) => void;
}

export interface ReplayResult {
  readonly warm_up: WarmUpView;
  /** Decisions of each set, in the order of the sets. */
  readonly decisions: readonly (readonly SimulatedDecision[])[];
  /** Signals of the range that were processed. */
  readonly signals: number;
  /** When the log received the last of them. */
  readonly through: string | null;
  /** The range holds more signals than the pages or the steps allowed. */
  readonly truncated: boolean;
}

/** The simulation takes more steps than allowed before it has processed a signal of the range. */
export class ReplayTooCostly extends Error {}

/**
 * Signals that are read ahead of the simulation. A signal that a rule emitted is usually in the log within
 * milliseconds of its cause.
 */
const READ_AHEAD = 1_000;
const UNLIMITED: PaceOptions = {
  steps: Number.POSITIVE_INFINITY,
  stretch: Number.POSITIVE_INFINITY,
  pause: async () => undefined,
};
/** Names of the kinds of state for people. Counts of firings in the present window, and which marks were imported, are left out: they are of little use. */
const STATE_NAMES = {
  flight: "in_flight",
  once: "cooling_down",
  count: "counting",
  memory: "remembered",
  text: "texts",
  expected: "expected",
  answer: "early_answers",
  quarantine: "quarantined",
} as const satisfies Record<Exclude<StateKind, "rate" | "share" | "imported">, string>;

/**
 * Simulates sets of rules over a stretch of the past, as if each set had come into force at the beginning of the stretch
 * with the state of that time. Reads only signals that some rule watches, and writes nothing.
 *
 * @throws InvalidRule
 * @throws ReplayTooCostly
 */
export async function replay(history: HistoryReader, request: ReplayRequest): Promise<ReplayResult> {
  const { deployed, sets, sinceMs, maxPages } = request;
  const signals = watchedPatterns([...deployed, ...sets.flat()]);
  const fromMs = sinceMs - (request.warmUpMs ?? lookBackMs(deployed));
  const first = await firstSince(history, signals, sinceMs);
  // A signal with an earlier event time may have been received later and then lies behind `first`: reading backwards
  // meets the signals before it, the range the others.
  const before = await readBackwards(history, { signals, before: first?.seq, fromMs, maxPages: maxPages.warmUp });
  const decisions = fromMs < sinceMs ? await readDecisions(history, fromMs, sinceMs, maxPages.decisions) : [];
  const run = new ReplayRun(request, fromMs, decisions);
  run.add(before.signals);
  let after = first === undefined ? null : first.seq - 1;
  for (let pages = 0; !run.ended && after !== null && pages < maxPages.range; pages++) {
    const page = await history.signals({ signals, after, limit: PAGE_SIZE, order: "asc" });
    run.add(page.signals);
    await run.process(READ_AHEAD);
    after = page.next;
  }
  await run.process(0);
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
  readonly #pace: Pace;
  #ahead: Signal[] = [];
  #begun: { readonly snapshot: StateSnapshot; readonly simulations: readonly Simulation[] } | undefined;
  #warmUpSignals = 0;
  #rangeSignals = 0;
  #through: string | null = null;
  #ended = false;
  #exhausted = false;

  constructor(request: ReplayRequest, fromMs: number, recorded: readonly Decision[]) {
    this.#request = request;
    this.#fromMs = fromMs;
    this.#recorded = recorded;
    this.#warmUp = new WarmUp(request.deployed, recorded);
    this.#emissions = new RecordedEmissions(request.sinceMs);
    this.#decisions = request.sets.map(() => []);
    this.#pace = request.pace ?? new Pace(UNLIMITED);
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
  async process(keep: number): Promise<void> {
    const count = Math.max(0, this.#ahead.length - keep);
    for (const signal of this.#ahead.slice(0, count)) {
      if (this.#ended) break;
      await this.#process(signal);
    }
    this.#ahead = this.#ahead.slice(count);
  }

  /** @param read - how far the warm-up reached, and whether the log holds more signals than were read */
  async result(read: {
    readonly from: string;
    readonly complete: boolean;
    readonly more: boolean;
  }): Promise<ReplayResult> {
    const { snapshot } = this.#begin();
    const passed = this.#exhausted || (!this.#ended && read.more);
    const { untilMs } = this.#request;
    const truncated = passed || !(await this.#advance((simulation) => simulation.advanceClock(untilMs)));
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

  async #process(signal: Signal): Promise<void> {
    const atMs = Date.parse(signal.received_at);
    if (atMs >= this.#request.untilMs) this.#ended = true;
    else if (atMs >= this.#request.sinceMs) await this.#simulate(signal);
    else if (atMs >= this.#fromMs) {
      const before = this.#warmUp.steps;
      this.#warmUp.process(signal);
      await this.#pace.spend(this.#warmUp.steps - before);
      if (this.#pace.exhausted) {
        throw new ReplayTooCostly("the signals before since take too many steps: give a shorter warm_up, or 0");
      }
      this.#warmUpSignals++;
    }
  }

  async #simulate(signal: Signal): Promise<void> {
    if (!(await this.#advance((simulation) => simulation.process(signal)))) {
      if (this.#rangeSignals === 0) {
        throw new ReplayTooCostly(
          `the signal ${signal.id} alone takes too many steps: what the rules emit leads to more`,
        );
      }
      this.#exhausted = true;
      this.#ended = true;
      return;
    }
    this.#emissions.remove(signal);
    this.#rangeSignals++;
    this.#through = signal.received_at;
    this.#request.progress?.(signal);
  }

  /** Advances all simulations by the same step. @returns `false`, and nothing is kept, where it takes too many steps */
  async #advance(work: (simulation: Simulation) => ReturnType<Simulation["process"]>): Promise<boolean> {
    const decided: SimulatedDecision[][] = [];
    for (const simulation of this.#begin().simulations) {
      const decisions = await finishAtPace(work(simulation), simulation, this.#pace);
      if (decisions === undefined) return false;
      decided.push(decisions);
    }
    for (const [index, decisions] of decided.entries()) {
      for (const decision of decisions) this.#decisions[index]?.push(decision);
    }
    return true;
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
    if (kind === "rate" || kind === "share" || kind === "imported") continue;
    counts[STATE_NAMES[kind]] = (counts[STATE_NAMES[kind]] ?? 0) + 1;
  }
  return counts;
}
