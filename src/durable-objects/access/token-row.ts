import type { TokenRecord } from "../../core/access/api.ts";
import { isScope } from "../../core/access/scopes.ts";

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
  };
}

/** Reads JSON text of a list of texts. Anything else is an empty list: a damaged record must give no right. */
export function readNames(text: string): string[] {
  const names: unknown = JSON.parse(text);
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}
