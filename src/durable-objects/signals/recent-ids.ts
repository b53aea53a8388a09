import { isErasedId } from "../../core/signals/log/erased.ts";
import { keyOfEntry } from "../../core/signals/log/id-owner.ts";
import type { SalvagedRows } from "./salvaged-rows.ts";

export type RecentId = [key: string, seq: number, receivedMs: number];

/**
 * Ids of callers without a producer, as keys (see id-owner.ts), of segments received since `sinceMs`, oldest first,
 * `limit` at most. Of a signal that was erased the digest of its key is there.
 */
export function recentIds(
  sql: SqlStorage,
  stored: SalvagedRows,
  slices: readonly { readonly slice: number }[],
  sinceMs: number,
  limit: number,
): RecentId[] {
  const found: RecentId[] = [];
  for (const { slice } of slices.toReversed()) {
    const rows = sql.exec<{ first_seq: number; ids: string | null; received_ms: number }>(
      `SELECT first_seq, ids, received_ms FROM segments_${slice} ORDER BY first_seq DESC`,
    );
    for (const { first_seq, ids, received_ms } of rows) {
      if (received_ms < sinceMs || found.length >= limit) return found.reverse();
      if (ids === null) continue;
      const keys = stored.keys(first_seq, ids);
      for (const [key, seq] of [...(keys.erased ?? [])].reverse()) found.push([key, seq, received_ms]);
      for (const entry of [...keys.foreignIds].reverse())
        if (!isErasedId(entry[0])) found.push([keyOfEntry(entry, keys), entry[1], received_ms]);
    }
  }
  return found.reverse();
}
