import type { EdgeRound } from "../../core/hosts/edge-vitals.ts";
import { PROJECTIONS, type ProjectionName } from "../../core/projection/batch.ts";
import { objectNamed } from "../shell/ports.ts";
import { projectionOf } from "../shell/projection-ports.ts";
import type { SignalLogBindings } from "./ports.ts";

/** The directory keeps no finer time than this. */
const TOUCH_EVERY_MS = 60_000;

/** Where a log ends, and which log that is. */
export interface LogEnd {
  readonly seq: number;
  readonly epoch: string;
}

/** What hosts are told of a round. @param roundMs - from one round to the next; `undefined`: this is none */
export const edgeRound = (roundMs: number | undefined, owedSinceMs: number | undefined): EdgeRound | undefined =>
  roundMs === undefined
    ? undefined
    : { round_ms: roundMs, ...(owedSinceMs !== undefined && { owed_since: owedSinceMs }) };

/** Notifies the projections of an ecosystem how far its log reaches. */
export class ProjectionNudge {
  readonly #env: SignalLogBindings;
  readonly #ecosystem: string;
  readonly #end: () => LogEnd;
  /** Those that were sent something since they were last notified. What woke the object may be an alarm for all of them. */
  readonly #due = new Set<ProjectionName>(PROJECTIONS);
  /** Since when projections were sent something that they have not confirmed. */
  #waitingMs: number | undefined;
  #runningMs: number | undefined;
  #touchedMs = Number.NEGATIVE_INFINITY;

  constructor(env: SignalLogBindings, ecosystem: string, end: () => LogEnd) {
    this.#env = env;
    this.#ecosystem = ecosystem;
    this.#end = end;
  }

  /** The next alarm is for these projections, too. */
  expect(projections: readonly ProjectionName[], sinceMs = Date.now()): void {
    if (projections.length > 0) this.#waitingMs ??= sinceMs;
    for (const name of projections) this.#due.add(name);
  }

  /** Since when what projections were sent is not confirmed, in milliseconds since the epoch; `undefined`: all of it is. */
  get owedSinceMs(): number | undefined {
    return this.#runningMs ?? this.#waitingMs;
  }

  async run(projections: readonly ProjectionName[] = PROJECTIONS): Promise<void> {
    const { seq, epoch } = this.#end();
    const sinceMs = this.owedSinceMs;
    // What is sent meanwhile lies behind `seq`, and is owed by itself.
    [this.#runningMs, this.#waitingMs] = [sinceMs, undefined];
    try {
      await Promise.all(projections.map((name) => projectionOf(this.#env, name, this.#ecosystem).catchUp(seq, epoch)));
      this.#runningMs = undefined;
    } catch (error) {
      [this.#runningMs, this.#waitingMs] = [undefined, sinceMs ?? this.#waitingMs];
      throw error;
    }
  }

  async alarm(): Promise<void> {
    const due = [...this.#due];
    if (due.length === 0) return;
    this.#due.clear();
    // The directory hears of the ecosystem also where a projection fails: the minute's round notifies the others for it.
    const outcomes = await Promise.allSettled([this.#touch(Date.now()), this.run(due)]);
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed === undefined) return;
    // After a failure the runtime repeats the alarm with back-off: a projection that is down is notified later.
    this.expect(due);
    throw failed.reason;
  }

  async #touch(nowMs: number): Promise<void> {
    if (nowMs - this.#touchedMs < TOUCH_EVERY_MS) return;
    await objectNamed(this.#env.DIRECTORY, "directory", this.#env).touch(this.#ecosystem, nowMs);
    this.#touchedMs = nowMs;
  }
}
