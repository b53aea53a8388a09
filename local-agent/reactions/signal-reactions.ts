import { begin } from "../../src/core/reactions/run.ts";
import type { Signal } from "../../src/core/signals/signal.ts";
import type { Inbox, Received } from "../inbox.ts";
import type { Logger } from "../log.ts";
import type { Service } from "../service.ts";
import { InboxReader } from "../sinks/inbox-reader.ts";
import type { StateDatabase } from "../state-database.ts";
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
  #running = false;

  constructor(options: SignalReactionsOptions) {
    this.#options = options;
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
    for (const reaction of this.#options.reactions) this.schedule(reaction);
    this.#reader.start();
  }

  /** What runs is not waited for here: see {@link Attempts.stop}. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await this.#reader.stop();
  }

  /** Begins what is due and has room. */
  schedule(reaction: SignalReaction): void {
    if (!this.#running) return;
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
    if (nextMs !== undefined) this.#scheduleIn(reaction, nextMs - now());
  }

  #scheduleIn(reaction: SignalReaction, waitMs: number): void {
    clearTimeout(this.#timers.get(reaction.name));
    const timer = setTimeout(() => this.schedule(reaction), Math.min(Math.max(waitMs, 1), MAX_TIMER_MS));
    this.#timers.set(reaction.name, timer);
  }

  #begin(reaction: SignalReaction, entry: Entry): void {
    const { attempts, log } = this.#options;
    attempts.make(reaction, entry).then(
      () => {
        this.#begun.get(reaction.name)?.delete(entry.key);
        this.schedule(reaction);
      },
      (error: unknown) => {
        this.#begun.get(reaction.name)?.delete(entry.key);
        log.error({ err: error, reaction: reaction.name }, "reactions: the journal could not be written; trying again");
        if (this.#running) this.#scheduleIn(reaction, DISK_RETRY_MS);
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
    for (const reaction of new Set(wanted.map(({ reaction }) => reaction))) this.schedule(reaction);
  }

  #wantedBy({ id, signal: name, text }: Received): SignalReaction[] {
    const { reactions, log } = this.#options;
    const wanting = reactions.filter((reaction) => reaction.wants(name));
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
