import type { Gap } from "../../core/introspection/api.ts";
import { readStoredGap } from "../../core/introspection/gaps/gap.ts";
import { lineSeq } from "../../core/signals/signal-line.ts";

/** Longest time during which a slice takes in observations, and most observations of a slice. */
const SLICE_MS = 150_000;
const SLICE_LINES = 5_000;

/** Consecutive observations in a table of their own: dropping a table costs no row writes. */
interface Slice {
  readonly id: number;
  readonly openedMs: number;
  firstSeq: number;
  lastSeq: number;
  lines: number;
  /** Number of its observations that are in the window now. */
  inside: number;
}

/**
 * Stores the observations, a row per batch as the log sent them, and the gaps, a row each. A slice is dropped when none
 * of its observations is in the window any more, so that the store holds the whole window and not much more, whatever
 * the length and capacity of the window are and however late observations come.
 */
export class ObservationStore {
  readonly #sql: SqlStorage;
  #slices: Slice[] = [];
  /** Observations that entered the window and are not stored yet. */
  #entering = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS slices (slice INTEGER PRIMARY KEY)");
    sql.exec(
      "CREATE TABLE IF NOT EXISTS gaps (name TEXT, raised_at TEXT, body TEXT NOT NULL, PRIMARY KEY (name, raised_at)) WITHOUT ROWID",
    );
  }

  /** Observations stored. */
  get size(): number {
    return this.#slices.reduce((sum, { lines }) => sum + lines, 0);
  }

  /** @param lines - signals as JSON lines, in the order of the log */
  add(lines: readonly string[], lastSeq: number, nowMs: number): void {
    let slice = this.#slices.at(-1);
    if (slice === undefined || slice.lines >= SLICE_LINES || nowMs - slice.openedMs >= SLICE_MS) {
      slice = { id: (slice?.id ?? 0) + 1, openedMs: nowMs, firstSeq: 0, lastSeq: 0, lines: 0, inside: 0 };
      this.#sql.exec(`CREATE TABLE segments_${slice.id} (last_seq INTEGER PRIMARY KEY, body TEXT NOT NULL)`);
      this.#sql.exec("INSERT INTO slices (slice) VALUES (?)", slice.id);
      this.#slices.push(slice);
    }
    this.#sql.exec(`INSERT INTO segments_${slice.id} (last_seq, body) VALUES (?, ?)`, lastSeq, lines.join("\n"));
    extend(slice, lines, lastSeq);
    slice.inside += this.#entering;
    this.#entering = 0;
  }

  /** Must be called for every observation that enters (1) or leaves (-1) the window. */
  moved(seq: number, change: 1 | -1): void {
    const slice = this.#slices.findLast(({ firstSeq }) => firstSeq <= seq);
    if (slice === undefined || seq > slice.lastSeq) this.#entering += change;
    else slice.inside += change;
  }

  /** Whether a slice can be dropped. @param beforeSeq - slices that reach further are still needed */
  hasLeft(beforeSeq: number): boolean {
    return this.#slices.slice(0, -1).some(({ inside, lastSeq }) => inside === 0 && lastSeq < beforeSeq);
  }

  /** Drops slices of which nothing is in the window. */
  drop(beforeSeq: number): void {
    if (!this.hasLeft(beforeSeq)) return;
    const gone = this.#slices.slice(0, -1).filter(({ inside, lastSeq }) => inside === 0 && lastSeq < beforeSeq);
    for (const slice of gone) this.#dropSlice(slice);
    this.#slices = this.#slices.filter((slice) => !gone.includes(slice));
  }

  /** All stored observations, in the order of the log. Must be read to the end, because this rebuilds the list of slices. */
  *lines(nowMs: number): Generator<string> {
    this.#slices = [];
    this.#entering = 0;
    const ids = [...this.#sql.exec<{ slice: number }>("SELECT slice FROM slices ORDER BY slice")];
    for (const { slice: id } of ids) {
      const slice: Slice = { id, openedMs: nowMs, firstSeq: 0, lastSeq: 0, lines: 0, inside: 0 };
      this.#slices.push(slice);
      const rows = this.#sql.exec<{ last_seq: number; body: string }>(
        `SELECT last_seq, body FROM segments_${id} ORDER BY last_seq`,
      );
      for (const { last_seq, body } of rows) {
        const lines = body.split("\n");
        extend(slice, lines, last_seq);
        yield* lines;
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

  /**
   * Oldest first, so that the newest gap of a name replaces the others. A gap that cannot be read is left out: one row
   * must not stop an ecosystem, and a problem that persists raises its gap again.
   */
  gaps(): Gap[] {
    const gaps: Gap[] = [];
    const rows = this.#sql.exec<{ name: string; body: string }>("SELECT name, body FROM gaps ORDER BY raised_at");
    for (const { name, body } of rows) {
      try {
        gaps.push(readStoredGap(body));
      } catch (error) {
        console.warn("observations: a stored gap cannot be read and is left out:", name, error);
      }
    }
    return gaps;
  }

  /** Forgets resolved gaps raised before `beforeMs`. */
  forgetGaps(before: string): void {
    this.#sql.exec("DELETE FROM gaps WHERE raised_at < ? AND json_extract(body, '$.status') = 'resolved'", before);
  }

  clear(): void {
    for (const slice of this.#slices) this.#dropSlice(slice);
    this.#sql.exec("DELETE FROM gaps");
    this.#slices = [];
    this.#entering = 0;
  }

  #dropSlice({ id }: Slice): void {
    this.#sql.exec(`DROP TABLE IF EXISTS segments_${id}`);
    this.#sql.exec("DELETE FROM slices WHERE slice = ?", id);
  }
}

function extend(slice: Slice, lines: readonly string[], lastSeq: number): void {
  if (slice.lines === 0) slice.firstSeq = lineSeq(lines[0] ?? "");
  slice.lastSeq = lastSeq;
  slice.lines += lines.length;
}
