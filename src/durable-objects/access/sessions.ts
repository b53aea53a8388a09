import type { Caller, Grant } from "../../core/access/grant.ts";
import {
  CODE_MS,
  MAX_CODES,
  MAX_SESSIONS,
  SESSION_IDLE_MS,
  SESSION_MS,
  type SessionRecord,
  type StoredSession,
  sessionEndMs,
  sessionGrant,
  sessionRecord,
  USE_NOTED_EVERY_MS,
} from "../../core/access/session.ts";
import { type EndedToken, rememberEnded } from "./ended-tokens.ts";
import { hasDigest, type SecretDigest } from "./secret-digest.ts";

/** Ended sessions stay this long, so that the minute's round closes their sockets. */
const KEEP_ENDED_MS = 3_600_000;

interface SessionRow extends Record<string, SqlStorageValue> {
  id: string;
  digest: ArrayBuffer;
  token: string;
  act: number;
  created_ms: number;
  used_ms: number;
}

/**
 * The sessions of browsers. Tables: `sessions`, a row for each that has not ended or ended lately, and `session_codes`, a row for
 * each code of the last minute. What a session may do is what its token may do at the time of the call.
 */
export class Sessions {
  readonly #sql: SqlStorage;
  readonly #grantOf: (token: string) => Grant | null;

  /** @param grantOf - what a token may do now; `null`: it was deleted or has expired */
  constructor(sql: SqlStorage, grantOf: (token: string) => Grant | null) {
    this.#sql = sql;
    this.#grantOf = grantOf;
    sql.exec(`
      CREATE TABLE IF NOT EXISTS sessions (
        id TEXT PRIMARY KEY, digest BLOB NOT NULL, token TEXT NOT NULL, act INTEGER NOT NULL, created_ms INTEGER NOT NULL,
        used_ms INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS session_codes (
        id TEXT PRIMARY KEY, digest BLOB NOT NULL, token TEXT NOT NULL, act INTEGER NOT NULL, until_ms INTEGER NOT NULL
      ) WITHOUT ROWID;
    `);
  }

