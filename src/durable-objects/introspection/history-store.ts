import * as z from "zod";
import type { Party } from "../../core/collections/fair-queue.ts";
import type { HistoryPage } from "../../core/introspection/api.ts";
import {
  encodeSeries,
  HistoryCollector,
  MINUTE_MS,
  mergeSeries,
  minuteOf,
  readStoredPoints,
  type Series,
} from "../../core/introspection/history/collector.ts";
import {
  COARSE_MS,
  FINE_MS,
  HistoryAnswer,
  type HistoryQuery,
  QUARTER_MS,
} from "../../core/introspection/history/query.ts";
import type { Sample } from "../../core/introspection/window/sample.ts";
import { logLine } from "../shell/log-line.ts";
import { readableRows } from "../shell/readable-rows.ts";
import type { SettingsStore } from "./settings-store.ts";

/** Delay between the end of a minute and its write, so that slightly late observations share its row. */
const GRACE_MS = 5_000;
/** Quarters of an hour that are merged in one call. */
const QUARTERS_AT_ONCE = 8;

/** How far the history is written. */
const Written = z.object({
  /** All observations up to this sequence number are in the history. The first stored versions lack the field. */
  all: z.number().default(0),
  /** So are the observations up to this sequence number that belong to a minute that started before `beforeMs`. */
  through: z.number(),
  /** Milliseconds since the epoch. */
  beforeMs: z.number(),
});
type Written = Readonly<z.infer<typeof Written>>;

const NOTHING_WRITTEN: Written = { all: 0, through: 0, beforeMs: 0 };

/**
 * History of all metrics: a row for each minute that holds all its series, for a day; then a row for each quarter of
 * an hour, for thirty days. A minute with a late observation gets a second row; rows of one step are merged.
 *
 * Measurements that are not written yet are in memory and in the stored observations. After a restart, or a rebuild
 * from the log, they are collected again; {@link Written} marks those that must not be counted twice.
 */
export class HistoryStore {
  readonly #sql: SqlStorage;
  readonly #settings: SettingsStore;
  #collector: HistoryCollector;
  /** Called with those whose series do not count because they have too many. */
  #crowdedOut: (party: Party, limit: number) => void = () => {};
  #written: Written;
  #lastSeq = 0;

