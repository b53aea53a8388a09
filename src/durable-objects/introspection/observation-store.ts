import * as z from "zod";
import type { Gap } from "../../core/introspection/api.ts";
import { readStoredGap } from "../../core/introspection/gaps/gap.ts";
import { type SenderRange, Senders } from "../../core/signals/log/senders.ts";
import { lineId, lineSeq } from "../../core/signals/signal-line.ts";
import { logLine } from "../shell/log-line.ts";
import { readableOr } from "../shell/readable-rows.ts";

/** Longest time during which a slice takes in observations, and most observations of a slice. */
const SLICE_MS = 150_000;
const SLICE_LINES = 5_000;

/** A stored observation, and who sent it. */
export interface StoredLine {
  readonly line: string;
  readonly sender: string;
}

/** Consecutive observations in a table of their own: dropping a table costs no row writes. */
interface Slice {
  readonly id: number;
  openedMs: number;
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

  /**
   * @param lines - signals as JSON lines, in the order of the log
   * @param senders - who sent those whose ids do not say so
   */
  add(lines: readonly string[], lastSeq: number, nowMs: number, senders: readonly SenderRange[] = []): void {
    let slice = this.#slices.at(-1);
    if (slice === undefined || slice.lines >= SLICE_LINES || nowMs - slice.openedMs >= SLICE_MS) {
      slice = { id: (slice?.id ?? 0) + 1, openedMs: nowMs, firstSeq: 0, lastSeq: 0, lines: 0, inside: 0 };
      this.#createTable(slice.id);
      this.#sql.exec("INSERT INTO slices (slice) VALUES (?)", slice.id);
      this.#slices.push(slice);
    }
    for (const row of rowsOf(lines, lastSeq, senders)) this.#insert(slice.id, row.lastSeq, row.lines, row.senders);
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
  *lines(nowMs: number): Generator<StoredLine> {
    this.#slices = [];
    this.#entering = 0;
    const ids = [...this.#sql.exec<{ slice: number }>("SELECT slice FROM slices ORDER BY slice")];
    for (const { slice: id } of ids) {
      const slice: Slice = { id, openedMs: nowMs, firstSeq: 0, lastSeq: 0, lines: 0, inside: 0 };
      this.#slices.push(slice);
      for (const { last_seq, body, ...row } of this.#rows(id)) {
        const lines = body.split("\n");
        extend(slice, lines, last_seq);
        const senders = new Senders(readSenders(row.senders));
        for (const line of lines) yield { line, sender: senders.of(lineSeq(line), lineId(line)) };
      }
    }
    const last = this.#slices.at(-1);
    // What an earlier version wrote has no room for senders: the next observations go into a new slice.
    if (last !== undefined && !this.#hasSenders(last.id)) last.openedMs = Number.NEGATIVE_INFINITY;
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
        logLine("warn", "stored-gap-unreadable", { object: "observations", gap: name, error });
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

  /**
   * Writes the observations of all slices but the last that `isInside` holds into one slice. A full window takes room from
   * whoever sends most, so a few observations of somebody else would otherwise keep the slices of a whole flood.
   *
   * @param beforeSeq - slices that reach further are still needed whole
   */
  compact(beforeSeq: number, isInside: (seq: number) => boolean): void {
    const whole = this.#slices.findIndex(({ lastSeq }) => lastSeq >= beforeSeq);
    const old = this.#slices.slice(0, whole === -1 ? -1 : Math.min(whole, this.#slices.length - 1));
    const [first] = old;
    if (first === undefined) return;
    const kept: { readonly lines: string[]; readonly lastSeq: number; readonly senders: readonly SenderRange[] }[] = [];
    for (const { id } of old)
      for (const { last_seq: lastSeq, body, senders } of this.#rows(id)) {
        const lines = body.split("\n").filter((line) => isInside(lineSeq(line)));
        if (lines.length > 0) kept.push({ lines, lastSeq, senders: readSenders(senders) });
      }
    for (const slice of old) this.#dropSlice(slice);
    this.#slices = this.#slices.filter((slice) => !old.includes(slice));
    if (kept.length === 0) return;
    const slice: Slice = { id: first.id, openedMs: first.openedMs, firstSeq: 0, lastSeq: 0, lines: 0, inside: 0 };
    this.#createTable(slice.id);
    this.#sql.exec("INSERT INTO slices (slice) VALUES (?)", slice.id);
    for (const { lines, lastSeq, senders } of joined(kept)) {
      this.#insert(slice.id, lastSeq, lines, senders);
      extend(slice, lines, lastSeq);
    }
    slice.inside = slice.lines;
    this.#slices.unshift(slice);
  }

  #createTable(id: number): void {
    this.#sql.exec(`CREATE TABLE segments_${id} (last_seq INTEGER PRIMARY KEY, body TEXT NOT NULL, senders TEXT)`);
  }

  #insert(id: number, lastSeq: number, lines: readonly string[], senders: readonly SenderRange[]): void {
    this.#sql.exec(
      `INSERT INTO segments_${id} (last_seq, body, senders) VALUES (?, ?, ?)`,
      lastSeq,
      lines.join("\n"),
      senders.length === 0 ? null : JSON.stringify(senders),
    );
  }

  #hasSenders(id: number): boolean {
    const columns = this.#sql.exec<{ name: string }>(`SELECT name FROM pragma_table_info('segments_${id}')`);
    return columns.toArray().some(({ name }) => name === "senders");
  }