  /** @returns whether the token has room for one more code */
  addCode({ id, digest }: SecretDigest, token: string, act: boolean, nowMs: number): boolean {
    this.#sql.exec("DELETE FROM session_codes WHERE until_ms <= ?", nowMs);
    const { n } = this.#sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM session_codes WHERE token = ?", token).one();
    if (n >= MAX_CODES) return false;
    this.#sql.exec(
      "INSERT INTO session_codes (id, digest, token, act, until_ms) VALUES (?, ?, ?, ?, ?)",
      id,
      digest,
      token,
      act ? 1 : 0,
      nowMs + CODE_MS,
    );
    return true;
  }

  /** A code is used up by the first who knows its id, also where the secret is wrong: nobody gets a second guess. */
  begin({ id, digest }: SecretDigest, session: SecretDigest, nowMs: number): Caller | null {
    const [code] = this.#sql
      .exec<{ digest: ArrayBuffer; token: string; act: number; until_ms: number }>(
        "DELETE FROM session_codes WHERE id = ? RETURNING digest, token, act, until_ms",
        id,
      )
      .toArray();
    const same = hasDigest(code?.digest, digest);
    if (code === undefined || !same || code.until_ms <= nowMs) return null;
    return this.beginOf(code.token, code.act === 1, session, nowMs);
  }

  beginOf(token: string, act: boolean, { id, digest }: SecretDigest, nowMs: number): Caller | null {
    const grant = this.#grantOf(token);
    if (grant === null) return null;
    this.#sql.exec(
      "DELETE FROM sessions WHERE used_ms < ? OR created_ms < ?",
      nowMs - SESSION_IDLE_MS - KEEP_ENDED_MS,
      nowMs - SESSION_MS - KEEP_ENDED_MS,
    );
    this.#makeRoom(token, nowMs);
    this.#sql.exec(
      "INSERT INTO sessions (id, digest, token, act, created_ms, used_ms) VALUES (?, ?, ?, ?, ?, ?)",
      id,
      digest,
      token,
      act ? 1 : 0,
      nowMs,
      nowMs,
    );
    return sessionGrant(grant, { id, act, createdMs: nowMs });
  }

  /** @returns `null` for an unknown id, a wrong secret, or a session that has ended, without the distinction */
  verify({ id, digest }: SecretDigest, nowMs: number): Caller | null {
    const [row] = this.#sql.exec<SessionRow>("SELECT * FROM sessions WHERE id = ?", id).toArray();
    const same = hasDigest(row?.digest, digest);
    if (row === undefined || !same) return null;
    const session = sessionIn(row);
    const grant = sessionEndMs(session) <= nowMs ? null : this.#grantOf(session.token);
    if (grant === null) return null;
    if (nowMs - session.usedMs >= USE_NOTED_EVERY_MS)
      this.#sql.exec("UPDATE sessions SET used_ms = ? WHERE id = ?", nowMs, id);
    return sessionGrant(grant, session);
  }

  /** Those that have not ended, the latest used first. @param token - `undefined`: of all */
  list(token: string | undefined, nowMs: number): SessionRecord[] {
    return this.#rows(token).flatMap((session) => {
      const grant = sessionEndMs(session) <= nowMs ? null : this.#grantOf(session.token);
      return grant === null ? [] : [sessionRecord(session, grant)];
    });
  }

  /** @returns `null`: there is no such session, or it is another token's */
  end(id: string, token: string | undefined, nowMs: number): EndedToken | null {
    const session = this.#rows(token).find((each) => each.id === id);
    if (session === undefined) return null;
    const open = sessionEndMs(session) > nowMs;
    const ended = this.#remove(session, nowMs);
    return open ? ended : null;
  }

  /** The token was deleted: its sessions and codes go with it. Their sockets are closed by the id of the token. */
  forgetToken(token: string): void {
    this.#sql.exec("DELETE FROM sessions WHERE token = ?", token);
    this.#sql.exec("DELETE FROM session_codes WHERE token = ?", token);
  }

  /** Sessions that ended by themselves after `sinceMs` and by `nowMs`. */
  ended(sinceMs: number, nowMs: number): EndedToken[] {
    return this.#rows(undefined)
      .filter((session) => sessionEndMs(session) > sinceMs && sessionEndMs(session) <= nowMs)
      .map((session) => this.#endedOf(session));
  }

  #remove(session: StoredSession, nowMs: number): EndedToken {
    this.#sql.exec("DELETE FROM sessions WHERE id = ?", session.id);
    const ended = this.#endedOf(session);
    rememberEnded(this.#sql, ended, nowMs);
    return ended;
  }

  #endedOf({ id, token }: StoredSession): EndedToken {
    return { id, ecosystems: this.#grantOf(token)?.ecosystems ?? [] };
  }

  /** Where a token has as many sessions as it may, the one that was unused for longest makes room. */
  #makeRoom(token: string, nowMs: number): void {
    const open = this.#rows(token).filter((session) => sessionEndMs(session) > nowMs);
    for (const session of open.slice(MAX_SESSIONS - 1)) this.#remove(session, nowMs);
  }

  #rows(token: string | undefined): StoredSession[] {
    const rows =
      token === undefined
        ? this.#sql.exec<SessionRow>("SELECT * FROM sessions ORDER BY used_ms DESC, id")
        : this.#sql.exec<SessionRow>("SELECT * FROM sessions WHERE token = ? ORDER BY used_ms DESC, id", token);
    return rows.toArray().map(sessionIn);
  }
}

const sessionIn = ({ id, token, act, created_ms, used_ms }: SessionRow): StoredSession => ({
  id,
  token,
  act: act === 1,
  createdMs: created_ms,
  usedMs: used_ms,
});
