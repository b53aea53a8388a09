import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import * as z from "zod";
import { NO_USE, type Use } from "../../src/core/limits/amounts.ts";
import { SettleRequest } from "../../src/core/limits/api.ts";
import { EndedCalls } from "../../src/core/limits/host/ended-calls.ts";
import { type HostRecord, type Settlement, settlementOf, wireOf } from "../../src/core/limits/host/records.ts";
import { sumOf } from "../../src/core/limits/uses.ts";
import { numberIn, textIn } from "../store/row.ts";

const NAME = "limits.db";
/** How long calls are remembered after their end, in milliseconds; and those that were counted before they ended. */
const KEPT_MS = 600_000;
const KEPT_COUNTED_MS = 86_400_000;
/** How often those are forgotten whose time is over. */
const FORGET_MS = 60_000;

const StoredUse = z.object({
  requests: z.number(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  nanos: z.number(),
}) satisfies z.ZodType<Use>;

/** What a crash of the agent must not lose, in a file of its own: it is written for each call, without waiting for the disk. */
export interface ShareJournal {
  readonly ended: EndedCalls;
  /** What each limit said to do where no edge answers. */
  readonly whenAway: ReadonlyMap<string, "open" | "closed">;
  write(records: readonly HostRecord[], nowMs: number): void;
  noteWhenAway(limit: string, whenAway: "open" | "closed"): void;
  /** What is not told yet, oldest first. */
  unsent(most: number): { readonly number: number; readonly settlement: Settlement }[];
  readonly unsentCount: number;
  sent(number: number): void;
  close(): void;
}

/**
 * Settlements and blocks that an agent left which does not run: they are told to the edge when it starts.
 *
 * @throws Error where the file cannot be read; an agent that runs has it for itself
 */
export function leftInJournal(stateDir: string): number {
  if (!hasJournal(stateDir)) return 0;
  const sql = new DatabaseSync(join(stateDir, NAME), { readOnly: true });
  try {
    const row = sql.prepare("SELECT (SELECT COUNT(*) FROM outbox) + (SELECT COUNT(*) FROM blocks) AS count").get();
    return numberIn(row ?? {}, "count");
  } finally {
    sql.close();
  }
}

/** Whether an earlier agent has left something to be told. */
export const hasJournal = (stateDir: string): boolean => existsSync(join(stateDir, NAME));

/**
 * Tables: `blocks(reservation, name)`: what the edge granted and was not settled; `calls(id, block, used, took, at)`: calls that
 * ended, in which block, and calls that were counted as they took (`took`); `outbox(number, name, request)`.
 *
 * A kill loses nothing that was written: the system has it. Where the machine loses its power, the last calls may be lost; their
 * block expires at the edge.
 *
 * @param damaged - is called with the path to which a file was moved that could not be read
 */
export function openJournal(stateDir: string, nowMs: number, damaged: (path: string) => void): ShareJournal {
  const path = join(stateDir, NAME);
  try {
    return new SqliteJournal(path, nowMs);
  } catch (error) {
    if (!existsSync(path)) throw error;
    const aside = `${path}.damaged-${nowMs}`;
    renameSync(path, aside);
    for (const suffix of ["-wal", "-shm"]) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    damaged(aside);
    return new SqliteJournal(path, nowMs);
  }
}

class SqliteJournal implements ShareJournal {
  readonly ended = new EndedCalls();
  readonly whenAway = new Map<string, "open" | "closed">();
  readonly #sql: DatabaseSync;
  readonly #insertBlock: StatementSync;
  readonly #deleteBlock: StatementSync;
  readonly #insertCall: StatementSync;
  readonly #insertUnsent: StatementSync;
  #forgotMs = 0;
  unsentCount: number;

  constructor(path: string, nowMs: number) {
    const sql = new DatabaseSync(path);
    this.#sql = sql;
    sql.exec("PRAGMA locking_mode = EXCLUSIVE");
    sql.exec("PRAGMA journal_mode = WAL");
    sql.exec("PRAGMA synchronous = NORMAL");
    sql.exec(
      `CREATE TABLE IF NOT EXISTS blocks (reservation TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
       CREATE TABLE IF NOT EXISTS calls (id TEXT PRIMARY KEY, block TEXT, used TEXT, took TEXT, at INTEGER NOT NULL) WITHOUT ROWID;
       CREATE TABLE IF NOT EXISTS outbox (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, request TEXT NOT NULL);
       CREATE TABLE IF NOT EXISTS limits (name TEXT PRIMARY KEY, when_away TEXT NOT NULL) WITHOUT ROWID`,
    );
    this.#insertBlock = sql.prepare("INSERT OR REPLACE INTO blocks VALUES (?, ?)");
    this.#deleteBlock = sql.prepare("DELETE FROM blocks WHERE reservation = ?");
    this.#insertCall = sql.prepare("INSERT OR REPLACE INTO calls VALUES (?, ?, ?, ?, ?)");
    this.#insertUnsent = sql.prepare("INSERT INTO outbox (name, request) VALUES (?, ?)");
    this.unsentCount = numberIn(sql.prepare("SELECT COUNT(*) AS count FROM outbox").get() ?? {}, "count");
    this.#restore(nowMs);
  }

  /** Blocks that a killed agent held are settled with what its calls had used; calls that were open settle for themselves. */
  #restore(nowMs: number): void {
    const used = new Map<string, Use>();
    for (const row of this.#sql.prepare("SELECT id, block, used, took FROM calls ORDER BY at").all()) {
      const id = textIn(row, "id");
      if (row.took !== null) this.ended.count(id, StoredUse.parse(JSON.parse(textIn(row, "took"))));
      else this.ended.add(id);
      if (row.used === null || row.block === null) continue;
      const block = textIn(row, "block");
      used.set(block, sumOf(used.get(block) ?? NO_USE, StoredUse.parse(JSON.parse(textIn(row, "used")))));
    }
    for (const row of this.#sql.prepare("SELECT name, when_away FROM limits").all())
      this.whenAway.set(textIn(row, "name"), textIn(row, "when_away") === "closed" ? "closed" : "open");
    const left = this.#sql.prepare("SELECT reservation, name FROM blocks").all();
    const settled = left.map((row) => {
      const reservation = textIn(row, "reservation");
      return settlementOf(textIn(row, "name"), reservation, used.get(reservation) ?? NO_USE);
    });
    this.write(settled, nowMs);
  }

  write(records: readonly HostRecord[], nowMs: number): void {
    if (records.length === 0) return;
    this.#sql.exec("BEGIN IMMEDIATE");
    try {
      for (const record of records) this.#writeOne(record, nowMs);
      this.#sql.exec("COMMIT");
    } catch (error) {
      if (this.#sql.isTransaction) this.#sql.exec("ROLLBACK");
      throw error;
    }
    this.unsentCount += records.filter(({ kind }) => kind === "settlement").length;
    if (nowMs - this.#forgotMs < FORGET_MS) return;
    this.#forgotMs = nowMs;
    this.#sql
      .prepare("DELETE FROM calls WHERE (took IS NULL AND at < ?) OR at < ?")
      .run(nowMs - KEPT_MS, nowMs - KEPT_COUNTED_MS);
  }

  #writeOne(record: HostRecord, nowMs: number): void {
    if (record.kind === "block") this.#insertBlock.run(record.reservation, record.limit);
    else if (record.kind === "ended")
      this.#insertCall.run(record.id, record.block, JSON.stringify(record.use), null, nowMs);
    else if (record.kind === "counted") this.#insertCall.run(record.id, null, null, JSON.stringify(record.took), nowMs);
    else {
      const { limit, request } = record.settlement;
      this.#deleteBlock.run(request.reservation);
      this.#insertUnsent.run(limit, JSON.stringify(wireOf(request)));
    }
  }

  noteWhenAway(limit: string, whenAway: "open" | "closed"): void {
    if (this.whenAway.get(limit) === whenAway) return;
    this.whenAway.set(limit, whenAway);
    this.#sql.prepare("INSERT OR REPLACE INTO limits VALUES (?, ?)").run(limit, whenAway);
  }

  unsent(most: number): { number: number; settlement: Settlement }[] {
    return this.#sql
      .prepare("SELECT number, name, request FROM outbox ORDER BY number LIMIT ?")
      .all(most)
      .map((row) => ({
        number: numberIn(row, "number"),
        settlement: { limit: textIn(row, "name"), request: SettleRequest.parse(JSON.parse(textIn(row, "request"))) },
      }));
  }

  sent(number: number): void {
    const { changes } = this.#sql.prepare("DELETE FROM outbox WHERE number = ?").run(number);
    this.unsentCount -= Number(changes);
  }

  close(): void {
    if (this.#sql.isOpen) this.#sql.close();
  }
}
