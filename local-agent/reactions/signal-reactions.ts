import { begin } from "../../src/core/reactions/run.ts";
import type { Signal } from "../../src/core/signals/signal.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { Inbox, Received } from "../store/inbox.ts";
import { InboxReader } from "../store/inbox-reader.ts";
import type { StateDatabase } from "../store/state-database.ts";
import type { Attempts } from "./attempts.ts";
import { saidBy } from "./emission.ts";
import type { Entry, RunJournal } from "./journal.ts";
import type { Reaction } from "./reaction.ts";

export interface SignalReaction extends Reaction {
  /** By the name alone: what it says no to is never parsed. */
  wants(name: string): boolean;
  /** @throws Error when its condition cannot be evaluated over this signal */
  applies(signal: Signal): boolean;
}

export interface SignalReactionsOptions {
  readonly db: StateDatabase;
  readonly inbox: Inbox;
  readonly journal: RunJournal;
  readonly attempts: Attempts;
  readonly reactions: readonly SignalReaction[];
  readonly now: () => number;
  readonly log: Logger;
}

export const REACTIONS_SINK = "reactions";
/** Longest that a timer is set for: a machine that slept finds out soon. */
const MAX_TIMER_MS = 60_000;
const DISK_RETRY_MS = 1_000;

/**
 * Sink of the inbox that starts reactions. The journal's row and the sink's cursor are written in one transaction, so
 * that a signal is neither missed nor, known by its id, reacted to twice. Each reaction has its own queue in the
 * journal: one that takes long holds up no other, and a backlog of any length costs no memory.
 */
export class SignalReactions implements Service {
  readonly name = "signal reactions";
  readonly #options: SignalReactionsOptions;
  /** Keys of the runs that were begun and are not over, for each reaction. */
  readonly #begun = new Map<string, Set<number>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #reader: InboxReader;
  #reactions: ReadonlyMap<string, SignalReaction>;
  #running = false;

  constructor(options: SignalReactionsOptions) {
    this.#options = options;
    this.#reactions = byName(options.reactions);
    const { inbox, log } = options;
    this.#reader = new InboxReader({
      ...{ inbox, sink: REACTIONS_SINK, log, failure: "reactions: the inbox could not be read" },
      handle: (batch, last) => this.#take(batch, last),
    });
  }

  get runningCount(): number {
    return [...this.#begun.values()].reduce((sum, keys) => sum + keys.size, 0);
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#goOn();
  }

  /**
   * Goes on with other reactions. What was begun finishes by its old settings, and counts towards the new concurrency;
   * what waits begins by the new ones. What waits for one that is gone stays in the journal, should it come back.
   */
  async setReactions(reactions: readonly SignalReaction[]): Promise<void> {
    // A batch that is being taken is told apart by the old ones to its end.
    await this.#reader.stop();
    this.#reactions = byName(reactions);
    for (const [name, timer] of this.#timers) if (!this.#reactions.has(name)) clearTimeout(timer);
    if (this.#running) this.#goOn();
  }

  #goOn(): void {
    for (const name of this.#reactions.keys()) this.schedule(name);
    // Without any there is no place in the inbox, either.
    if (this.#reactions.size > 0) this.#reader.start();
  }

  /** What runs is not waited for here: see {@link Attempts.stop}. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await this.#reader.stop();
  }

  /** Begins what is due and has room. */
  schedule(name: string): void {
    const reaction = this.#reactions.get(name);
    if (!this.#running || reaction === undefined) return;
    const { journal, now } = this.#options;
    const begun = this.#begun.get(reaction.name) ?? new Set();
    this.#begun.set(reaction.name, begun);
    const room = reaction.concurrency - begun.size;
    if (room <= 0) return;
    const due = journal
      .pending(reaction.name, reaction.concurrency)
      // Those that were begun a moment ago may still be in the journal as pending.
      .filter(({ key, run }) => !begun.has(key) && begin(run, reaction.policy, now()) !== undefined);
    for (const entry of due.slice(0, room)) {
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
    attempts.make(reaction, entry).then(
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
    const wanted = batch.flatMap((received) => this.#wantedBy(received).map((reaction) => ({ received, reaction })));
    await inbox.advance(REACTIONS_SINK, last, () => {
      for (const { received, reaction } of wanted) journal.accept(reaction.name, received.id, received.text, now());
      return () => undefined;
    });
    for (const name of new Set(wanted.map(({ reaction }) => reaction.name))) this.schedule(name);
  }

  #wantedBy({ id, signal: name, text }: Received): SignalReaction[] {
    const { log } = this.#options;
    const wanting = [...this.#reactions.values()].filter((reaction) => reaction.wants(name));
    if (wanting.length === 0) return [];
    const signal = JSON.parse(text) as Signal;
    return wanting.filter((reaction) => {
      if (saidBy(reaction.name, signal.source)) return false;
      try {
        return reaction.applies(signal);
      } catch (error) {
        log.warn(
          { reaction: reaction.name, signal: id, error: (error as Error).message },
          "reactions: its condition does not fit this signal, so it does not react",
        );
        return false;
      }
    });
  }
}

function byName(reactions: readonly SignalReaction[]): ReadonlyMap<string, SignalReaction> {
  return new Map(reactions.map((reaction) => [reaction.name, reaction]));
}
