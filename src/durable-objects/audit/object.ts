import { type AuditPage, type AuditQuery, type NewAuditEntry, outcomeOf } from "../../core/audit/api.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import type { Schema } from "../shell/schema.ts";
import { auditErasure } from "./erasure.ts";
import { sessions } from "./migrations/2-sessions.ts";

/** Entries that are kept, and for how long; whichever limit is reached first. */
const KEEP = 20_000;
const KEEP_MS = 400 * 86_400_000;
/** What is too much is deleted after so many new entries. */
const TRIM_EVERY = 200;

interface Row extends Record<string, SqlStorageValue> {
  number: number;
  at_ms: number;
  by: string;
  by_id: string;
  session: string | null;
  method: string;
  operation: string;
  target: string;
  status: number;
}

/**
 * Who did what in an ecosystem, or, under the name `*`, in the deployment. A row for each call; no secret is part of one,
 * since neither bodies nor queries are kept. It stays where it is: a copy of the ecosystem elsewhere has done nothing yet.
 */
export class AuditLog extends EcosystemObject<object> {
  static override readonly schema: Schema = {
    of: "AuditLog",
    steps: [sessions],
    copy: { leftOut: ["entries"] },
    erasure: auditErasure,
  };
  #sinceTrim = TRIM_EVERY;

  constructor(ctx: DurableObjectState, env: object) {
    super(ctx, env);
    this.sql.exec(
      `CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, by TEXT NOT NULL,
         by_id TEXT NOT NULL, method TEXT NOT NULL, operation TEXT NOT NULL, target TEXT NOT NULL, status INTEGER NOT NULL,
         session TEXT)`,
    );
  }

  record({ by, by_id, session = null, method, operation, target, status }: NewAuditEntry): void {
    const nowMs = Date.now();
    this.sql.exec(
      "INSERT INTO entries (at_ms, by, by_id, session, method, operation, target, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      ...[nowMs, by, by_id, session, method, operation, target, status],
    );
    if (++this.#sinceTrim >= TRIM_EVERY) this.#trim(nowMs);
  }

  /** The newest first. */
  entries({ limit, before, by, target, sinceMs, untilMs }: AuditQuery): AuditPage {
    const rows = this.sql
      .exec<Row>(
        `SELECT * FROM entries WHERE number < ?1 AND at_ms >= ?2 AND at_ms < ?3 AND (?4 IS NULL OR by = ?4 OR by_id = ?4)
           AND (?5 IS NULL OR instr(target, ?5) > 0) ORDER BY number DESC LIMIT ?6`,
        before ?? Number.MAX_SAFE_INTEGER,
        sinceMs ?? 0,
        untilMs ?? Number.MAX_SAFE_INTEGER,
        by ?? null,
        target ?? null,
        limit + 1,
      )
      .toArray();
    const page = rows.slice(0, limit);
    return {
      entries: page.map(({ at_ms, ...row }) => ({
        ...row,
        at: formatTimestamp(at_ms),
        outcome: outcomeOf(row.status),
      })),
      next: rows.length > limit ? (page.at(-1)?.number ?? null) : null,
    };
  }

  /** Of too many entries those of the token go first that has the most: nobody hides others by many calls of his own. */
  #trim(nowMs: number): void {
    this.#sinceTrim = 0;
    this.sql.exec("DELETE FROM entries WHERE at_ms < ?", nowMs - KEEP_MS);
    for (;;) {
      const { count } = this.sql.exec<{ count: number }>("SELECT count(*) AS count FROM entries").one();
      if (count <= KEEP) return;
      this.sql.exec(
        `DELETE FROM entries WHERE number IN (SELECT number FROM entries WHERE by_id =
           (SELECT by_id FROM entries GROUP BY by_id ORDER BY count(*) DESC, by_id LIMIT 1) ORDER BY number LIMIT ?)`,
        count - KEEP,
      );
    }
  }
}
