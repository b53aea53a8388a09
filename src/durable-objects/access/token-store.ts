import type { TokenRecord } from "../../core/access/api.ts";
import { BINDINGS, bindingsOf } from "../../core/access/bindings.ts";
import { type Grant, hasExpired } from "../../core/access/grant.ts";
import { expiryOf, type NewToken } from "../../core/access/new-token.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import { sha256 } from "../shell/digest.ts";
import { hasDigest, randomToken } from "./secret-digest.ts";
import { keepRights, readTokenRow, SCOPES_VERSION, type TokenRow } from "./token-row.ts";

/** The tokens of the deployment: the table `tokens`. It has the SHA-256 of a token's secret, never the secret. */
export class TokenStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    // WITHOUT ROWID: with a text key each write costs one row instead of two.
    sql.exec(`
      CREATE TABLE IF NOT EXISTS tokens (
        id TEXT PRIMARY KEY, digest BLOB NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, ecosystems TEXT NOT NULL,
        expires_at TEXT, created_at TEXT NOT NULL, hosts TEXT, sources TEXT, recipients TEXT,
        scopes_version INTEGER NOT NULL DEFAULT 1
      ) WITHOUT ROWID;
    `);
    keepRights(sql);
  }

  /** @returns the record, and the token itself, which is not stored */
  async create(wanted: NewToken, nowMs: number): Promise<{ token: string; record: TokenRecord }> {
    const made = randomToken();
    const digest = await sha256(made.secret);
    const record: TokenRecord = {
      id: made.id,
      name: wanted.name,
      scopes: [...new Set(wanted.scopes)],
      ecosystems: [...new Set(wanted.ecosystems)],
      expires_at: expiryOf(wanted),
      created_at: formatTimestamp(nowMs),
      ...bindingsOf(wanted),
    };
    // A plain INSERT: should the same random id occur twice (60 bits), it fails instead of replacing a token.
    this.#sql.exec(
      `INSERT INTO tokens (id, digest, name, scopes, ecosystems, expires_at, created_at, hosts, sources, recipients,
         scopes_version)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      record.id,
      digest,
      record.name,
      JSON.stringify(record.scopes),
      JSON.stringify(record.ecosystems),
      record.expires_at,
      record.created_at,
      ...BINDINGS.map((kind) => (record[kind] === undefined ? null : JSON.stringify(record[kind]))),
      SCOPES_VERSION,
    );
    return { token: made.token, record };
  }

  /** Oldest first, including expired tokens. */
  list(): TokenRecord[] {
    return this.#sql.exec<TokenRow>("SELECT * FROM tokens ORDER BY created_at, id").toArray().map(readTokenRow);
  }

  names(ids: readonly string[]): [id: string, name: string][] {
    return ids.flatMap((id) =>
      [...this.#sql.exec<{ name: string }>("SELECT name FROM tokens WHERE id = ?", id)].map(
        ({ name }): [string, string] => [id, name],
      ),
    );
  }

  /** @returns `null`: unknown id */
  remove(id: string): TokenRecord | null {
    const [row] = this.#sql.exec<TokenRow>("DELETE FROM tokens WHERE id = ? RETURNING *", id).toArray();
    return row === undefined ? null : readTokenRow(row);
  }

  /** @returns `null` for an unknown id, a wrong secret or an expired token, without the distinction */
  verify(id: string, secretDigest: ArrayBuffer, nowMs: number): Grant | null {
    const row = this.#row(id);
    const same = hasDigest(row?.digest, secretDigest);
    return row === undefined || !same ? null : grantIn(row, nowMs);
  }

  /** What the token of this id may do at present; `null`: there is no such token, or it has expired. */
  grantOf(id: string, nowMs: number): Grant | null {
    const row = this.#row(id);
    return row === undefined ? null : grantIn(row, nowMs);
  }

  #row(id: string): TokenRow | undefined {
    const [row] = this.#sql.exec<TokenRow>("SELECT * FROM tokens WHERE id = ?", id).toArray();
    return row;
  }
}

function grantIn(row: TokenRow, nowMs: number): Grant | null {
  const { created_at: _, ...grant } = readTokenRow(row);
  return hasExpired(grant, nowMs) ? null : grant;
}
