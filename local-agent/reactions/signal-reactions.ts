import { begin } from "../../src/core/reactions/run.ts";
import type { Signal } from "../../src/core/signals/signal.ts";
import { readSignalLine } from "../../src/core/signals/signal-line.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { Inbox, Received } from "../store/inbox.ts";
import { type InboxDeadLetters, InboxReader } from "../store/inbox-reader.ts";
import type { StateDatabase } from "../store/state-database.ts";
import type { AttemptRunner } from "./attempt-runner.ts";
import { isEmittedBy } from "./emission.ts";
import { placeOfIdentity } from "./identity-of-signal.ts";
import type { Entry, RunJournal } from "./journal.ts";
import type { Reaction } from "./reaction.ts";

export interface SignalReaction extends Reaction {
  /** Whether `when` matches the signal's name. A signal that no reaction matches is never parsed. */
  matches(name: string): boolean;
  /** @throws Error when the condition cannot be evaluated over this signal */
  applies(signal: Signal): boolean;
}

export interface SignalReactionsOptions {
  readonly db: StateDatabase;
  readonly inbox: Inbox;
  readonly journal: RunJournal;
  readonly attempts: AttemptRunner;
  readonly reactions: readonly SignalReaction[];
  readonly now: () => number;
  readonly log: Logger;
  readonly deadLetters: InboxDeadLetters;
}

export const REACTIONS_SINK = "reactions";
/** Longest timer. After the machine slept, timers are late: a due run is noticed within this time. */
const MAX_TIMER_MS = 60_000;
const DISK_RETRY_MS = 1_000;

/**
 * Sink of the inbox that starts reactions. The journal's row and the sink's cursor are written in one transaction, so
 * that a signal is neither missed nor, recognised by its id, processed twice. Each reaction has its own queue in the
 * journal: a slow reaction does not delay others, and a backlog of any length costs no memory.
 */
export class SignalReactions implements Service {
  readonly name = "signal reactions";
  readonly #options: SignalReactionsOptions;
  /** Keys of the runs that are under way, by reaction. */
  readonly #begun = new Map<string, Set<number>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #reader: InboxReader;
  #reactions: ReadonlyMap<string, SignalReaction>;
  #running = false;

  constructor(options: SignalReactionsOptions) {
    this.#options = options;
    this.#reactions = byName(options.reactions);
    const { inbox, log, deadLetters } = options;
    this.#reader = new InboxReader({
      inbox,
      sink: REACTIONS_SINK,
      log,
      deadLetters,
      failure: "reactions: the inbox could not be read",
      handle: (batch, last) => this.#take(batch, last),
    });
  }

  get runningCount(): number {
    return [...this.#begun.values()].reduce((sum, keys) => sum + keys.size, 0);
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#resume();
  }

  /**
   * Continues with other reactions. A run that is under way finishes by its old settings, and counts towards the new
   * concurrency; runs that wait use the new settings. Runs of a reaction that was removed stay in the journal and
   * continue if the reaction comes back.
   */
  async setReactions(reactions: readonly SignalReaction[]): Promise<void> {
    // The batch that is being read is matched by the old reactions to its end.
    await this.#reader.stop();
    this.#reactions = byName(reactions);
    for (const [name, timer] of this.#timers) if (!this.#reactions.has(name)) clearTimeout(timer);
    if (this.#running) this.#resume();
  }

  #resume(): void {
    for (const name of this.#reactions.keys()) this.schedule(name);
    // Without reactions the inbox has no cursor for this sink, either.
    if (this.#reactions.size > 0) this.#reader.start();
  }

  /** Does not wait for runs that are under way: see {@link AttemptRunner.stop}. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await this.#reader.stop();
  }

  /** Begins runs that are due, up to the reaction's concurrency. */
  schedule(name: string): void {
    const reaction = this.#reactions.get(name);
    if (!this.#running || reaction === undefined) return;
    const { journal, now } = this.#options;
    const begun = this.#begun.get(reaction.name) ?? new Set();
    this.#begun.set(reaction.name, begun);
    const free = reaction.concurrency - begun.size;
    if (free <= 0) return;
    const due = journal
      .pending(reaction.name, reaction.concurrency)
      // The journal may still have runs as pending that began a moment ago.
      .filter(({ key, run }) => !begun.has(key) && begin(run, reaction.policy, now()) !== undefined);
    for (const entry of due.slice(0, free)) {
      begun.add(entry.key);
      this.#begin(reaction, entry);
    }
    const nextMs = begun.size < reaction.concurrency ? journal.nextDueMs(reaction.name, now()) : undefined;
    if (nextMs !== undefined) this.#scheduleIn(name, nextMs - now());
  }

  #scheduleIn(name: string, waitMs: number): void {
    clearTimeout(this.#timers.get(name));
    const timer = setTimeout(() => this.schedule(name), Math.min(Math.max(waitMs, 1), MAX_TIMER_MS));
    this.#timers.set(name, timer);
  }

  #begin(reaction: SignalReaction, entry: Entry): void {
    const { attempts, log } = this.#options;
    const { name } = reaction;
    attempts.run(reaction, entry).then(
      () => {
        this.#begun.get(name)?.delete(entry.key);
        this.schedule(name);
      },
      (error: unknown) => {
        this.#begun.get(name)?.delete(entry.key);
        log.error({ err: error, reaction: name }, "reactions: the journal could not be written; trying again");
        if (this.#running) this.#scheduleIn(name, DISK_RETRY_MS);
      },
    );
  }

  async #take(batch: readonly Received[], last: number): Promise<void> {
    const { inbox, journal, now } = this.#options;
    const runs = batch.flatMap((received) => this.#reactionsTo(received).map((reaction) => ({ received, reaction })));
    await inbox.advance(REACTIONS_SINK, last, () => {
      for (const { received, reaction } of runs) {
        const { id, seq, text } = received;
        journal.accept(reaction.name, id, text, now(), placeOfIdentity(id, seq));
      }
      return () => undefined;
    });
    for (const name of new Set(runs.map(({ reaction }) => reaction.name))) this.schedule(name);
  }

  #reactionsTo({ id, signal: name, text }: Received): SignalReaction[] {
    const { log } = this.#options;
    const matching = [...this.#reactions.values()].filter((reaction) => reaction.matches(name));
    if (matching.length === 0) return [];
    const signal = readSignalLine(text);
    return matching.filter((reaction) => {
      // A reaction that reacted to its own signals would never end.
      if (isEmittedBy(reaction.name, signal.source)) return false;
      try {
        return reaction.applies(signal);
      } catch (error) {
        log.warn(
          { reaction: reaction.name, signal: id, error: (error as Error).message },
          "reactions: the condition cannot be evaluated over this signal; the reaction does not run",
        );
        return false;
      }
    });
  }
}

function byName(reactions: readonly SignalReaction[]): ReadonlyMap<string, SignalReaction> {
  return new Map(reactions.map((reaction) => [reaction.name, reaction]));
}
