import type { Gap } from "../../core/gaps/gap.ts";

/** Observations are kept in slices this long; a slice that has left the window is dropped whole. */
const SLICE_MS = 150_000;

/**
 * What the observation cache keeps: the observations of the window, a row per batch in the form in which the log
 * gave them, and the gaps, a row each.
 */
export class ObservationStore {
  readonly #sql: SqlStorage;
  #slices: number[];

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS slices (slice INTEGER PRIMARY KEY)");
    sql.exec(
      "CREATE TABLE IF NOT EXISTS gaps (name TEXT, raised_at TEXT, body TEXT NOT NULL, PRIMARY KEY (name, raised_at)) WITHOUT ROWID",
    );
    this.#slices = this.#readSlices();
  }

  /** @param lines - signals as the log has them, in order */
  add(lines: readonly string[], lastSeq: number, nowMs: number): void {
    const slice = Math.floor(nowMs / SLICE_MS);
    if (!this.#slices.includes(slice)) {
      this.#sql.exec(`CREATE TABLE IF NOT EXISTS segments_${slice} (last_seq INTEGER PRIMARY KEY, body TEXT NOT NULL)`);
      this.#sql.exec("INSERT OR IGNORE INTO slices (slice) VALUES (?)", slice);
      this.#slices = this.#readSlices();
    }
    this.#sql.exec(
      `INSERT OR REPLACE INTO segments_${slice} (last_seq, body) VALUES (?, ?)`,
      lastSeq,
      lines.join("\n"),
    );
  }

  /** Drops slices that ended before `beforeMs`. */
  drop(beforeMs: number): void {
    for (const slice of this.#slices) if ((slice + 1) * SLICE_MS < beforeMs) this.#dropSlice(slice);
    this.#slices = this.#readSlices();
  }

  *lines(): Generator<string> {
    for (const slice of this.#slices) {
      for (const { body } of this.#sql.exec<{ body: string }>(`SELECT body FROM segments_${slice} ORDER BY last_seq`)) {
        yield* body.split("\n");
      }
    }
  }

  saveGap(gap: Gap): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO gaps (name, raised_at, body) VALUES (?, ?, ?)",
      gap.name,
      gap.raised_at,
      JSON.stringify(gap),
    );
  }

  /** Oldest first, so that the newest of a name has the last word. */
  gaps(): Gap[] {
    return [...this.#sql.exec<{ body: string }>("SELECT body FROM gaps ORDER BY raised_at")].map(
      ({ body }) => JSON.parse(body) as Gap,
    );
  }

  /** Forgets resolved gaps raised before `beforeMs`. */
  forgetGaps(before: string): void {
    this.#sql.exec("DELETE FROM gaps WHERE raised_at < ? AND json_extract(body, '$.status') = 'resolved'", before);
  }

  clear(): void {
    for (const slice of this.#slices) this.#dropSlice(slice);
    this.#sql.exec("DELETE FROM gaps");
    this.#slices = [];
  }

  /** Must be called after a transaction that failed. */
  reload(): void {
    this.#slices = this.#readSlices();
  }

  #dropSlice(slice: number): void {
    this.#sql.exec(`DROP TABLE IF EXISTS segments_${slice}`);
    this.#sql.exec("DELETE FROM slices WHERE slice = ?", slice);
  }

  #readSlices(): number[] {
    return [...this.#sql.exec<{ slice: number }>("SELECT slice FROM slices ORDER BY slice")].map(({ slice }) => slice);
  }
}
