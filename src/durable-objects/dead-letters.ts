import { DurableObject } from "cloudflare:workers";
import type { DeadLetter } from "../core/dead-letters/dead-letter.ts";
import type { DeadLetterRecord } from "../core/dead-letters/record.ts";
import type { Environment } from "./environment.ts";

/** Letters older than this are cleaned away (R29). */
const KEEP_MS = 30 * 86_400_000;
/** Cleaning looks once a day, and only while there is something to clean. */
const CLEAN_MS = 86_400_000;

interface Row {
  [column: string]: SqlStorageValue;
  number: number;
  id: string;
  body: string;
  attempts: number;
  first_ms: number;
  last_ms: number;
}

/** What an ecosystem could not process, why, and how often it was tried. */
export class DeadLetters extends DurableObject<Environment> {
  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env);
    ctx.storage.sql.exec(
      `CREATE TABLE IF NOT EXISTS letters (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
         attempts INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL)`,
    );
  }

  /** A letter that is here already is counted: handing it over again, after a crash, leaves one. */
  async record(letters: readonly DeadLetterRecord[]): Promise<void> {
    const nowMs = Date.now();
    for (const { id, ...body } of letters) {
      this.ctx.storage.sql.exec(
        `INSERT INTO letters (id, body, attempts, first_ms, last_ms) VALUES (?, ?, 1, ?, ?)
           ON CONFLICT (id) DO UPDATE SET attempts = attempts + 1, last_ms = excluded.last_ms`,
        id,
        JSON.stringify(body),
        nowMs,
        nowMs,
      );
    }
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(nowMs + CLEAN_MS);
  }

  /** Newest first. `after` is the `next` of the page before. */
  list({ limit, after }: { limit: number; after?: string }): { dead_letters: DeadLetter[]; next: string | null } {
    const before = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after);
    const rows = [
      ...this.ctx.storage.sql.exec<Row>(
        "SELECT * FROM letters WHERE number < ? ORDER BY number DESC LIMIT ?",
        Number.isFinite(before) ? before : Number.MAX_SAFE_INTEGER,
        limit,
      ),
    ];
    const last = rows.at(-1);
    return {
      dead_letters: rows.map((row) => ({
        id: row.id,
        ...(JSON.parse(row.body) as Omit<DeadLetterRecord, "id">),
        attempts: row.attempts,
        first_failed_at: new Date(row.first_ms).toISOString(),
        last_failed_at: new Date(row.last_ms).toISOString(),
      })),
      next: rows.length < limit || last === undefined ? null : String(last.number),
    };
  }

  override async alarm(): Promise<void> {
    const { sql } = this.ctx.storage;
    sql.exec("DELETE FROM letters WHERE last_ms < ?", Date.now() - KEEP_MS);
    const { left } = sql.exec<{ left: number }>("SELECT EXISTS(SELECT 1 FROM letters) AS left").one();
    if (left === 1) await this.ctx.storage.setAlarm(Date.now() + CLEAN_MS);
  }
}
