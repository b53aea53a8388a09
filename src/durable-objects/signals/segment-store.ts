import type { LogBase } from "../../core/signals/log/log-base.ts";
import type { ProducerPage, StoredProducerPage } from "../../core/signals/log/producers.ts";
import type { SliceTimes } from "../../core/signals/log/retention.ts";
import { namesText, type Segment, type SegmentHeader } from "../../core/signals/log/segment.ts";
import type { Zone } from "../../core/signals/log/zone.ts";
import { DamagedRows } from "./damaged-rows.ts";
import { RecentBodies } from "./recent-bodies.ts";
import { SalvagedRows } from "./salvaged-rows.ts";
import { BARE_HEADER, HEADER, type HeaderRow, keysText } from "./segment-row.ts";
import { StoredIds } from "./stored-ids.ts";
import { type StoredZone, ZoneRows } from "./zone-rows.ts";

/** A stretch of time whose segments live in tables of their own, so that retention drops tables, not rows. */
export interface Slice extends SliceTimes {
  readonly slice: number;
  /** Where the log stood when the slice began. */
  readonly firstSeq: number;
}

/** An id, and what it says as `<producer>.<number>`. */
export interface NamedId {
  readonly id: string;
  /** Under which the signal is found where it was erased. */
  readonly alias?: string;
  readonly producer: string;
  readonly number: number;
}

/** What a waking log reads. */
interface StoredLog {
  /** `undefined`: the base cannot be read. */
  readonly base: LogBase | undefined;
  readonly zone: Zone | undefined;
  readonly headers: Iterable<SegmentHeader>;
  readonly producers: Iterable<StoredProducerPage>;
}

/** Headers that a waking log holds in memory at once. */
const LOADED_HEADERS = 32;

/**
 * Segments and zones in the object's SQLite.
 *
 * Tables: `slices(slice, first_seq, base)`; for each slice `segments_<n>` (a row per batch, keyed by its first
 * sequence number: an INTEGER PRIMARY KEY is the table itself and costs no index) and `zones_<n>`. `ids` holds the ids
 * that callers gave their signals and hashes of their causes. The body is the last column, so that reading a header does
 * not read the pages of the body. `producers(page, body)`: how far the log has every producer's signals, as of the last
 * zone.
 */
