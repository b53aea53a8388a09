import type { Gap } from "../../core/introspection/gaps/gap.ts";
import { lineSeq } from "../../core/signals/signal-line.ts";

/** A slice takes in observations for so long at most, and so many. */
const SLICE_MS = 150_000;
const SLICE_LINES = 5_000;

/** Consecutive observations in a table of their own: dropping a table costs no row writes. */
interface Slice {
  readonly id: number;
  readonly openedMs: number;
  firstSeq: number;
  lastSeq: number;
  lines: number;
  /** How many of them are in the window now. */
  inside: number;
}

/**
 * What the observation cache keeps: observations, a row per batch in the form in which the log gave them, and the
 * gaps, a row each. A slice goes when none of its observations is in the window any more: what is kept is never less than
 * the window, and not much more, whatever its length and capacity are and however late things come.
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

  /** Observations kept. */
  get size(): number {
    return this.#slices.reduce((sum, { lines }) => sum + lines, 0);
  }

  /** @param lines - signals as the log has them, in order */
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

  /** Must hear of every observation that enters or leaves the window, by its place in the log. */
  moved(seq: number, change: 1 | -1): void {
    const slice = this.#slices.findLast(({ firstSeq }) => firstSeq <= seq);
    if (slice === undefined || seq > slice.lastSeq) this.#entering += change;
    else slice.inside += change;
  }

  /** Whether a slice can go. @param beforeSeq - later ones are needed for something else */
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

  /** Everything that is kept, in the order of the log. To be read to its end: it is how the slices are known again. */
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
