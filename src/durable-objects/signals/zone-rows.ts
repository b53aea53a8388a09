import type { Zone } from "../../core/signals/log/zone.ts";
import type { SalvagedRows, ZoneRow } from "./salvaged-rows.ts";

/** A closed zone as it is stored. */
export interface StoredZone {
  readonly slice: number;
  readonly zone: Zone;
  /** Characters of its row. */
  readonly chars: number;
}

/** The closed zones of a log, in a table for each slice. */
export class ZoneRows {
  readonly #sql: SqlStorage;
  readonly #rows: SalvagedRows;
  /** Read last: a reader that goes through the log asks for the same zone 256 times. */
  #recent: StoredZone | undefined;

  constructor(sql: SqlStorage, rows: SalvagedRows) {
    this.#sql = sql;
    this.#rows = rows;
  }

  /** Rows were changed by others, or never reached the disk. */
  forget(): void {
    this.#recent = undefined;
  }

  /** The zone that holds `seq`, or `undefined`. */
  at(slice: number, seq: number): StoredZone | undefined {
    const recent = this.#recent;
    if (recent?.slice === slice && recent.zone.firstSeq <= seq && recent.zone.lastSeq >= seq) return recent;
    const [place] = this.#sql.exec<{ first_seq: number; last_seq: SqlStorageValue }>(
      `SELECT first_seq, last_seq FROM zones_${slice} WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1`,
      seq,
    );
    // Behind the last zone nothing is read of its body, which can be large.
    if (place === undefined || Number(place.last_seq) < seq) return undefined;
    const row = this.#sql.exec<ZoneRow>(`SELECT * FROM zones_${slice} WHERE first_seq = ?`, place.first_seq).one();
    const zone = this.#rows.zone(row);
    if (zone === undefined || zone.lastSeq < seq) return undefined;
    this.#recent = { slice, zone, chars: String(row.body).length };
    return this.#recent;
  }

  /** Oldest first. */
  all(slice: number): Zone[] {
    return this.#read(slice, "ORDER BY first_seq");
  }

  newest(slice: number): Zone | undefined {
    return this.#read(slice, "ORDER BY first_seq DESC LIMIT 1")[0];
  }

  /** Last sequence number of the closed zones of a slice; `undefined`: none is closed. */
  last(slice: number): number | undefined {
    const select = `SELECT MAX(last_seq) AS last FROM zones_${slice} WHERE typeof(last_seq) = 'integer'`;
    return this.#sql.exec<{ last: number | null }>(select).one().last ?? undefined;
  }

  write(slice: number, zone: Zone): void {
    this.forget();
    this.#sql.exec(
      `INSERT OR REPLACE INTO zones_${slice} (first_seq, last_seq, body) VALUES (?, ?, ?)`,
      zone.firstSeq,
      zone.lastSeq,
      JSON.stringify(zone),
    );
  }

  #read(slice: number, order: string): Zone[] {
    const rows = [...this.#sql.exec<ZoneRow>(`SELECT * FROM zones_${slice} ${order}`)];
    return rows.flatMap((row) => this.#rows.zone(row) ?? []);
  }
}
