import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { begin, complete, fail, interrupt, type Run } from "../../src/core/reactions/run.ts";
import { LIMITS } from "../../src/core/signals/limits.ts";
import type { Signal } from "../../src/core/signals/signal.ts";
import type { Logger } from "../base/log.ts";
import { endLeftovers } from "../base/process/leftovers.ts";
import type { TimedSignal } from "../store/signal-text.ts";
import type { Spool } from "../store/spool.ts";
import type { StateDatabase, Write } from "../store/state-database.ts";
import { emissionsOf, sourceOf } from "./emission.ts";
import type { Entry, RunJournal, StepNotes } from "./journal.ts";
import type { Attempt, Emission, Outcome, Reaction } from "./reaction.ts";
import { inputOf } from "./run-input.ts";

/** A run that failed for good. */
export interface DeadRun {
  readonly reaction: string;
  readonly signal: Signal;
  readonly error: string;
  readonly attempts: number;
}

export interface AttemptRunnerOptions {
  readonly db: StateDatabase;
  readonly journal: RunJournal;
  readonly spool: Spool;
  readonly hostId: string;
  readonly now: () => number;
  readonly log: Logger;
  /** Dead-letters a run, in the transaction of the step that ends it. */
  readonly deadLetter: (dead: DeadRun) => Write<void>;
  /** Called with how long each attempt took that really ran. */
  readonly ran?: ((reaction: string, outcome: AttemptOutcome, ms: number) => void) | undefined;
}

/** How an attempt ended. `dead`: it failed, and no other attempt follows. */
export type AttemptOutcome = "done" | "failed" | "dead" | "interrupted";

/** Pause before a step that could not be written is written again. */
const DISK_RETRY_MS = 1_000;

/**
 * Takes a run through one attempt. Each step is in the journal before anything follows from it, and the signals of the
 * attempt go into the spool in the same transaction as the step that ends it. So a crash before that transaction leaves
 * an interrupted run, and a crash after it a finished run whose signals are in the spool.
 */
export class AttemptRunner {
  readonly #options: AttemptRunnerOptions;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #outcomes = new Map<string, Record<AttemptOutcome, number>>();

  constructor(options: AttemptRunnerOptions) {
    this.#options = options;
  }

  /** Attempts that ended since the start, by reaction. */
  get outcomes(): ReadonlyMap<string, Readonly<Record<AttemptOutcome, number>>> {
    return this.#outcomes;
  }

  /** Aborts all attempts. Resolves when none is running: the journal has them as interrupted. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#underWay);
  }

  /**
   * @param abort - ends this attempt alone, which then counts as interrupted
   * @returns the entry after the attempt; unchanged if the attempt may not begin
   */
  run(reaction: Reaction, entry: Entry, abort?: AbortSignal): Promise<Entry> {
    const work = this.#run(reaction, entry, abort).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
    return work;
  }

  /**
   * After a crash: ends the processes that were left running, and continues each run as its reaction says. Resolves
   * before any new attempt may begin.
   */
  async recover(reactions: ReadonlyMap<string, Reaction>): Promise<void> {
    const { journal, log } = this.#options;
    const left = journal.left();
    const ended = await endLeftovers(left.map(({ mark, leader }) => ({ run: mark, leader })));
    if (ended > 0) log.warn({ count: ended }, "reactions: ended processes that a killed agent left running");
    for (const entry of left) {
      const reaction = reactions.get(entry.reaction);
      if (reaction === undefined) {
        const error = "the agent crashed during the run, and the reaction is not configured any more";
        await this.#settle(entry, { ...entry.run, state: "dead", error }, []);
      } else await this.#interrupted(reaction, entry, "crash");
    }
  }

