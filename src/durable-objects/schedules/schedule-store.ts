import * as z from "zod";
import type { ScheduleCounts } from "../../core/metrics/samples.ts";
import { ScheduleInput, type ScheduleSettings } from "../../core/schedules/settings.ts";
import { EndedRun, ScheduleState } from "../../core/schedules/state.ts";
import { Notes } from "../shell/notes.ts";
import { readableOr, readableRows } from "../shell/readable-rows.ts";

/** Runs that are over and kept, for each schedule. */
const KEPT_RUNS = 50;
/** How old counts of schedules may be that nothing was written since. */
const COUNTED_MS = 60_000;
const Runs = z.array(EndedRun);

export interface StoredSchedule {
  readonly name: string;
  readonly settings: ScheduleSettings;
  readonly state: ScheduleState;
}

interface Row extends Record<string, SqlStorageValue> {
  name: string;
  settings: string;
  state: string;
}

type Note = "epoch" | "emitted" | "listed";

/**
 * The schedules of an ecosystem. Nothing of them is held in memory: an object that wakes for one of ten thousand reads that
 * one, by an index of the times at which they are due.
 *
 * Tables: `schedules(name, due_ms, broken, settings, state)`; `history(name, body)`, one row for the last runs of each.
 */
export class ScheduleStore {
  readonly notes: Notes<Note>;
  readonly #sql: SqlStorage;
  #counted: (ScheduleCounts & { readonly atMs: number }) | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.notes = new Notes<Note>(sql);
    sql.exec(
      `CREATE TABLE IF NOT EXISTS schedules (name TEXT PRIMARY KEY, due_ms INTEGER, broken INTEGER NOT NULL,
         settings TEXT NOT NULL, state TEXT NOT NULL) WITHOUT ROWID`,
    );
    sql.exec("CREATE INDEX IF NOT EXISTS schedules_due ON schedules (due_ms) WHERE due_ms IS NOT NULL");
    sql.exec("CREATE INDEX IF NOT EXISTS schedules_broken ON schedules (name) WHERE broken > 0");
    sql.exec("CREATE TABLE IF NOT EXISTS history (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
  }

  get count(): number {
    return this.#sql.exec<{ count: number }>("SELECT count(*) AS count FROM schedules").one().count;
  }

  /**
   * Counted anew when one was written since, or after a minute: an object that makes runs all day does not read all schedules
   * with each report.
   */
  get counts(): ScheduleCounts {
    const nowMs = Date.now();
    if (this.#counted !== undefined && nowMs - this.#counted.atMs < COUNTED_MS) return this.#counted;
    const counts = this.#sql
      .exec<{ total: number; paused: number; broken: number }>(
        `SELECT count(*) AS total, total(broken > 0) AS broken,
           total(broken = 0 AND CASE WHEN json_valid(state) THEN json_extract(state, '$.pausedMs') END IS NOT NULL) AS paused
           FROM schedules`,
      )
      .one();
    this.#counted = { ...counts, atMs: nowMs };
    return counts;
  }

  get any(): boolean {
    return this.#sql.exec("SELECT 1 FROM schedules LIMIT 1").toArray().length > 0;
  }

  /** When the first of all is due; `undefined`: none is. */
  get nextDueMs(): number | undefined {
    const due = "SELECT due_ms FROM schedules WHERE due_ms IS NOT NULL ORDER BY due_ms LIMIT 1";
    return this.#sql.exec<{ due_ms: number }>(due).toArray()[0]?.due_ms;
  }

  read(name: string): StoredSchedule | undefined {
    return this.#read("SELECT name, settings, state FROM schedules WHERE name = ?", name)[0];
  }

  /** By name. */
  after(name: string, limit: number): StoredSchedule[] {
    return this.#read("SELECT name, settings, state FROM schedules WHERE name > ? ORDER BY name LIMIT ?", name, limit);
  }

  /** Those that are due, the longest first. One that cannot be read is due no more, and stops no other. */
  due(nowMs: number, limit: number): StoredSchedule[] {
    return this.#read(
      "SELECT name, settings, state FROM schedules WHERE due_ms <= ? ORDER BY due_ms LIMIT ?",
      nowMs,
      limit,
    );
  }

  /** Those with a limit that is broken, and how many they are. */
  broken(limit: number): { schedules: StoredSchedule[]; total: number } {
    const count = "SELECT count(*) AS total FROM schedules WHERE broken > 0";
    const select = "SELECT name, settings, state FROM schedules WHERE broken > 0 ORDER BY name LIMIT ?";
    return { schedules: this.#read(select, limit), total: this.#sql.exec<{ total: number }>(count).one().total };
  }

  write({ name, settings, state }: StoredSchedule, dueMs: number | undefined): void {
    this.#counted = undefined;
    const broken = Object.keys(state.broken).length;
    this.#sql.exec(
      `INSERT INTO schedules (name, due_ms, broken, settings, state) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (name) DO UPDATE SET due_ms = ?2, broken = ?3, settings = ?4, state = ?5`,
      ...[name, dueMs ?? null, broken, JSON.stringify(settings), JSON.stringify(state)],
    );
  }

  postpone(name: string, dueMs: number): void {
    this.#sql.exec("UPDATE schedules SET due_ms = ? WHERE name = ?", dueMs, name);
  }

  delete(name: string): void {
    this.#counted = undefined;
    this.#sql.exec("DELETE FROM schedules WHERE name = ?", name);
    this.#sql.exec("DELETE FROM history WHERE name = ?", name);
  }

  /** The last runs that are over, the newest last. */
  history(name: string): EndedRun[] {
    const [row] = this.#sql.exec<{ body: string }>("SELECT body FROM history WHERE name = ?", name).toArray();
    return readableOr("runs of a schedule", row?.body, (text) => Runs.parse(JSON.parse(text)), []);
  }

  addHistory(name: string, ended: readonly EndedRun[]): void {
    if (ended.length === 0) return;
    const body = JSON.stringify([...this.history(name), ...ended].slice(-KEPT_RUNS));
    this.#sql.exec(
      "INSERT INTO history (name, body) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET body = ?2",
      name,
      body,
    );
  }

  #read(statement: string, ...values: SqlStorageValue[]): StoredSchedule[] {
    const rows = this.#sql.exec<Row>(statement, ...values).toArray();
    const read = ({ name, settings, state }: Row) => ({
      name,
      settings: ScheduleInput.parse(JSON.parse(settings)),
      state: ScheduleState.parse(JSON.parse(state)),
    });
    return [
      ...readableRows("a schedule", rows, read, ({ name }) =>
        this.#sql.exec("UPDATE schedules SET due_ms = NULL WHERE name = ?", name),
      ),
    ];
  }
}
