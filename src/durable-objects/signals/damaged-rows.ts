import type { Mentions } from "../../core/erasure/mentions.ts";
import type { LogDamage } from "../../core/signals/api.ts";
import { logLine } from "../shell/log-line.ts";

export type DamagedPart = LogDamage["part"];

/** Rows of which is remembered that they are damaged; more are left out without being counted one by one. */
const MAX_REMEMBERED = 1_000;

interface Row extends Record<string, SqlStorageValue> {
  part: DamagedPart;
  place: number;
  reason: string;
}

/**
 * Rows of the log that cannot be read. Readers leave them out, the log goes on, and each is told once. Table:
 * `damaged(part, place, reason)`, made with the first of them: a log has none.
 */
export class DamagedRows {
  readonly #sql: SqlStorage;
  readonly #known = new Map<string, LogDamage>();
  readonly #untold: LogDamage[] = [];
  #found: () => void = () => undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    if (!this.#isThere()) return;
    for (const { part, place, reason } of sql.exec<Row>("SELECT part, place, reason FROM damaged LIMIT 1000"))
      this.#known.set(keyOf(part, place), { part, place, reason });
  }

  /** @param found - called where there is something to {@link take}, after the turn in which it was found */
  set onFound(found: () => void) {
    this.#found = found;
    if (this.#untold.length > 0) queueMicrotask(found);
  }

  /** @param place - first sequence number of a segment or a zone, number of a page or of a slice */
  note(part: DamagedPart, place: number, error: unknown): void {
    const key = keyOf(part, place);
    if (this.#known.has(key) || this.#known.size >= MAX_REMEMBERED) return;
    const damage = { part, place, reason: String(error).slice(0, 200) };
    logLine("error", "stored-row-unreadable", { object: "signal log", part, place, error });
    this.#known.set(key, damage);
    this.#untold.push(damage);
    if (this.#untold.length === 1) queueMicrotask(() => this.#found());
  }

  /** Those that were found and are not stored; they are from now on. Not to be called while rows are read. */
  take(): readonly LogDamage[] {
    const untold = this.#untold.splice(0);
    if (untold.length === 0) return untold;
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS damaged (part TEXT, place INTEGER, reason TEXT NOT NULL, PRIMARY KEY (part, place)) WITHOUT ROWID",
    );
    for (const { part, place, reason } of untold)
      this.#sql.exec("INSERT OR REPLACE INTO damaged (part, place, reason) VALUES (?, ?, ?)", part, place, reason);
    return untold;
  }

  /** Those that the log still holds. @param oldestSeq - what stands before it was dropped by the retention */
  list(oldestSeq: number, oldestSlice: number): LogDamage[] {
    const gone = ({ part, place }: LogDamage) =>
      part === "producers" ? false : place < (part === "slice" ? oldestSlice : oldestSeq);
    for (const [key, damage] of this.#known) {
      if (!gone(damage)) continue;
      this.#known.delete(key);
      if (this.#isThere())
        this.#sql.exec("DELETE FROM damaged WHERE part = ? AND place = ?", damage.part, damage.place);
    }
    return [...this.#known.values()];
  }

  /** Segments that begin in `[fromSeq, toSeq]` and whose headers no search in the database finds. */
  headersIn(fromSeq: number, toSeq: number): readonly number[] {
    if (this.#known.size === 0) return [];
    const places = [...this.#known.values()].filter(({ part }) => part === "header").map(({ place }) => place);
    return places.filter((place) => place >= fromSeq && place <= toSeq);
  }

  /** The reasons quote what cannot be read: takes an erased name out of them. Call it in a transaction. */
  forgetReasons(mentions: Mentions): void {
    for (const [key, damage] of this.#known) {
      const reason = mentions.mayBeIn(damage.reason) ? "an erased source is named in it" : damage.reason;
      if (reason === damage.reason) continue;
      this.#known.set(key, { ...damage, reason });
      if (this.#isThere())
        this.#sql.exec("UPDATE damaged SET reason = ? WHERE part = ? AND place = ?", reason, damage.part, damage.place);
    }
  }

  /** The row was written anew. */
  repaired(part: DamagedPart, place: number): void {
    if (!this.#known.delete(keyOf(part, place)) || !this.#isThere()) return;
    this.#sql.exec("DELETE FROM damaged WHERE part = ? AND place = ?", part, place);
  }

  #isThere(): boolean {
    return this.#sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'damaged'").toArray().length > 0;
  }
}

const keyOf = (part: DamagedPart, place: number) => `${part} ${place}`;
