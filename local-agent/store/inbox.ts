import { Listeners } from "../base/listeners.ts";
import { numberIn, type Row, textIn } from "./row.ts";
import type { StateDatabase, StatementSync, Write } from "./state-database.ts";

/** A signal that the edge delivered. `text` is its JSON, as sinks pass it on. */
export interface Received {
  readonly seq: number;
  readonly id: string;
  readonly signal: string;
  readonly text: string;
}

/**
 * The signals that arrived from the edge, and the place in the log up to which they are complete, stored in one
 * transaction. Each sink has a cursor of its own and moves it after a signal was handled: a crash repeats only the signals
 * that the sink was handling.
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
  #isWanted: (signal: Received) => boolean;
  #cursor: number | null;

  /**
   * @param sinks - all present sinks. A former sink that is not named loses its cursor, so that no signals are kept for
   * it. A new sink starts with the signals that arrive from now on. Without any former sink the inbox is emptied: a sink
   * must not react to signals from the time when it was switched off.
   * @param wanted - whether any sink reads the signal; others are not stored; default: all are
   */
  constructor(db: StateDatabase, sinks: readonly string[], wanted: (signal: Received) => boolean = () => true) {
    this.#db = db;
    this.#isWanted = wanted;
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

  /** The place in the log up to which the inbox is complete. `null`: nothing has ever arrived. */
  get cursor(): number | null {
    return this.#cursor;
  }

  /** Calls `listener` after each commit that added signals. @returns a function that removes the listener */
  onReceive(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Stores a delivery. Signals at or below the cursor are dropped: the edge repeats unacknowledged signals.
   *
   * @param last - place in the log up to which the frame is complete, which may be beyond its last signal
   * @returns the cursor after the commit
   */
  receive(last: number, signals: readonly Received[]): Promise<number> {
    return this.#db.commit(signals.length, () => {
      // The last sink was removed while the delivery was on its way. A stored cursor would give the next sink signals
      // from before it was added.
      if (this.#anySink.get() === undefined) return () => last;
      const before = this.#storedCursor();
      const fresh = signals.filter((one) => one.seq > (before ?? -1) && this.#isWanted(one));
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
   * Restarts at the end of another log, in which the old cursors mean nothing. Signals of the old log that were not
   * handled yet are dropped.
   *
   * @returns the number of dropped signals
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

  /** Changes the sinks, by the rules of the constructor. Sinks that are removed must have stopped reading. */
  setSinks(sinks: readonly string[], wanted: (signal: Received) => boolean): Promise<void> {
    return this.#db.commit<void>(1, () => {
      const adopted = this.#adopt(sinks);
      return () => {
        this.#cursor = adopted();
        this.#isWanted = wanted;
      };
    });
  }

  /** The oldest signals that `sink` has not handled. */
  next(sink: string, limit: number): Received[] {
    return this.#next.all(this.#place(sink), limit).map(readReceived);
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
    const row = this.#db.sql.prepare("SELECT seq FROM inbox_cursor").get();
    return row === undefined ? null : numberIn(row, "seq");
  }

  /** Runs inside a transaction. @returns updates the memory after the commit, and returns the cursor of the inbox */
  #adopt(sinks: readonly string[]): () => number | null {
    const { sql } = this.#db;
    const stored = sql.prepare("SELECT name, seq FROM sink").all();
    const known = stored.map((row) => ({ name: textIn(row, "name"), seq: numberIn(row, "seq") }));
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

function readReceived(row: Row): Received {
  return {
    seq: numberIn(row, "seq"),
    id: textIn(row, "id"),
    signal: textIn(row, "signal"),
    text: textIn(row, "text"),
  };
}