  async #run(reaction: Reaction, entry: Entry, abort?: AbortSignal): Promise<Entry> {
    const { now, log } = this.#options;
    const run = begin(entry.run, reaction.policy, now());
    if (run === undefined || this.#stopping.signal.aborted) return entry;
    const mark = `${randomBytes(8).toString("hex")}.${entry.key}`;
    await this.#write((journal) => journal.set(entry.key, run, now(), { mark }));
    const begun: Entry = { ...entry, run };
    const { signal, unreadable } = inputOf(entry);
    if (unreadable !== undefined) {
      // Another attempt would read the same.
      log.error({ reaction: reaction.name, signal: entry.cause, error: unreadable }, "reactions: a run cannot be read");
      return this.#settle(begun, { ...run, state: "dead", error: unreadable }, [], { error: unreadable });
    }
    const anyAbort = abort === undefined ? this.#stopping.signal : AbortSignal.any([abort, this.#stopping.signal]);
    if ((signal.depth ?? 0) >= LIMITS.causalDepth) {
      // Reactions and rules that trigger one another would loop for ever. A signal about this failure could continue the
      // loop, so none is emitted.
      const error = `the signal's chain of causes is ${signal.depth} signals long, which is the limit`;
      log.error({ reaction: reaction.name, signal: signal.id }, `reactions: loop cut off: ${error}`);
      return this.#settle(begun, { ...run, state: "dead", error }, [], { error });
    }
    const begunMs = now();
    const outcome = await this.#outcomeOf(reaction, this.#attempt(reaction, begun, signal, mark, anyAbort));
    // An attempt that succeeded at the moment of the stop is done, not interrupted.
    const isInterrupted = !outcome.ok && anyAbort.aborted;
    this.#options.ran?.(reaction.name, outcome.ok ? "done" : isInterrupted ? "interrupted" : "failed", now() - begunMs);
    if (isInterrupted) return this.#interrupted(reaction, begun, "stop");
    return this.#over(reaction, begun, signal, outcome);
  }

