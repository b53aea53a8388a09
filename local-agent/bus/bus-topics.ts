import { compilePatterns, type Matcher } from "../../src/core/signals/pattern.ts";
import type { Logger } from "../base/log.ts";
import { textIn } from "../store/row.ts";
import type { StateDatabase } from "../store/state-database.ts";
import { patternsOfTopics } from "./topic-patterns.ts";

export interface BusTopicsOptions {
  readonly db: StateDatabase;
  readonly log: Logger;
  /** Called after changes, once for those that come together. */
  readonly onChange: () => void;
  /** How long a topic counts after its last subscriber has gone, in milliseconds; default 60,000. */
  readonly lingerMs?: number;
}

/** A program restarts, or connects again, within this time, and the subscription at the edge stays as it is. */
const LINGER_MS = 60_000;
/** A program that starts subscribes to its topics one after the other. */
const GATHER_MS = 50;
/** Changes within a minute: the edge lets a link subscribe 120 times, and a change takes two. */
const CHANGES = { most: 30, withinMs: 60_000 } as const;

/**
 * The topics to which programs on the host's bus are subscribed. They are stored: after a restart of the agent, its inbox
 * goes on for the programs that were there before, although they take a moment to come back.
 *
 * A topic without a subscriber is given up only while the bus works: a bus that is away has no subscribers, and they return
 * with it.
 */
export class BusTopics {
  readonly #options: BusTopicsOptions;
  readonly #present = new Set<string>();
  /** Topics whose subscribers are away, or have not come back yet. */
  readonly #absent = new Map<string, NodeJS.Timeout | undefined>();
  #busWorks = false;
  #calling: NodeJS.Timeout | undefined;
  /** Times of the last calls, the oldest first. */
  #calledMs: number[] = [];
  #stored: ReadonlySet<string>;
  #matches: Matcher;

  constructor(options: BusTopicsOptions) {
    this.#options = options;
    const { sql } = options.db;
    sql.exec("CREATE TABLE IF NOT EXISTS bus_topic (topic TEXT PRIMARY KEY) WITHOUT ROWID");
    this.#stored = new Set(
      sql
        .prepare("SELECT topic FROM bus_topic")
        .all()
        .map((row) => textIn(row, "topic")),
    );
    for (const topic of this.#stored) this.#absent.set(topic, undefined);
    this.#matches = matcherOf(this.#stored);
  }

  /** Those whose subscribers are there, or were there a moment ago. */
  get all(): string[] {
    return [...this.#present, ...this.#absent.keys()];
  }

  /** Whether a signal of this name may concern a subscriber: at once, before the edge knows of a new one. */
  get matches(): Matcher {
    return this.#matches;
  }

  changed(topic: string, subscribed: boolean): void {
    if (subscribed) {
      clearTimeout(this.#absent.get(topic));
      const isNew = !this.#absent.delete(topic) && !this.#present.has(topic);
      this.#present.add(topic);
      if (isNew) this.#changed();
    } else if (this.#present.delete(topic)) {
      this.#absent.set(topic, this.#busWorks ? this.#giveUpLater(topic) : undefined);
    }
  }

  /** Whether programs can be subscribed at present. */
  setBusWorks(works: boolean): void {
    const before = this.#busWorks;
    this.#busWorks = works;
    if (!works) this.#lost();
    else if (!before) for (const topic of this.#absent.keys()) this.#absent.set(topic, this.#giveUpLater(topic));
  }

  stop(): void {
    this.setBusWorks(false);
    clearTimeout(this.#calling);
    this.#calling = undefined;
  }

  #lost(): void {
    for (const topic of this.#present) this.#absent.set(topic, undefined);
    this.#present.clear();
    for (const [topic, timer] of this.#absent) {
      clearTimeout(timer);
      this.#absent.set(topic, undefined);
    }
  }

  #giveUpLater(topic: string): NodeJS.Timeout {
    const giveUp = () => {
      this.#absent.delete(topic);
      this.#changed();
    };
    return setTimeout(giveUp, this.#options.lingerMs ?? LINGER_MS).unref();
  }

  #changed(): void {
    this.#matches = matcherOf(this.all);
    const nth = this.#calledMs.at(-CHANGES.most) ?? Number.NEGATIVE_INFINITY;
    const waitMs = Math.max(GATHER_MS, nth + CHANGES.withinMs - performance.now());
    this.#calling ??= setTimeout(() => {
      this.#calling = undefined;
      this.#calledMs = [...this.#calledMs.slice(1 - CHANGES.most), performance.now()];
      this.#store();
      this.#options.onChange();
    }, waitMs);
  }

  #store(): void {
    const { db, log } = this.#options;
    const topics = new Set(this.all);
    const before = this.#stored;
    const gone = [...before].filter((topic) => !topics.has(topic));
    const fresh = [...topics].filter((topic) => !before.has(topic));
    if (gone.length + fresh.length === 0) return;
    this.#stored = topics;
    db.commit<void>(gone.length + fresh.length, () => {
      const remove = db.sql.prepare("DELETE FROM bus_topic WHERE topic = ?");
      const add = db.sql.prepare("INSERT OR IGNORE INTO bus_topic VALUES (?)");
      for (const topic of gone) remove.run(topic);
      for (const topic of fresh) add.run(topic);
      return () => undefined;
    }).catch((error: unknown) => {
      // With the next change they are stored, too.
      this.#stored = before;
      log.error({ err: error }, "bus: the topics of its subscribers cannot be stored");
    });
  }
}

function matcherOf(topics: Iterable<string>): Matcher {
  const patterns = patternsOfTopics(topics);
  return patterns.length === 0 ? () => false : compilePatterns(patterns);
}
