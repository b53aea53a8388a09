import { type Grant, hasExpired } from "../../core/access/grant.ts";
import { expiryOf, type NewToken } from "../../core/access/new-token.ts";
import type { Scope } from "../../core/access/scopes.ts";
import { makeToken, TOKEN_ID_BYTES, TOKEN_SECRET_BYTES } from "../../core/access/token.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";

/** A grant, and when it was made. */
export interface TokenRecord extends Grant {
  readonly created_at: string;
}

export interface EcosystemRecord {
  readonly name: string;
  readonly last_active_at: string;
}

export interface QueueRecord {
  readonly name: string;
  readonly created_at: string;
}

/** Activity is written down once in this time: a row written costs money, and nobody asks to the second. */
const TOUCH_EVERY_MS = 60_000;

/** Their sockets are closed within minutes. */
const REMEMBER_DELETED_MS = 3_600_000;

/** Compared with where no record exists, so that an unknown id takes as long as a wrong secret. */
const NO_DIGEST = new Uint8Array(32);

/**
 * Who may do what, and which ecosystems there are. One object for the whole deployment, `idFromName("directory")`.
 *
 * It keeps the SHA-256 of a token's secret, never the secret: what is stored, backed up or shown opens nothing.
 */
export class Directory extends EcosystemObject<unknown> {
  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env);
    // WITHOUT ROWID: with a text key this is one row a write instead of two.
    this.sql.exec(`
      CREATE TABLE IF NOT EXISTS tokens (
        id TEXT PRIMARY KEY, digest BLOB NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, ecosystems TEXT NOT NULL,
        expires_at TEXT, created_at TEXT NOT NULL
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS ecosystems (name TEXT PRIMARY KEY, last_active_ms INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS queues (
        ecosystem TEXT NOT NULL, name TEXT NOT NULL, created_ms INTEGER NOT NULL, PRIMARY KEY (ecosystem, name)
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS deleted (id TEXT PRIMARY KEY, ecosystems TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS watched (ecosystem TEXT PRIMARY KEY) WITHOUT ROWID;
    `);
  }

  /** @returns the record, and the token itself for the only time. */
  async create(wanted: NewToken): Promise<{ token: string; record: TokenRecord }> {
    const made = makeToken(
      crypto.getRandomValues(new Uint8Array(TOKEN_ID_BYTES)),
      crypto.getRandomValues(new Uint8Array(TOKEN_SECRET_BYTES)),
    );
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(made.secret));
    const record: TokenRecord = {
      id: made.id,
      name: wanted.name,
      scopes: [...new Set(wanted.scopes)],
      ecosystems: [...new Set(wanted.ecosystems)],
      expires_at: expiryOf(wanted),
      created_at: formatTimestamp(Date.now()),
    };
    // A plain INSERT: should the same id come twice (once in 2^60), this fails instead of replacing somebody's token.
    this.sql.exec(
      "INSERT INTO tokens (id, digest, name, scopes, ecosystems, expires_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      record.id,
      digest,
      record.name,
      JSON.stringify(record.scopes),
      JSON.stringify(record.ecosystems),
      record.expires_at,
      record.created_at,
    );
    return { token: made.token, record };
  }

  /** Oldest first, the expired ones included. */
  list(): TokenRecord[] {
    return this.#tokens();
  }

  /** @returns what it was, or `null` where there was no such token. */
  remove(id: string, nowMs = Date.now()): TokenRecord | null {
    return this.ctx.storage.transactionSync(() => {
      const [row] = this.sql.exec<TokenRow>("DELETE FROM tokens WHERE id = ? RETURNING *", id).toArray();
      if (row === undefined) return null;
      this.sql.exec("DELETE FROM deleted WHERE at_ms < ?", nowMs - REMEMBER_DELETED_MS);
      this.sql.exec(
        "INSERT OR REPLACE INTO deleted (id, ecosystems, at_ms) VALUES (?, ?, ?)",
        ...[id, row.ecosystems, nowMs],
      );
      return recordOf(row);
    });
  }

  /** Tokens that were deleted or expired after `sinceMs` and by `nowMs`: what they opened is to be closed. */
  ended(sinceMs: number, nowMs: number): Pick<TokenRecord, "id" | "ecosystems">[] {
    const expired = this.#tokens().filter(({ expires_at }) => {
      const endMs = expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(expires_at);
      return endMs > sinceMs && endMs <= nowMs;
    });
    const deleted = this.sql
      .exec<{ id: string; ecosystems: string }>(
        "SELECT id, ecosystems FROM deleted WHERE at_ms > ? AND at_ms <= ? ORDER BY id",
        sinceMs,
        nowMs,
      )
      .toArray();
    return [
      ...expired.map(({ id, ecosystems }) => ({ id, ecosystems })),
      ...deleted.map(({ id, ecosystems }) => ({ id, ecosystems: JSON.parse(ecosystems) as string[] })),
    ];
  }

  /**
   * @param secretDigest - SHA-256 of the secret: the secret itself does not travel
   * @returns the grant, or `null` for an unknown id, a wrong secret or an expired token, without saying which
   */
  verify(id: string, secretDigest: ArrayBuffer): Grant | null {
    const [row] = this.sql.exec<TokenRow>("SELECT * FROM tokens WHERE id = ?", id).toArray();
    const same = crypto.subtle.timingSafeEqual(row?.digest ?? NO_DIGEST, secretDigest);
    if (row === undefined || !same) return null;
    const { created_at: _, ...grant } = recordOf(row);
    return hasExpired(grant, Date.now()) ? null : grant;
  }

  /** Answers when this object's storage does. */
  ping(): true {
    this.sql.exec("SELECT 1").one();
    return true;
  }

  /** Every ecosystem that was ever active, by name. */
  ecosystems(): EcosystemRecord[] {
    return this.sql
      .exec<{ name: string; last_active_ms: number }>("SELECT name, last_active_ms FROM ecosystems ORDER BY name")
      .toArray()
      .map(({ name, last_active_ms }) => ({ name, last_active_at: formatTimestamp(last_active_ms) }));
  }

  /** Notes that a queue exists. Each queue says so once in its life, so this costs a row for each queue and no more. */
  addQueue(ecosystem: string, name: string, nowMs: number): void {
    this.sql.exec(
      "INSERT OR IGNORE INTO queues (ecosystem, name, created_ms) VALUES (?, ?, ?)",
      ecosystem,
      name,
      nowMs,
    );
  }

  /** Every queue of an ecosystem that ever held a task, by name. */
  queues(ecosystem: string): QueueRecord[] {
    return this.sql
      .exec<{ name: string; created_ms: number }>(
        "SELECT name, created_ms FROM queues WHERE ecosystem = ? ORDER BY name",
        ecosystem,
      )
      .toArray()
      .map(({ name, created_ms }) => ({ name, created_at: formatTimestamp(created_ms) }));
  }

  /** Says whether an ecosystem has hosts that are to be watched, each minute, however quiet it is. */
  watch(ecosystem: string, watched: boolean): void {
    if (watched) this.sql.exec("INSERT OR IGNORE INTO watched (ecosystem) VALUES (?)", ecosystem);
    else this.sql.exec("DELETE FROM watched WHERE ecosystem = ?", ecosystem);
  }

  /** Ecosystems whose hosts are to be watched. */
  watched(): string[] {
    return [...this.sql.exec<{ ecosystem: string }>("SELECT ecosystem FROM watched ORDER BY ecosystem")].map(
      ({ ecosystem }) => ecosystem,
    );
  }

  /** Notes that an ecosystem is in use. Calls may come late, twice or out of order: the latest time stays. */
  touch(ecosystem: string, nowMs: number): void {
    this.sql.exec(
      `INSERT INTO ecosystems (name, last_active_ms) VALUES (?1, ?2)
       ON CONFLICT (name) DO UPDATE SET last_active_ms = ?2 WHERE ?2 >= last_active_ms + ?3`,
      ecosystem,
      nowMs,
      TOUCH_EVERY_MS,
    );
  }

  #tokens(): TokenRecord[] {
    return this.sql.exec<TokenRow>("SELECT * FROM tokens ORDER BY created_at, id").toArray().map(recordOf);
  }
}

interface TokenRow extends Record<string, SqlStorageValue> {
  id: string;
  digest: ArrayBuffer;
  name: string;
  scopes: string;
  ecosystems: string;
  expires_at: string | null;
  created_at: string;
}

function recordOf(row: TokenRow): TokenRecord {
  return {
    id: row.id,
    name: row.name,
    scopes: JSON.parse(row.scopes) as Scope[],
    ecosystems: JSON.parse(row.ecosystems) as string[],
    expires_at: row.expires_at,
    created_at: row.created_at,
  };
}
