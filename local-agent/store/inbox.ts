import { Listeners } from "../base/listeners.ts";
import type { StateDatabase, StatementSync, Write } from "./state-database.ts";

/** A signal as the edge pushed it. `text` is its JSON as it goes on to a sink. */
export interface Received {
  readonly seq: number;
  readonly id: string;
  readonly signal: string;
  readonly text: string;
}

/**
 * Journal of what arrived from the edge, with the place in the log up to which it is complete, in one transaction.
 * Each sink has its own cursor into it and moves it when it has handled a signal, so that a crash repeats at most
 * what the sink was handling.
 */
export class Inbox {
  readonly #db: StateDatabase;
  readonly #insert: StatementSync;
  readonly #setCursor: StatementSync;
  readonly #next: StatementSync;
  readonly #advance: StatementSync;
  readonly #deletePassed: StatementSync;
  readonly #anySink: StatementSync;
  readonly #listeners = new Listeners();
  readonly #sinks = new Map<string, number>();
  #wanted: (signal: Received) => boolean;
  #cursor: number | null;

  /**
   * @param sinks - all that there are now. One that was here before and is not named loses its place, so that
   * nothing is kept for it for ever; a new one begins with what arrives from now on. Without any old sink the whole
   * inbox begins anew: nobody wants to react to what happened while he was switched off.
   * @param wanted - what none of the sinks would take is not written down; default: everything is wanted
   */
  constructor(db: StateDatabase, sinks: readonly string[], wanted: (signal: Received) => boolean = () => true) {
    this.#db = db;
    this.#wanted = wanted;
    const { sql } = db;
    sql.exec(`
      CREATE TABLE IF NOT EXISTS inbox (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, signal TEXT NOT NULL, text TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS inbox_cursor (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS sink (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;`);
    this.#insert = sql.prepare("INSERT OR IGNORE INTO inbox VALUES (?, ?, ?, ?)");
    this.#setCursor = sql.prepare("INSERT OR REPLACE INTO inbox_cursor VALUES (1, ?)");
    this.#next = sql.prepare("SELECT seq, id, signal, text FROM inbox WHERE seq > ? ORDER BY seq LIMIT ?");
    this.#advance = sql.prepare("UPDATE sink SET seq = ? WHERE name = ? AND seq < ?");
    this.#deletePassed = sql.prepare("DELETE FROM inbox WHERE seq <= ?");
    this.#anySink = sql.prepare("SELECT 1 FROM sink LIMIT 1");
    sql.exec("BEGIN IMMEDIATE");
    const adopted = this.#adopt(sinks);
    sql.exec("COMMIT");
    this.#cursor = adopted();
  }

  /** Up to here everything that was subscribed to is in the journal. `null`: nothing has arrived yet, ever. */
  get cursor(): number | null {
    return this.#cursor;
  }

  /** Calls `listener` after each commit that added signals. @returns a function that ends it */
  onReceive(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Journals a frame. Signals at or below the cursor are dropped: the edge repeats what it saw no acknowledgement for.
   *
   * @param last - place in the log up to which the frame is complete, which may be beyond its last signal
   * @returns the cursor after the commit
   */
  receive(last: number, signals: readonly Received[]): Promise<number> {
    return this.#db.commit(signals.length, () => {
      // The last sink went while the frame was on its way: to keep a place for nobody would be to repeat, to the next
      // one, what happened before it came.
      if (this.#anySink.get() === undefined) return () => last;
      const before = this.#storedCursor();
      const fresh = signals.filter((one) => one.seq > (before ?? -1) && this.#wanted(one));
      for (const { seq, id, signal, text } of fresh) this.#insert.run(seq, id, signal, text);
      const cursor = Math.max(before ?? 0, last, signals.at(-1)?.seq ?? 0);
      this.#setCursor.run(cursor);
      return () => {
        this.#cursor = cursor;
        if (fresh.length > 0) this.#listeners.notify();
        return cursor;
      };
    });
  }

  /**
   * Begins anew at the end of a log that is not the one this journal knew: its places mean nothing there. What was not
   * handled yet of the old log goes.
   *
   * @returns how many signals that were
   */
  restart(last: number): Promise<number> {
    return this.#db.commit<number>(1, () => {
      const { changes } = this.#db.sql.prepare("DELETE FROM inbox").run();
      this.#db.sql.prepare("UPDATE sink SET seq = ?").run(last);
      this.#setCursor.run(last);
      return () => {
        this.#cursor = last;
        for (const sink of this.#sinks.keys()) this.#sinks.set(sink, last);
        return Number(changes);
      };
    });
  }

  /** Goes on for other sinks, by the rules of the constructor. Those that go have stopped reading. */
  setSinks(sinks: readonly string[], wanted: (signal: Received) => boolean): Promise<void> {
    return this.#db.commit<void>(1, () => {
      const adopted = this.#adopt(sinks);
      return () => {
        this.#cursor = adopted();
        this.#wanted = wanted;
      };
    });
  }

  /** Oldest signals that `sink` has not handled. */
  next(sink: string, limit: number): Received[] {
    return this.#next.all(this.#place(sink), limit) as unknown as Received[];
  }

  /**
   * `sink` has handled everything up to and including `seq`.
   *
   * @param also - written in the same transaction
   */
  advance(sink: string, seq: number, also?: Write<void>): Promise<void> {
    return this.#db.commit<void>(1, () => {
      const finish = also?.();
      this.#advance.run(seq, sink, seq);
      const passed = Math.min(
        ...[...this.#sinks].map(([name, place]) => (name === sink ? Math.max(seq, place) : place)),
      );
      this.#deletePassed.run(passed);
      return () => {
        finish?.();
        this.#sinks.set(sink, Math.max(seq, this.#place(sink)));
      };
    });
  }

  #place(sink: string): number {
    const place = this.#sinks.get(sink);
    if (place === undefined) throw new Error(`the inbox was opened without a sink named ${sink}`);
    return place;
  }

  #storedCursor(): number | null {
    const row = this.#db.sql.prepare("SELECT seq FROM inbox_cursor").get() as { seq: number } | undefined;
    return row?.seq ?? null;
  }

  /** Inside of a transaction. @returns what makes it known here, and the place of the inbox, once it is on the disk */
  #adopt(sinks: readonly string[]): () => number | null {
    const { sql } = this.#db;
    const known = sql.prepare("SELECT name, seq FROM sink").all() as { name: string; seq: number }[];
    const places = new Map(known.filter(({ name }) => sinks.includes(name)).map(({ name, seq }) => [name, seq]));
    for (const { name } of known) if (!places.has(name)) sql.prepare("DELETE FROM sink WHERE name = ?").run(name);
    if (places.size === 0) sql.exec("DELETE FROM inbox; DELETE FROM inbox_cursor");
    const cursor = this.#storedCursor();
    for (const name of sinks) {
      if (places.has(name)) continue;
      sql.prepare("INSERT INTO sink VALUES (?, ?)").run(name, cursor ?? -1);
      places.set(name, cursor ?? -1);
    }
    return () => {
      this.#sinks.clear();
      for (const [name, seq] of places) this.#sinks.set(name, seq);
      return cursor;
    };
  }
}
