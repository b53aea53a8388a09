import * as z from "zod";
import { batchesOf, fitting, type SpanBatch, spansOf } from "../../core/telemetry/batches.ts";
import { ExportProgress, NOTHING_EXPORTED } from "../../core/telemetry/progress.ts";
import { ExportSettings } from "../../core/telemetry/settings.ts";
import { readableOr } from "../shell/readable-rows.ts";

/** Spans that wait at most, and what they take. The oldest go first; they are counted. */
const MAX_WAITING = { spans: 100_000, bytes: 64 * 1024 * 1024 } as const;
/** Batches that are looked at for one request: small ones go together. */
const LOOKED_AT = 64;

/** How far the log was read for reactions. */
const LogPlace = z.object({ epoch: z.string(), seq: z.number() });
export type LogPlace = z.infer<typeof LogPlace>;

interface BatchRow extends Record<string, SqlStorageValue> {
  number: number;
  spans: number;
  bytes: number;
}

/** What goes into one request. */
export interface Waiting {
  /** Its last batch. */
  readonly through: number;
  /** As JSON texts. */
  readonly spans: readonly string[];
}

type Name = "settings" | "progress" | "log" | "untold";

/**
 * What an export stores: `kept(name, body)`: settings, progress, place in the log, and which sources are not told yet;
 * `sources(source, epoch, number)`: how far each source has handed over; `batches(number, spans, bytes, body)`: spans that
 * wait, as JSON texts, one a line. Each change belongs into a transaction.
 */
export class ExportStore {
  readonly #sql: SqlStorage;
  readonly #most: { readonly spans: number; readonly bytes: number };
  #settings: ExportSettings | undefined;
  #progress: ExportProgress = NOTHING_EXPORTED;
  #waiting = { spans: 0, bytes: 0 };
  /** Batches up to here are being sent: they are not given up meanwhile. 0: none. */
  #sending = 0;

