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
import type { Emission, Outcome, Reaction } from "./reaction.ts";

/** A reaction that was given up, for whoever keeps such things. */
export interface DeadReaction {
  readonly reaction: string;
  readonly signal: Signal;
  readonly error: string;
  readonly attempts: number;
}

export interface AttemptsOptions {
  readonly db: StateDatabase;
  readonly journal: RunJournal;
  readonly spool: Spool;
  readonly hostId: string;
  readonly now: () => number;
  readonly log: Logger;
  /** Written in the transaction in which it is given up. */
  readonly bury: (dead: DeadReaction) => Write<void>;
}

/** What became of an attempt. `dead`: it failed, and there will be no other. */
export type AttemptOutcome = "done" | "failed" | "dead" | "interrupted";

/** Pause before a step is written again that the disk refused. */
const DISK_RETRY_MS = 1_000;

/**
 * Takes a run through one attempt: each step is in the journal before anything follows from it, and what the attempt
 * says goes into the spool in the same transaction as the step that ends it. So a crash before that transaction leaves
 * a run that was interrupted, and a crash after it one that is over, with its signals on their way.
 */
export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #outcomes = new Map<string, Record<AttemptOutcome, number>>();

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** Attempts that ended since the start, by reaction. */
  get outcomes(): ReadonlyMap<string, Readonly<Record<AttemptOutcome, number>>> {
    return this.#outcomes;
  }

  /** Resolves when nothing runs: what ran was stopped, and is in the journal as interrupted. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#underWay);
  }

  /**
   * @param abort - ends this attempt alone: it counts as interrupted
   * @returns the entry after the attempt; as it was where it may not begin
   */
  make(reaction: Reaction, entry: Entry, abort?: AbortSignal): Promise<Entry> {
    const work = this.#make(reaction, entry, abort).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
    return work;
  }

  /**
   * After a crash: ends the processes that it left running, and lets each run go on as its reaction says. Resolves
   * before anything may begin anew.
   */
  async recover(reactions: ReadonlyMap<string, Reaction>): Promise<void> {
    const { journal, log } = this.#options;
    const left = journal.left();
    const ended = await endLeftovers(left.map(({ mark, leader }) => ({ run: mark, leader })));
    if (ended > 0) log.warn({ count: ended }, "reactions: processes that a killed agent left running were ended");
    for (const entry of left) {
      const reaction = reactions.get(entry.reaction);
      if (reaction === undefined) {
        const error = "the agent went down while it ran, and there is no such reaction any more";
        await this.#settle(entry, { ...entry.run, state: "dead", error }, []);
      } else await this.#interrupted(reaction, entry, "crash");
    }
  }

  async #make(reaction: Reaction, entry: Entry, abort?: AbortSignal): Promise<Entry> {
    const { db, journal, now, log } = this.#options;
    const run = begin(entry.run, reaction.policy, now());
    if (run === undefined || this.#stopping.signal.aborted) return entry;
    const mark = `${randomBytes(8).toString("hex")}.${entry.key}`;
    await db.commit<void>(1, () => {
      journal.set(entry.key, run, now(), { mark });
      return () => undefined;
    });
    const begun: Entry = { ...entry, run };
    const signal = JSON.parse(entry.input) as Signal;
    const anyAbort = abort === undefined ? this.#stopping.signal : AbortSignal.any([abort, this.#stopping.signal]);
    if ((signal.depth ?? 0) >= LIMITS.causalDepth) {
      // Reactions and rules that lead to one another would go round for ever, also over what tells of the failure.
      const error = `the chain of causes above it is ${signal.depth} signals long`;
      log.error({ reaction: reaction.name, signal: signal.id }, `reactions: cut off: ${error}`);
      return this.#settle(begun, { ...run, state: "dead", error }, [], { error });
    }
    let outcome: Outcome;
    try {
      outcome = await reaction.perform({
        ...{ signal, attempt: run.attempts, run: mark, abort: anyAbort },
        checkpoint: entry.checkpoint === null ? undefined : JSON.parse(entry.checkpoint),
        save: (value) =>
          db.commit<void>(1, () => {
            journal.save(entry.key, value === null ? null : JSON.stringify(value));
            return () => undefined;
          }),
        started: (leader) => {
          // Not waited for: until it is on the disk the mark alone finds the process.
          db.commit<void>(1, () => {
            journal.lead(entry.key, mark, leader);
            return () => undefined;
          }).catch((error: unknown) => log.warn({ err: error, reaction: reaction.name }, "reactions: the journal"));
        },
        say: (emission) => this.#say(reaction, signal, emission),
      });
    } catch (error) {
      log.error({ err: error, reaction: reaction.name, signal: signal.id }, "reactions: a reaction threw");
      outcome = { ok: false, error: error instanceof Error ? error.message : String(error), retry: true };
    }
    // What ended well in the moment of the stop is over, and not interrupted.
    if (!outcome.ok && anyAbort.aborted) return this.#interrupted(reaction, begun, "stop");
    return this.#over(reaction, begun, signal, outcome);
  }

  async #over(reaction: Reaction, entry: Entry, signal: Signal, outcome: Outcome): Promise<Entry> {
    const { now, log, hostId } = this.#options;
    const nowMs = now();
    if (outcome.ok) {
      const said = emissionsOf(outcome.emit, { cause: signal, source: sourceOf(reaction.name, hostId), nowMs });
      if (said.ok) {
        const result = outcome.result === undefined ? undefined : JSON.stringify(outcome.result);
        log.info({ reaction: reaction.name, signal: signal.id }, "reactions: done");
        return this.#settle(entry, complete(entry.run), said.signals, result === undefined ? {} : { result });
      }
      // It would say the same again.
      return this.#over(reaction, entry, signal, { ok: false, error: said.error, retry: false });
    }
    const run = fail(entry.run, outcome, reaction.policy, nowMs, Math.random());
    const again = run.state === "pending" ? ` (next attempt in ${run.notBeforeMs - nowMs} ms)` : "";
    log.warn(
      { reaction: reaction.name, signal: signal.id, attempt: run.attempts, error: outcome.error },
      `reactions: failed${again}`,
    );
    const told = this.#failureOf(reaction, signal, run, outcome.facts ?? {});
    return this.#settle(entry, run, told, { error: outcome.error });
  }

  async #interrupted(reaction: Reaction, entry: Entry, how: "crash" | "stop"): Promise<Entry> {
    const { now, log } = this.#options;
    const run = interrupt(entry.run, how, reaction.policy, now());
    log.warn(
      { reaction: reaction.name, signal: entry.cause },
      `reactions: interrupted; ${run.state === "dead" ? "given up" : "it will run again"}`,
    );
    return this.#settle(entry, run, this.#failureOf(reaction, JSON.parse(entry.input) as Signal, run, {}));
  }

  #failureOf(reaction: Reaction, signal: Signal, run: Run, facts: Record<string, unknown>): readonly TimedSignal[] {
    if (run.state !== "dead") return [];
    const { hostId, now, log } = this.#options;
    const emit = reaction.failed(signal, { error: run.error, attempts: run.attempts, facts });
    const said = emissionsOf(emit, { cause: signal, source: sourceOf(reaction.name, hostId), nowMs: now() });
    if (said.ok) return said.signals;
    log.error(
      { reaction: reaction.name, signal: signal.id, error: said.error },
      "reactions: its failure cannot be told",
    );
    return [];
  }

  async #settle(entry: Entry, run: Run, signals: readonly TimedSignal[], notes: StepNotes = {}): Promise<Entry> {
    const why = notes.error === undefined ? "interrupted" : "failed";
    const { db, journal, spool, now, log, bury } = this.#options;
    const buried =
      run.state === "dead"
        ? bury({
            reaction: entry.reaction,
            signal: JSON.parse(entry.input) as Signal,
            error: run.error,
            attempts: run.attempts,
          })
        : undefined;
    const write = () => {
      journal.set(entry.key, run, now(), notes);
      const finish = buried?.();
      return () => finish?.();
    };
    for (;;) {
      try {
        if (signals.length === 0) await db.commit<void>(1, write);
        else await spool.put("local", signals, { also: write });
        break;
      } catch (error) {
        // A full disk, say. Until it is written it did not happen: after a crash it is found as interrupted.
        log.error(
          { err: error, reaction: entry.reaction },
          "reactions: the journal could not be written; trying again",
        );
        if (this.#stopping.signal.aborted) return entry;
        await pause(DISK_RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
    this.#count(entry.reaction, run.state === "done" || run.state === "dead" ? run.state : why);
    return { ...entry, run, error: notes.error ?? null, result: notes.result ?? null };
  }

  #count(reaction: string, outcome: AttemptOutcome): void {
    const counts = this.#outcomes.get(reaction) ?? { done: 0, failed: 0, dead: 0, interrupted: 0 };
    counts[outcome]++;
    this.#outcomes.set(reaction, counts);
  }

  #say(reaction: Reaction, cause: Signal, emission: Emission): void {
    const { spool, hostId, now, log } = this.#options;
    const said = emissionsOf([emission], { cause, source: sourceOf(reaction.name, hostId), nowMs: now() });
    if (!said.ok) return log.warn({ reaction: reaction.name, error: said.error }, "reactions: not said");
    spool
      .put("local", said.signals)
      .catch((error: unknown) => log.error({ err: error }, "reactions: what it says could not be kept"));
  }
}