export class SegmentStore {
  /** What of the rows cannot be read. */
  readonly damaged: DamagedRows;
  /** Whether a source was ever erased: only then an id may have become another one. */
  holdsErased = false;
  readonly #sql: SqlStorage;
  readonly #rows: SalvagedRows;
  #slices: Slice[];
  #bodies = new RecentBodies();
  readonly #zones: ZoneRows;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.damaged = new DamagedRows(sql);
    this.#rows = new SalvagedRows(this.damaged, (slice, firstSeq) => this.lines(slice, firstSeq));
    this.#zones = new ZoneRows(sql, this.#rows);
    sql.exec(
      "CREATE TABLE IF NOT EXISTS slices (slice INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, base TEXT NOT NULL)",
    );
    sql.exec("CREATE TABLE IF NOT EXISTS producers (page INTEGER PRIMARY KEY, body TEXT NOT NULL)");
    this.#slices = this.#readSlices();
  }

  /** Oldest first. */
  get slices(): readonly Slice[] {
    return this.#slices;
  }

  /** Must be called after a write that failed: the slices in memory may not have reached the disk. */
  reload(): void {
    this.#slices = this.#readSlices();
    this.#bodies = new RecentBodies();
    this.#zones.forget();
  }

  /** @returns the state at the beginning of the current slice, its last zone, the headers since, and the producers */
  load(): StoredLog | undefined {
    const current = this.#slices.at(-1);
    if (current === undefined) return undefined;
    const { base } = this.#sql.exec<{ base: string }>("SELECT base FROM slices WHERE slice = ?", current.slice).one();
    const zone = this.#zones.newest(current.slice);
    const headers = this.#headersSince(current.slice, (zone?.lastSeq ?? current.firstSeq - 1) + 1);
    const producers = this.#sql.exec<{ page: number; body: string }>("SELECT page, body FROM producers ORDER BY page");
    return { base: this.#rows.base(current.slice, base), zone, headers, producers };
  }

  /** All zones of the log, oldest first. */
  *zones(): Generator<Zone> {
    for (const { slice } of this.#slices) yield* this.#zones.all(slice);
  }

  /** In portions: there are up to 255 of them. */
  *#headersSince(slice: number, fromSeq: number): Generator<SegmentHeader> {
    for (let from = fromSeq; ; ) {
      const headers = this.headers(slice, from, Number.MAX_SAFE_INTEGER, LOADED_HEADERS, "asc", BARE_HEADER);
      yield* headers;
      const last = headers.at(-1);
      if (last === undefined || headers.length < LOADED_HEADERS) return;
      from = last.lastSeq + 1;
    }
  }

  openSlice(slice: number, base: LogBase & { readonly endsMs: number }): void {
    this.#sql.exec(
      `CREATE TABLE segments_${slice} (first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, received_ms INTEGER NOT NULL,
         first_ts INTEGER NOT NULL, last_ts INTEGER NOT NULL, names TEXT NOT NULL, producers TEXT NOT NULL, ids TEXT, body TEXT NOT NULL);
       CREATE TABLE zones_${slice} (first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, body TEXT NOT NULL);`,
    );
    this.#sql.exec(
      "INSERT INTO slices (slice, first_seq, base) VALUES (?, ?, ?)",
      slice,
      base.nextSeq,
      JSON.stringify(base),
    );
    this.#slices.push({ slice, firstSeq: base.nextSeq, beganMs: base.receivedMs, endsMs: base.endsMs });
  }

  dropSlice(slice: number): void {
    this.#sql.exec(`DROP TABLE segments_${slice}; DROP TABLE zones_${slice};`);
    this.#sql.exec("DELETE FROM slices WHERE slice = ?", slice);
    this.#slices = this.#slices.filter((kept) => kept.slice !== slice);
    this.#zones.forget();
  }

  write(
    slice: number,
    segments: readonly Segment[],
    zone: Zone | undefined,
    producers: readonly ProducerPage[] = [],
  ): void {
    for (const segment of segments) {
      this.#sql.exec(
        `INSERT INTO segments_${slice} (${HEADER}, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        segment.firstSeq,
        segment.lastSeq,
        segment.receivedMs,
        segment.firstTs,
        segment.lastTs,
        namesText(segment.names),
        JSON.stringify(segment.producers),
        keysText(segment),
        segment.lines.join("\n"),
      );
    }
    if (zone !== undefined) {
      this.#zones.write(slice, zone);
      // A zone takes the place of one of which it is not known where it ended.
      this.damaged.repaired("zone", zone.firstSeq);
    }
    for (const { page, body } of producers) {
      if (body === null) this.#sql.exec("DELETE FROM producers WHERE page = ?", page);
      else this.#sql.exec("INSERT OR REPLACE INTO producers (page, body) VALUES (?, ?)", page, body);
      this.damaged.repaired("producers", page);
    }
  }

  /**
   * Segments that start within `[fromSeq, toSeq]`, without their bodies, in order.
   *
   * @param columns - {@link BARE_HEADER}: what they list of ids, causes and owners stays empty
   */
  headers(
    slice: number,
    fromSeq: number,
    toSeq: number,
    limit: number,
    order: "asc" | "desc" = "asc",
    columns: typeof HEADER | typeof BARE_HEADER = HEADER,
  ): SegmentHeader[] {
    const rows = this.#sql.exec<HeaderRow>(
      `SELECT ${columns} FROM segments_${slice} WHERE first_seq >= ? AND first_seq <= ? ORDER BY first_seq ${order} LIMIT ?`,
      fromSeq,
      toSeq,
      limit,
    );
    const stored = [...rows];
    if (order === "asc") return this.#rows.headers(slice, stored);
    return this.#rows.headers(slice, stored.reverse()).reverse();
  }

  /** The closed zone that holds `seq`, or `undefined`. */
  zoneAt(slice: number, seq: number): Zone | undefined {
    return this.zoneWithSize(slice, seq)?.zone;
  }

  /** As {@link zoneAt}, with the characters of its row. */
  zoneWithSize(slice: number, seq: number): StoredZone | undefined {
    return this.#zones.at(slice, seq);
  }

  /** Last sequence number of the closed zones of a slice; `undefined`: none is closed. */
  lastZoned(slice: number): number | undefined {
    return this.#zones.last(slice);
  }

  /**
   * First sequence numbers of the segments in `[fromSeq, toSeq]` that list the id, or hold the producer's number; newest
   * first. The database searches the lists of ids: they can be large, and are not parsed for that.
   */
  segmentsNaming(slice: number, fromSeq: number, toSeq: number, { id, alias, producer, number }: NamedId): number[] {
    const rows = this.#sql.exec<{ first_seq: number; listed: number | null; producers: string }>(
      `SELECT first_seq, INSTR(ids, ?1) > 0 OR COALESCE(INSTR(ids, ?5), 0) > 0 AS listed, producers FROM segments_${slice}
         WHERE first_seq >= ?2 AND first_seq <= ?3 AND (listed OR INSTR(producers, ?4) > 0) ORDER BY first_seq DESC`,
      JSON.stringify(id),
      fromSeq,
      toSeq,
      `[${JSON.stringify(producer)},`,
      alias === undefined ? null : JSON.stringify(alias),
    );
    const found = [...rows]
      .filter((row) => row.listed === 1 || this.#rows.holdsNumber(row.first_seq, row.producers, producer, number))
      .map((row) => row.first_seq);
    const damaged = this.damaged.headersIn(fromSeq, toSeq);
    return damaged.length === 0 ? found : [...new Set([...found, ...damaged])].sort((a, b) => b - a);
  }

  /** First sequence number of the segment that holds `seq`, or `undefined`. */
  segmentOf(slice: number, seq: number): number | undefined {
    const [row] = this.#sql.exec<{ first_seq: number; last_seq: number }>(
      `SELECT first_seq, last_seq FROM segments_${slice} WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1`,
      seq,
    );
    return row !== undefined && row.last_seq >= seq ? row.first_seq : undefined;
  }

  lines(slice: number, firstSeq: number): readonly string[] {
    const select = `SELECT body FROM segments_${slice} WHERE first_seq = ?`;
    return this.#bodies.lines(firstSeq, () => {
      const { body } = this.#sql.exec<{ body: SqlStorageValue }>(select, firstSeq).one();
      return { lines: this.#rows.lines(firstSeq, body), chars: String(body).length };
    });
  }

  /** Bodies were written anew. */
  forgetBodies(): void {
    this.#bodies = new RecentBodies();
  }

  /** A reader has gone through all lines of a segment. */
  finished(firstSeq: number): void {
    this.#bodies.finished(firstSeq);
  }

  /** Ids of callers without a producer, of segments received since `sinceMs` that hold `limit` signals, about. */
  storedIds(sinceMs: number, limit: number): StoredIds {
    return new StoredIds(
      { sql: this.#sql, rows: this.#rows, slices: () => this.#slices, erased: () => this.holdsErased },
      sinceMs,
      limit,
    );
  }

  /** Slices of earlier versions say no end: such a slice ends with the last signal that it has. */
  #lastReceivedMs(slice: number): number {
    const select = `SELECT received_ms FROM segments_${slice} ORDER BY first_seq DESC LIMIT 1`;
    return [...this.#sql.exec<{ received_ms: number }>(select)][0]?.received_ms ?? 0;
  }

  #readSlices(): Slice[] {
    // Earlier versions kept all producers in the base: the database reads the two numbers out of it.
    const rows = this.#sql.exec<{ slice: number; first_seq: number; began: number | null; ends: number | null }>(
      `SELECT slice, first_seq, iif(json_valid(base), json_extract(base, '$.receivedMs'), NULL) AS began,
         iif(json_valid(base), json_extract(base, '$.endsMs'), NULL) AS ends FROM slices ORDER BY slice`,
    );
    return [...rows].map((row) => ({
      slice: row.slice,
      firstSeq: row.first_seq,
      beganMs: row.began ?? 0,
      endsMs: row.ends ?? this.#lastReceivedMs(row.slice) + 1,
    }));
  }
}