  /** @param most - what waits at most */
  constructor(sql: SqlStorage, most: { readonly spans: number; readonly bytes: number } = MAX_WAITING) {
    this.#sql = sql;
    this.#most = most;
    sql.exec("CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
    sql.exec(
      `CREATE TABLE IF NOT EXISTS sources (source TEXT PRIMARY KEY, epoch TEXT NOT NULL, number INTEGER NOT NULL) WITHOUT ROWID`,
    );
    sql.exec(
      `CREATE TABLE IF NOT EXISTS batches (number INTEGER PRIMARY KEY AUTOINCREMENT, spans INTEGER NOT NULL,
         bytes INTEGER NOT NULL, body TEXT NOT NULL)`,
    );
    this.reload();
  }

  reload(): void {
    const parsed =
      <Value>(schema: z.ZodType<Value>) =>
      (text: string) =>
        schema.parse(JSON.parse(text));
    const read = <Value>(name: Name, schema: z.ZodType<Value>) =>
      readableOr(`${name} of an export`, this.note(name), parsed(schema), undefined);
    this.#settings = read("settings", ExportSettings);
    this.#progress = read("progress", ExportProgress) ?? NOTHING_EXPORTED;
    this.#sending = 0;
    const sums = "SELECT coalesce(sum(spans), 0) AS spans, coalesce(sum(bytes), 0) AS bytes FROM batches";
    this.#waiting = this.#sql.exec<{ spans: number; bytes: number }>(sums).one();
  }

  get settings(): ExportSettings | undefined {
    return this.#settings;
  }

  get progress(): ExportProgress {
    return this.#progress;
  }

  /** Spans that wait. */
  get waiting(): number {
    return this.#waiting.spans;
  }

  set settings(settings: ExportSettings) {
    this.setNote("settings", JSON.stringify(settings));
    this.#settings = settings;
  }

  set progress(progress: ExportProgress) {
    this.setNote("progress", JSON.stringify(progress));
    this.#progress = progress;
  }

  get logPlace(): LogPlace | undefined {
    return readableOr("place in the log", this.note("log"), (text) => LogPlace.parse(JSON.parse(text)), undefined);
  }

  set logPlace(place: LogPlace) {
    this.setNote("log", JSON.stringify(place));
  }

  note(name: Name): string | undefined {
    const [row] = this.#sql.exec<{ body: string }>("SELECT body FROM kept WHERE name = ?", name).toArray();
    return row?.body;
  }

  /** @param body - `undefined`: forget it */
  setNote(name: Name, body: string | undefined): void {
    if (body === undefined) this.#sql.exec("DELETE FROM kept WHERE name = ?", name);
    else this.#sql.exec("INSERT OR REPLACE INTO kept (name, body) VALUES (?, ?)", name, body);
  }

  /** The last row of a source that is stored. */
  numberOf(source: string, epoch: string): number {
    const select = "SELECT number FROM sources WHERE source = ? AND epoch = ?";
    return this.#sql.exec<{ number: number }>(select, source, epoch).toArray()[0]?.number ?? 0;
  }

  setNumber(source: string, epoch: string, number: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO sources (source, epoch, number) VALUES (?, ?, ?)", source, epoch, number);
  }

  /** @param spans - as JSON texts @returns how many older ones were given up for them */
  add(spans: readonly string[]): number {
    for (const batch of batchesOf(spans)) this.#insert(null, batch);
    return this.#dropOldest();
  }

  /** What goes into the next request, which is being sent until {@link settle}; `undefined`: nothing waits. */
  next(): Waiting | undefined {
    const select = "SELECT number, spans, bytes FROM batches ORDER BY number LIMIT ?";
    const rows = this.#sql.exec<BatchRow>(select, LOOKED_AT).toArray();
    const through = rows.slice(0, fitting(rows)).at(-1)?.number;
    if (through === undefined) return undefined;
    const bodies = this.#sql
      .exec<{ body: string }>("SELECT body FROM batches WHERE number <= ? ORDER BY number", through)
      .toArray();
    this.#sending = through;
    return { through, spans: bodies.flatMap(spansOf) };
  }

  /** Whether what was sent still waits: it does not where the export was changed meanwhile. */
  isSending({ through }: Waiting): boolean {
    return this.#sending === through;
  }

  /**
   * The request is over.
   *
   * @param count - how many of its spans, from the first on, wait no more
   */
  settle({ through, spans }: Waiting, count: number): void {
    this.#sending = 0;
    if (count === 0) return;
    const gone = this.#sql
      .exec<BatchRow>("DELETE FROM batches WHERE number <= ? RETURNING number, spans, bytes", through)
      .toArray();
    for (const row of gone) this.#count(-row.spans, -row.bytes);
    // They come before what came later.
    const [rest] = batchesOf(spans.slice(count));
    if (rest !== undefined) this.#insert(through, rest);
  }

  /** Nothing waits any more. @returns how many spans were given up */
  clear(): number {
    const { spans } = this.#waiting;
    this.#sql.exec("DELETE FROM batches");
    this.#waiting = { spans: 0, bytes: 0 };
    this.#sending = 0;
    return spans;
  }

  /** The export is off: nothing is left. */
  erase(): void {
    for (const table of ["kept", "sources", "batches"]) this.#sql.exec(`DELETE FROM ${table}`);
    this.reload();
  }

  /** @param number - `null`: behind all others */
  #insert(number: number | null, { spans, bytes, body }: SpanBatch): void {
    this.#sql.exec("INSERT INTO batches (number, spans, bytes, body) VALUES (?, ?, ?, ?)", number, spans, bytes, body);
    this.#count(spans, bytes);
  }

  #count(spans: number, bytes: number): void {
    this.#waiting = { spans: this.#waiting.spans + spans, bytes: this.#waiting.bytes + bytes };
  }

  #dropOldest(): number {
    const before = this.#waiting.spans;
    while (this.#waiting.spans > this.#most.spans || this.#waiting.bytes > this.#most.bytes) {
      const [oldest] = this.#sql
        .exec<BatchRow>(
          "SELECT number, spans, bytes FROM batches WHERE number > ? ORDER BY number LIMIT 1",
          this.#sending,
        )
        .toArray();
      if (oldest === undefined) break;
      this.#sql.exec("DELETE FROM batches WHERE number = ?", oldest.number);
      this.#count(-oldest.spans, -oldest.bytes);
    }
    return before - this.#waiting.spans;
  }
}
