import type { TokenRecord } from "../../core/access/api.ts";
import { bindingsOf } from "../../core/access/bindings.ts";
import { isScope, scopesSince } from "../../core/access/scopes.ts";
import { readableOr } from "../shell/readable-rows.ts";

/** A row of the table `tokens`. */
export interface TokenRow extends Record<string, SqlStorageValue> {
  id: string;
  digest: ArrayBuffer;
  name: string;
  /** JSON text of a list of scopes. */
  scopes: string;
  /** JSON text of a list of names of ecosystems. */
  ecosystems: string;
  expires_at: string | null;
  created_at: string;
  /** JSON texts of lists of names; `null`, as in each row of an earlier version: the token is not bound. */
  hosts: string | null;
  sources: string | null;
  recipients: string | null;
}

/** Version of the list of scopes. Rows of the first version know neither `tasks:read` nor `hosts:command`. */
export const SCOPES_VERSION = 2;

/** Gives the tokens of earlier versions the scopes by which they go on as before, once. */
export function keepRights(sql: Pick<SqlStorage, "exec">): void {
  const rows = sql.exec<{ id: string; scopes: string }>(
    "SELECT id, scopes FROM tokens WHERE scopes_version < ?",
    SCOPES_VERSION,
  );
  for (const { id, scopes } of rows.toArray()) {
    const kept = JSON.stringify(scopesSince(readNames(scopes).filter(isScope)));
    sql.exec("UPDATE tokens SET scopes = ?, scopes_version = ? WHERE id = ?", kept, SCOPES_VERSION, id);
  }
}

export function readTokenRow(row: TokenRow): TokenRecord {
  return {
    id: row.id,
    name: row.name,
    // A scope of a later version gives no right that this version knows.
    scopes: readNames(row.scopes).filter(isScope),
    ecosystems: readNames(row.ecosystems),
    expires_at: row.expires_at,
    created_at: row.created_at,
    ...bindingsOf({
      hosts: row.hosts === null ? null : readNames(row.hosts),
      sources: row.sources === null ? null : readNames(row.sources),
      recipients: row.recipients === null ? null : readNames(row.recipients),
    }),
  };
}

/** Reads JSON text of a list of texts. Anything else is an empty list: a damaged record must give no right. */
export function readNames(text: string): string[] {
  const names = readableOr<unknown>("tokens", text, JSON.parse, []);
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}