  /** Tables of earlier versions have no senders. */
  #rows(id: number): Iterable<{ last_seq: number; body: string; senders?: string | null }> {
    return this.#sql.exec<{ last_seq: number; body: string; senders: string | null }>(
      `SELECT * FROM segments_${id} ORDER BY last_seq`,
    );
  }

  #dropSlice({ id }: Slice): void {
    this.#sql.exec(`DROP TABLE IF EXISTS segments_${id}`);
    this.#sql.exec("DELETE FROM slices WHERE slice = ?", id);
  }
}

const StoredSenders = z.array(z.tuple([z.string(), z.number(), z.number()]));

/** Without its senders a row is still worth reading. */
function readSenders(text: string | null | undefined): readonly SenderRange[] {
  return readableOr("senders of observations", text ?? "[]", (stored) => StoredSenders.parse(JSON.parse(stored)), []);
}

/** Characters of a row: one may take 2 MB, and a character up to three bytes. */
const ROW_CHARS = 600_000;
/** Characters that an observation may take beside its line, where the sender of each is another. */
const RANGE_CHARS = 48;

type Rows = readonly { readonly lines: string[]; readonly lastSeq: number; readonly senders: readonly SenderRange[] }[];

/** What one read of the log gave, which may be several megabytes, as rows. A row is known by the place where it ends. */
function* rowsOf(
  lines: readonly string[],
  lastSeq: number,
  senders: readonly SenderRange[],
): Generator<{
  readonly lines: readonly string[];
  readonly lastSeq: number;
  readonly senders: readonly SenderRange[];
}> {
  let from = 0;
  let chars = 0;
  for (let place = 0; place < lines.length; place++) {
    const size = (lines[place]?.length ?? 0) + 1 + RANGE_CHARS;
    if (place > from && chars + size > ROW_CHARS) {
      const [first, last] = [lineSeq(lines[from] ?? ""), lineSeq(lines[place - 1] ?? "")];
      yield { lines: lines.slice(from, place), lastSeq: last, senders: within(senders, first, last) };
      from = place;
      chars = 0;
    }
    chars += size;
  }
  const own = from === 0 ? senders : within(senders, lineSeq(lines[from] ?? ""), lastSeq);
  yield { lines: from === 0 ? lines : lines.slice(from), lastSeq, senders: own };
}

const within = (senders: readonly SenderRange[], first: number, last: number) =>
  senders.filter(([, from, to]) => from <= last && to >= first);

/** Joins rows into as few as may be. */
function joined(rows: Rows): Rows {
  const all: { lines: string[]; lastSeq: number; senders: SenderRange[] }[] = [];
  let chars = Number.POSITIVE_INFINITY;
  for (const { lines, lastSeq, senders } of rows) {
    const size = lines.reduce((sum, line) => sum + line.length + 1, senders.length * 48);
    const last = all.at(-1);
    if (last === undefined || chars + size > ROW_CHARS) {
      all.push({ lines: [...lines], lastSeq, senders: [...senders] });
      chars = size;
      continue;
    }
    last.lines.push(...lines);
    last.senders.push(...senders);
    last.lastSeq = lastSeq;
    chars += size;
  }
  return all;
}

function extend(slice: Slice, lines: readonly string[], lastSeq: number): void {
  if (slice.lines === 0) slice.firstSeq = lineSeq(lines[0] ?? "");
  slice.lastSeq = lastSeq;
  slice.lines += lines.length;
}