  #attempt(reaction: Reaction, entry: Entry, signal: Signal, mark: string, abort: AbortSignal): Attempt {
    const { log } = this.#options;
    return {
      signal,
      attempt: entry.run.attempts,
      run: mark,
      abort,
      checkpoint: entry.checkpoint === null ? undefined : JSON.parse(entry.checkpoint),
      save: (value) => this.#write((journal) => journal.save(entry.key, value === null ? null : JSON.stringify(value))),
      started: (leader) => {
        // Not awaited: until this is on the disk, the mark alone finds the process.
        this.#write((journal) => journal.lead(entry.key, mark, leader)).catch((error: unknown) =>
          log.warn(
            { err: error, reaction: reaction.name },
            "reactions: the process of a run could not be written to the journal",
          ),
        );
      },
      emit: (emission) => this.#emit(reaction, signal, emission),
    };
  }

  async #outcomeOf(reaction: Reaction, attempt: Attempt): Promise<Outcome> {
    try {
      return await reaction.run(attempt);
    } catch (error) {
      const { log } = this.#options;
      log.error({ err: error, reaction: reaction.name, signal: attempt.signal.id }, "reactions: a reaction threw");
      return { ok: false, error: error instanceof Error ? error.message : String(error), retry: true };
    }
  }

  async #over(reaction: Reaction, entry: Entry, signal: Signal, outcome: Outcome): Promise<Entry> {
    const { now, log, hostId } = this.#options;
    const nowMs = now();
    if (outcome.ok) {
      const emissions = emissionsOf(outcome.emit, { cause: signal, source: sourceOf(reaction.name, hostId), nowMs });
      if (emissions.ok) {
        const result = outcome.result === undefined ? undefined : JSON.stringify(outcome.result);
        log.info({ reaction: reaction.name, signal: signal.id }, "reactions: done");
        return this.#settle(entry, complete(entry.run), emissions.signals, result === undefined ? {} : { result });
      }
      // Another attempt would emit the same invalid signal.
      return this.#over(reaction, entry, signal, { ok: false, error: emissions.error, retry: false });
    }
    const run = fail(entry.run, outcome, reaction.policy, nowMs, Math.random());
    const next = run.state === "pending" ? ` (next attempt in ${run.notBeforeMs - nowMs} ms)` : "";
    log.warn(
      { reaction: reaction.name, signal: signal.id, attempt: run.attempts, error: outcome.error },
      `reactions: failed${next}`,
    );
    const signals = this.#failureSignals(reaction, signal, run, outcome.facts ?? {}, outcome.emit);
    const { error, replayFrom } = outcome;
    const isReplayedFrom = run.state === "dead" && replayFrom !== undefined;
    return this.#settle(entry, run, signals, { error, ...(isReplayedFrom && { checkpoint: replayFrom }) });
  }

  async #interrupted(reaction: Reaction, entry: Entry, how: "crash" | "stop"): Promise<Entry> {
    const { now, log } = this.#options;
    const run = interrupt(entry.run, how, reaction.policy, now());
    log.warn(
      { reaction: reaction.name, signal: entry.cause },
      `reactions: interrupted; ${run.state === "dead" ? "the run has failed" : "the run will be repeated"}`,
    );
    return this.#settle(entry, run, this.#failureSignals(reaction, inputOf(entry).signal, run, {}));
  }

  /** The signals that report a run that failed for good; none for any other run. */
  #failureSignals(
    reaction: Reaction,
    signal: Signal,
    run: Run,
    facts: Record<string, unknown>,
    own?: readonly Emission[],
  ): readonly TimedSignal[] {
    if (run.state !== "dead") return [];
    const { hostId, now, log } = this.#options;
    const emit = own ?? reaction.failed(signal, { error: run.error, attempts: run.attempts, facts });
    const emissions = emissionsOf(emit, { cause: signal, source: sourceOf(reaction.name, hostId), nowMs: now() });
    if (emissions.ok) return emissions.signals;
    log.error(
      { reaction: reaction.name, signal: signal.id, error: emissions.error },
      "reactions: the signal of a failure is not valid",
    );
    return [];
  }

  async #settle(entry: Entry, run: Run, signals: readonly TimedSignal[], notes: StepNotes = {}): Promise<Entry> {
    const { db, journal, spool, now, log, deadLetter } = this.#options;
    const { key, reaction } = entry;
    const writeDeadLetter =
      run.state === "dead"
        ? deadLetter({ reaction, signal: inputOf(entry).signal, error: run.error, attempts: run.attempts })
        : undefined;
    const write = () => {
      journal.set(key, run, now(), notes);
      const finish = writeDeadLetter?.();
      return () => finish?.();
    };
    for (;;) {
      try {
        if (signals.length === 0) await db.commit<void>(1, write);
        else await spool.put("local", signals, { also: write });
        break;
      } catch (error) {
        // A full disk, for example. Until the step is written it did not happen: a crash leaves an interrupted run.
        log.error({ err: error, reaction }, "reactions: the journal could not be written; trying again");
        if (this.#stopping.signal.aborted) return entry;
        await pause(DISK_RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
    const unfinished = notes.error === undefined ? "interrupted" : "failed";
    this.#count(reaction, run.state === "done" || run.state === "dead" ? run.state : unfinished);
    return { ...entry, run, error: notes.error ?? null, result: notes.result ?? null };
  }

  #write(step: (journal: RunJournal) => void): Promise<void> {
    const { db, journal } = this.#options;
    return db.commit<void>(1, () => {
      step(journal);
      return () => undefined;
    });
  }

  #count(reaction: string, outcome: AttemptOutcome): void {
    const counts = this.#outcomes.get(reaction) ?? { done: 0, failed: 0, dead: 0, interrupted: 0 };
    counts[outcome]++;
    this.#outcomes.set(reaction, counts);
  }

  #emit(reaction: Reaction, cause: Signal, emission: Emission): void {
    const { spool, hostId, now, log } = this.#options;
    const emissions = emissionsOf([emission], { cause, source: sourceOf(reaction.name, hostId), nowMs: now() });
    if (!emissions.ok)
      return log.warn({ reaction: reaction.name, error: emissions.error }, "reactions: a signal is not valid");
    spool
      .put("local", emissions.signals)
      .catch((error: unknown) => log.error({ err: error }, "reactions: a signal could not be written to the spool"));
  }
}
