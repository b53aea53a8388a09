import type { TokenRecord } from "../../core/access/api.ts";
import { readNames } from "./token-row.ts";

/** A deleted token is remembered for this long, in milliseconds. Its sockets are closed within minutes. */
const REMEMBER_DELETED_MS = 3_600_000;

/** A token, or the session of a browser, that is over, and where it may have opened sockets. */
export type EndedToken = Pick<TokenRecord, "id" | "ecosystems">;

/** Remembers a token that was deleted, or a session that somebody ended. */
export function rememberEnded(sql: SqlStorage, { id, ecosystems }: EndedToken, nowMs: number): void {
  sql.exec("DELETE FROM deleted WHERE at_ms < ?", nowMs - REMEMBER_DELETED_MS);
  sql.exec(
    "INSERT OR REPLACE INTO deleted (id, ecosystems, at_ms) VALUES (?, ?, ?)",
    ...[id, JSON.stringify(ecosystems), nowMs],
  );
}

/** Tokens of these that expired, and others that were deleted, after `sinceMs` and by `nowMs`. */
export function endedTokens(
  sql: SqlStorage,
  tokens: readonly TokenRecord[],
  sinceMs: number,
  nowMs: number,
): EndedToken[] {
  const expired = tokens.filter(({ expires_at }) => {
    const endMs = expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(expires_at);
    return endMs > sinceMs && endMs <= nowMs;
  });
  const deleted = sql.exec<{ id: string; ecosystems: string }>(
    "SELECT id, ecosystems FROM deleted WHERE at_ms > ? AND at_ms <= ? ORDER BY id",
    sinceMs,
    nowMs,
  );
  return [
    ...expired.map(({ id, ecosystems }) => ({ id, ecosystems })),
    ...deleted.toArray().map(({ id, ecosystems }) => ({ id, ecosystems: readNames(ecosystems) })),
  ];
}