  constructor(sql: SqlStorage, settings: SettingsStore) {
    this.#sql = sql;
    this.#settings = settings;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS history (step INTEGER NOT NULL, start INTEGER NOT NULL, part TEXT, body TEXT NOT NULL,
         PRIMARY KEY (step, start, part)) WITHOUT ROWID`,
    );
    this.#written = this.#readWritten();
    this.#collector = this.#newCollector();
  }

  /** @param crowdedOut - called with those whose series do not count because they have too many */
  onCrowdedOut(crowdedOut: (party: Party, limit: number) => void): void {
    this.#crowdedOut = crowdedOut;
  }

  /** Clears the memory before the observations are collected again. */
  reload(): void {
    this.#collector = this.#newCollector();
    this.#written = this.#readWritten();
  }

  take(sample: Sample, nowMs: number): void {
    const { all, through, beforeMs } = this.#written;
    if (sample.seq <= all || (sample.seq <= through && minuteOf(sample.tsMs) < beforeMs)) return;
    this.#lastSeq = Math.max(this.#lastSeq, sample.seq);
    if (sample.tsMs >= nowMs - COARSE_MS) this.#collector.add(sample);
  }

  isDue(nowMs: number): boolean {
    return this.#collector.has(minuteOf(nowMs - GRACE_MS));
  }

  /** Every observation with a lower sequence number is in the history. */
  get firstUnwritten(): number {
    return this.#collector.firstSeq;
  }

  /** Writes the minutes that are over, or everything there is. To be called in a transaction. */
  write(nowMs: number, everything = false): void {
    const beforeMs = everything ? Number.MAX_SAFE_INTEGER : minuteOf(nowMs - GRACE_MS);
    for (const [start, series] of this.#collector.minutes(beforeMs)) this.#insert(MINUTE_MS, start, series);
    const through = Math.max(this.#lastSeq, this.#written.through);
    this.#written = everything ? { ...this.#written, all: through } : { all: this.#written.all, through, beforeMs };
    this.#settings.save("history", this.#written);
    const dropped = this.#collector.takeDropped();
    if (dropped > 0) logLine("warn", "history-series-dropped", { object: "observations", dropped });
    this.#collector.forget(beforeMs);
    this.#mergeQuarters(nowMs);
  }

  read(query: HistoryQuery): HistoryPage {
    const { metric, sinceMs, untilMs, stepMs } = query;
    const answer = new HistoryAnswer(query);
    const sinceStep = Math.floor(sinceMs / stepMs) * stepMs;
    const rows = this.#sql.exec<{ start: number; found: string | null }>(
      "SELECT start, json_extract(body, ?) AS found FROM history WHERE step IN (?, ?) AND start >= ? AND start < ?",
      `$."${metric}"`,
      MINUTE_MS,
      QUARTER_MS,
      sinceStep,
      untilMs,
    );
    for (const { start, found } of rows) {
      if (found === null) continue;
      for (const [reporter, point] of readStoredPoints(JSON.parse(found))) answer.add(start, reporter, point);
    }
    for (const [start, series] of this.#collector.minutes()) {
      if (start < sinceStep || start >= untilMs) continue;
      for (const [reporter, summary] of series.get(metric) ?? []) answer.add(start, reporter, summary.store());
    }
    return answer.page();
  }

  /** Turns minutes that are older than a day into quarters of an hour, and drops quarters that are too old. */
  #mergeQuarters(nowMs: number): void {
    const beforeMs = Math.floor((nowMs - FINE_MS) / QUARTER_MS) * QUARTER_MS;
    // Numbers are bound as floating point, and their division has a remainder: the divisor stands in the text.
    const starts = this.#sql.exec<{ quarter: number }>(
      `SELECT DISTINCT start / ${QUARTER_MS} * ${QUARTER_MS} AS quarter FROM history WHERE step = ? AND start < ?
         ORDER BY quarter LIMIT ?`,
      MINUTE_MS,
      beforeMs,
      QUARTERS_AT_ONCE,
    );
    for (const { quarter } of [...starts]) {
      const series: Series = new Map();
      const within = "step = ? AND start >= ? AND start < ?";
      const range = [MINUTE_MS, quarter, quarter + QUARTER_MS];
      const rows = this.#sql.exec<{ body: string }>(`SELECT body FROM history WHERE ${within}`, ...range);
      for (const _ of readableRows("history", rows, ({ body }) => mergeSeries(series, body)));
      this.#insert(QUARTER_MS, quarter, series);
      this.#sql.exec(`DELETE FROM history WHERE ${within}`, ...range);
    }
    this.#sql.exec("DELETE FROM history WHERE step = ? AND start < ?", QUARTER_MS, nowMs - COARSE_MS);
  }

  #insert(step: number, start: number, series: Series): void {
    for (const [part, body] of encodeSeries(series).entries())
      this.#sql.exec(
        "INSERT INTO history (step, start, part, body) VALUES (?, ?, ?, ?)",
        step,
        start,
        this.#partName(part),
        body,
      );
  }

  /** Rows of one step differ by how far the log had been read when they were written. */
  #partName(part: number): string {
    return `${Math.max(this.#lastSeq, this.#written.through, this.#written.all)}.${part}.${this.#written.beforeMs}`;
  }

  #newCollector(): HistoryCollector {
    return new HistoryCollector((party, limit) => this.#crowdedOut(party, limit));
  }

  #readWritten(): Written {
    const stored = this.#settings.read("history");
    // A default for a value that cannot be read would count observations twice: the error stops the object instead.
    return stored === undefined ? NOTHING_WRITTEN : Written.parse(stored);
  }
}
