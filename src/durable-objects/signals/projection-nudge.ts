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

/** Notifies the projections of an ecosystem how far its log reaches. */
export class ProjectionNudge {
  readonly #env: SignalLogBindings;
  readonly #ecosystem: string;
  readonly #end: () => LogEnd;
  /** Those that were sent something since they were last notified. What woke the object may be an alarm for all of them. */
  readonly #due = new Set<ProjectionName>(PROJECTIONS);
  #touchedMs = Number.NEGATIVE_INFINITY;

  constructor(env: SignalLogBindings, ecosystem: string, end: () => LogEnd) {
    this.#env = env;
    this.#ecosystem = ecosystem;
    this.#end = end;
  }

  /** The next alarm is for these projections, too. */
  expect(projections: readonly ProjectionName[]): void {
    for (const name of projections) this.#due.add(name);
  }

  async run(projections: readonly ProjectionName[] = PROJECTIONS): Promise<void> {
    const { seq, epoch } = this.#end();
    await Promise.all(projections.map((name) => projectionOf(this.#env, name, this.#ecosystem).catchUp(seq, epoch)));
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
