import type { HostOwner } from "../../core/hosts/link-claim.ts";

interface Row extends Record<string, SqlStorageValue> {
  host: string;
  token: string;
  installation: string | null;
  place: string;
  since_ms: number;
}

/**
 * Which token owns the name of each host, and which installation linked last. Table: `host_owners`, a row for each host,
 * written when its owner changes.
 */
export class HostOwners {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS host_owners (host TEXT PRIMARY KEY, token TEXT NOT NULL, installation TEXT,
         place TEXT NOT NULL, since_ms INTEGER NOT NULL) WITHOUT ROWID`,
    );
  }

  of(host: string): HostOwner | undefined {
    const [row] = this.#sql.exec<Row>("SELECT * FROM host_owners WHERE host = ?", host).toArray();
    return row === undefined
      ? undefined
      : { token: row.token, installation: row.installation, place: row.place, sinceMs: row.since_ms };
  }

  /** Whether a token that is bound to no host may speak and work for this one: the name is its own, or nobody's. */
  admits(host: string, token: string): boolean {
    const owner = this.of(host);
    return owner === undefined || owner.token === token;
  }

  /** How many names belong to a token. */
  countOf(token: string): number {
    return this.#sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM host_owners WHERE token = ?", token).one().n;
  }

  set(host: string, { token, installation, place, sinceMs }: HostOwner): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO host_owners (host, token, installation, place, since_ms) VALUES (?, ?, ?, ?, ?)",
      host,
      token,
      installation,
      place,
      sinceMs,
    );
  }

  /** @returns whether somebody owned the name */
  release(host: string): boolean {
    return this.#sql.exec("DELETE FROM host_owners WHERE host = ?", host).rowsWritten > 0;
  }

  /** Releases the names of a token that was deleted or has expired. */
  releaseToken(token: string): void {
    this.#sql.exec("DELETE FROM host_owners WHERE token = ?", token);
  }
}
