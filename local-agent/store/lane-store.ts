import { crc32 } from "node:zlib";
import { numberIn, type Row, textIn } from "./row.ts";
import type { DatabaseSync, StatementSync } from "./state-database.ts";

export const LANES = ["bus", "local"] as const;
/** `bus`: signals from the host's ZMQ bus. `local`: all others. */
export type Lane = (typeof LANES)[number];

export interface SpooledText {
  readonly text: string;
  /** Only observations may be shed when the spool is full. */
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
        n INTEGER PRIMARY KEY, taken_ms INTEGER NOT NULL, observation INTEGER NOT NULL, bytes INTEGER NOT NULL, text TEXT NOT NULL,
        crc INTEGER
      );`);
    const columns = sql.prepare(`SELECT name FROM pragma_table_info('spool_${lane}')`).all();
    // A table of an earlier version, whose rows have no checksum.
    if (!columns.some(({ name }) => name === "crc")) sql.exec(`ALTER TABLE spool_${lane} ADD COLUMN crc INTEGER`);
    this.#select = sql.prepare(`SELECT n, bytes, text, crc FROM spool_${lane} WHERE n >= ? ORDER BY n`);
    this.#insert = sql.prepare(`INSERT INTO spool_${lane} VALUES (?, ?, ?, ?, ?, ?)`);
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

  /** The last number that was ever given, also when its signal is gone; 0 before the first. */
  last(): number {
    return numberIn(this.#lastNumber.get() ?? {}, "last");
  }

  /** Observations that were shed since the file exists. */
  shedCount(): number {
    return numberIn(this.#lastNumber.get() ?? {}, "shed");
  }

  append(signals: readonly SpooledText[], nowMs: number): { first: number; last: number; bytes: number } {
    const first = this.last() + 1;
    let n = first;
    let sum = 0;
    for (const { text, observation } of signals) {
      const bytes = Buffer.byteLength(text);
      this.#insert.run(n++, nowMs, observation ? 1 : 0, bytes, text, crc32(text));
      sum += bytes;
    }
    this.#setLast.run(n - 1);
    return { first, last: n - 1, bytes: sum };
  }

  /**
   * The oldest signals from number `from` on, up to the first missing number: the signals of one frame have
   * consecutive numbers, and shedding leaves holes.
   *
   * @param maxBytes - of the texts and one separator each; the first signal is returned whatever its size
   * @param onDamaged - called for a signal whose text the disk has changed; it is left out
   */
  read(
    from: number,
    maxSignals: number,
    maxBytes: number,
    onDamaged: (n: number, text: string) => void = () => {},
  ): Batch | null {
    const texts: string[] = [];
    let first = 0;
    let bytes = 0;
    for (const row of this.#select.iterate(from)) {
      const n = numberIn(row, "n");
      const size = numberIn(row, "bytes") + 1;
      if (isDamaged(row)) {
        onDamaged(n, String(row.text));
        if (texts.length === 0) continue;
        break;
      }
      if (texts.length === 0) first = n;
      else if (n !== first + texts.length || bytes + size > maxBytes) break;
      texts.push(textIn(row, "text"));
      bytes += size;
      if (texts.length >= maxSignals) break;
    }
    return texts.length === 0 ? null : { first, last: first + texts.length - 1, texts };
  }

  extent(upTo = Number.MAX_SAFE_INTEGER): Extent {
    const row = this.#extentUpTo.get(upTo) ?? {};
    return { count: numberIn(row, "count"), bytes: numberIn(row, "bytes") };
  }

  forget(upTo: number): Extent {
    const gone = this.extent(upTo);
    if (gone.count > 0) this.#deleteUpTo.run(upTo);
    return gone;
  }

  remove(n: number): Extent {
    const row = this.#removeOne.get(n);
    return row === undefined ? { count: 0, bytes: 0 } : { count: 1, bytes: numberIn(row, "bytes") };
  }

  /** When the oldest observation from number `from` on was taken in; `undefined` when there is none. */
  oldestObservationMs(from: number): number | undefined {
    for (const row of this.#observations.iterate(from)) return numberIn(row, "taken_ms");
    return undefined;
  }

  /**
   * Deletes the oldest observations from number `from` on, until `bytes` are free or 1,000 are gone.
   *
   * @returns the deleted extent, and the number from which to look the next time
   */
  shed(from: number, bytes: number): Extent & { next: number } {
    let count = 0;
    let freed = 0;
    let last = from - 1;
    for (const row of this.#observations.iterate(from)) {
      count++;
      freed += numberIn(row, "bytes");
      last = numberIn(row, "n");
      if (freed >= bytes || count >= 1_000) break;
    }
    if (count > 0) {
      this.#deleteObservations.run(from, last);
      this.#countShed.run(count);
    }
    return { count, bytes: freed, next: last + 1 };
  }
}

/** @param from - numbers below which no observation is left */
export function laneWithOldestObservation(
  lanes: Readonly<Record<Lane, LaneStore>>,
  from: Readonly<Record<Lane, number>>,
): Lane | undefined {
  const busMs = lanes.bus.oldestObservationMs(from.bus);
  const localMs = lanes.local.oldestObservationMs(from.local);
  if (busMs === undefined && localMs === undefined) return undefined;
  return (busMs ?? Number.POSITIVE_INFINITY) <= (localMs ?? Number.POSITIVE_INFINITY) ? "bus" : "local";
}

/** SQLite has no checksum of its own: a page whose bytes were changed is sound for it as long as its structure is. */
function isDamaged(row: Row): boolean {
  const { text, crc } = row;
  return typeof text !== "string" || (typeof crc === "number" && crc32(text) !== crc);
}
