import type { TokenRecord } from "../../core/access/api.ts";
import { readNames } from "./token-row.ts";

/** Tokens of these that expired, and others that were deleted, after `sinceMs` and by `nowMs`. */
export function endedTokens(
  sql: SqlStorage,
  tokens: readonly TokenRecord[],
  sinceMs: number,
  nowMs: number,
): Pick<TokenRecord, "id" | "ecosystems">[] {
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
