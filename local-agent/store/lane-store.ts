import type { DatabaseSync, StatementSync } from "./state-database.ts";

export const LANES = ["bus", "local"] as const;
/** `bus`: what came from the host's ZMQ bus. `local`: everything else. */
export type Lane = (typeof LANES)[number];

export interface SpooledText {
  readonly text: string;
  /** Observations may be shed when the spool is full; nothing else may. */
  readonly observation: boolean;
}

/** Signals with the numbers `first`, `first + 1`, … `last`. */
export interface Batch {
  readonly first: number;
  readonly last: number;
  /** Each is the JSON of one signal. */
  readonly texts: readonly string[];
}

export interface Extent {
  readonly count: number;
  readonly bytes: number;
}

/** Rows of one lane. Every method that writes must run inside a transaction. */
export class LaneStore {
  readonly #select: StatementSync;
  readonly #insert: StatementSync;
  readonly #lastNumber: StatementSync;
  readonly #setLast: StatementSync;
  readonly #extentUpTo: StatementSync;
  readonly #deleteUpTo: StatementSync;
  readonly #removeOne: StatementSync;
  readonly #observations: StatementSync;
  readonly #deleteObservations: StatementSync;
  readonly #countShed: StatementSync;

  constructor(sql: DatabaseSync, lane: Lane) {
    sql.exec(`
      CREATE TABLE IF NOT EXISTS lane (name TEXT PRIMARY KEY, last INTEGER NOT NULL, shed INTEGER NOT NULL) WITHOUT ROWID;
      INSERT OR IGNORE INTO lane VALUES ('${lane}', 0, 0);
      CREATE TABLE IF NOT EXISTS spool_${lane} (
        n INTEGER PRIMARY KEY, taken_ms INTEGER NOT NULL, observation INTEGER NOT NULL, bytes INTEGER NOT NULL, text TEXT NOT NULL
      );`);
    this.#select = sql.prepare(`SELECT n, bytes, text FROM spool_${lane} WHERE n >= ? ORDER BY n`);
    this.#insert = sql.prepare(`INSERT INTO spool_${lane} VALUES (?, ?, ?, ?, ?)`);
    this.#lastNumber = sql.prepare(`SELECT last, shed FROM lane WHERE name = '${lane}'`);
    this.#setLast = sql.prepare(`UPDATE lane SET last = ? WHERE name = '${lane}'`);
    this.#extentUpTo = sql.prepare(`SELECT count(*) AS count, total(bytes) AS bytes FROM spool_${lane} WHERE n <= ?`);
    this.#deleteUpTo = sql.prepare(`DELETE FROM spool_${lane} WHERE n <= ?`);
    this.#removeOne = sql.prepare(`DELETE FROM spool_${lane} WHERE n = ? RETURNING bytes`);
    this.#observations = sql.prepare(
      `SELECT n, taken_ms, bytes FROM spool_${lane} WHERE n >= ? AND observation = 1 ORDER BY n`,
    );
    this.#deleteObservations = sql.prepare(`DELETE FROM spool_${lane} WHERE n BETWEEN ? AND ? AND observation = 1`);
    this.#countShed = sql.prepare(`UPDATE lane SET shed = shed + ? WHERE name = '${lane}'`);
  }

  /** Last number ever given, whatever became of its signal; 0 before the first. */
  last(): number {
    return (this.#lastNumber.get() as { last: number }).last;
  }

  /** Observations that had to go because the spool was full, since the file exists. */
  shedCount(): number {
    return (this.#lastNumber.get() as { shed: number }).shed;
  }

  append(signals: readonly SpooledText[], nowMs: number): { first: number; last: number; bytes: number } {
    const first = this.last() + 1;
    let n = first;
    let sum = 0;
    for (const { text, observation } of signals) {
      const bytes = Buffer.byteLength(text);
      this.#insert.run(n++, nowMs, observation ? 1 : 0, bytes, text);
      sum += bytes;
    }
    this.#setLast.run(n - 1);
    return { first, last: n - 1, bytes: sum };
  }

  /**
   * The oldest signals from number `from` on, without a hole between them: what a producer sends in one frame has
   * consecutive numbers, and shedding leaves holes.
   *
   * @param maxBytes - of the texts and one separator each; the first signal is returned whatever its size
   */
  read(from: number, maxSignals: number, maxBytes: number): Batch | null {
    const texts: string[] = [];
    let first = 0;
    let bytes = 0;
    for (const row of this.#select.iterate(from) as Iterable<{ n: number; bytes: number; text: string }>) {
      if (texts.length === 0) first = row.n;
      else if (row.n !== first + texts.length || bytes + row.bytes + 1 > maxBytes) break;
      texts.push(row.text);
      bytes += row.bytes + 1;
      if (texts.length >= maxSignals) break;
    }
    return texts.length === 0 ? null : { first, last: first + texts.length - 1, texts };
  }

  extent(upTo = Number.MAX_SAFE_INTEGER): Extent {
    return { ...(this.#extentUpTo.get(upTo) as unknown as Extent) };
  }

  forget(upTo: number): Extent {
    const gone = this.extent(upTo);
    if (gone.count > 0) this.#deleteUpTo.run(upTo);
    return gone;
  }

  remove(n: number): Extent {
    const row = this.#removeOne.get(n) as { bytes: number } | undefined;
    return { count: row === undefined ? 0 : 1, bytes: row?.bytes ?? 0 };
  }

  /** When the oldest observation from number `from` on was taken in. */
  oldestObservation(from: number): { n: number; taken_ms: number } | undefined {
    for (const row of this.#observations.iterate(from)) return row as unknown as { n: number; taken_ms: number };
    return undefined;
  }

  /**
   * Deletes the oldest observations from number `from` on, until `bytes` are free or 1,000 are gone.
   *
   * @returns what went, and the number from which to look the next time
   */
  shed(from: number, bytes: number): Extent & { next: number } {
    let count = 0;
    let freed = 0;
    let last = from - 1;
    for (const row of this.#observations.iterate(from) as Iterable<{ n: number; bytes: number }>) {
      count++;
      freed += row.bytes;
      last = row.n;
      if (freed >= bytes || count >= 1_000) break;
    }
    if (count > 0) {
      this.#deleteObservations.run(from, last);
      this.#countShed.run(count);
    }
    return { count, bytes: freed, next: last + 1 };
  }
}
