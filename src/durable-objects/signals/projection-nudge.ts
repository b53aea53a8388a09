import type { EdgeRound } from "../../core/hosts/edge-vitals.ts";
import { doubled } from "../../core/numbers/doubled.ts";
import { PROJECTIONS, type ProjectionName } from "../../core/projection/batch.ts";
import type { AlarmClock } from "../shell/alarm-clock.ts";
import { logLine } from "../shell/log-line.ts";
import { objectNamed } from "../shell/ports.ts";
import { projectionOf } from "../shell/projection-ports.ts";
import type { SignalLogBindings } from "./ports.ts";

/** The directory keeps no finer time than this. */
const TOUCH_EVERY_MS = 60_000;
/** Milliseconds until a projection that failed is notified again, after its first failure and at most. */
const AGAIN_MS = { first: 2_000, most: 5 * 60_000 } as const;

/** Where a log ends, and which log that is. */
interface LogEnd {
  readonly headSeq: number;
  readonly epoch: string;
}

/** What hosts are told of a round. @param roundMs - from one round to the next; `undefined`: this is none */
export const edgeRound = (roundMs: number | undefined, owedSinceMs: number | undefined): EdgeRound | undefined =>
  roundMs === undefined
    ? undefined
    : { round_ms: roundMs, ...(owedSinceMs !== undefined && { owed_since: owedSinceMs }) };

interface Options {
  readonly env: SignalLogBindings;
  readonly ecosystem: string;
  readonly writer: LogEnd;
  readonly alarms: Pick<AlarmClock, "wakeBy">;
  /** Whether the log is held still for a copy: nothing may be written then. */
  readonly isSuspended: () => boolean;
}

/** Notifies the projections of an ecosystem how far its log reaches. */
export class ProjectionNudge {
  readonly #options: Options;
  /** Those that were sent something since they were last notified. What woke the object may be an alarm for all of them. */
  readonly #due = new Set<ProjectionName>(PROJECTIONS);
  /** Since when projections were sent something that they have not confirmed. */
  #waitingMs: number | undefined;
  #runningMs: number | undefined;
  #touchedMs = Number.NEGATIVE_INFINITY;
  /** Alarms that have failed since the last that succeeded. */
  #failures = 0;

  constructor(options: Options) {
    this.#options = options;
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
    const { env, ecosystem, writer } = this.#options;
    const { headSeq, epoch } = writer;
    const sinceMs = this.owedSinceMs;
    // What is sent meanwhile lies behind `headSeq`, and is owed by itself.
    [this.#runningMs, this.#waitingMs] = [sinceMs, undefined];
    try {
      await Promise.all(projections.map((name) => projectionOf(env, name, ecosystem).catchUp(headSeq, epoch)));
      this.#runningMs = undefined;
    } catch (error) {
      [this.#runningMs, this.#waitingMs] = [undefined, sinceMs ?? this.#waitingMs];
      throw error;
    }
  }

  /**
   * Notifies those that were sent something. Those that fail are notified again by later alarms, until they confirm: the
   * runtime would repeat an alarm that throws six times only, and nothing else wakes an ecosystem that has become quiet.
   *
   * @throws what a projection throws, where the log is held still: the runtime repeats the alarm after that
   */
  async alarm(): Promise<void> {
    const due = [...this.#due];
    if (due.length === 0) return;
    const { ecosystem, alarms, isSuspended } = this.#options;
    this.#due.clear();
    // The directory hears of the ecosystem also where a projection fails.
    const outcomes = await Promise.allSettled([this.#touch(Date.now()), this.run(due)]);
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed === undefined) {
      this.#failures = 0;
      return;
    }
    this.expect(due);
    if (isSuspended()) throw failed.reason;
    logLine("warn", "projection-not-notified", { ecosystem, object: "signals", error: failed.reason });
    alarms.wakeBy(Date.now() + doubled(AGAIN_MS.first, AGAIN_MS.most, this.#failures++));
  }

  async #touch(nowMs: number): Promise<void> {
    if (nowMs - this.#touchedMs < TOUCH_EVERY_MS) return;
    const { env, ecosystem } = this.#options;
    await objectNamed(env.DIRECTORY, "directory", env).touch(ecosystem, nowMs);
    this.#touchedMs = nowMs;
  }
}
