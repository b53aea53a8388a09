import { readAssignedId } from "../../core/signals/log/id-owner.ts";
import type { LogBase } from "../../core/signals/log/log-base.ts";
import { lineId, lineSeq } from "../../core/signals/signal-line.ts";
import { newEpoch } from "../shell/epoch.ts";
import type { SegmentStore, Slice } from "./segment-store.ts";

/** Segments of each slice that are searched for the epoch. */
const SEARCHED = 32;

/**
 * Puts another base in the place of the current slice's, which cannot be read. The log stays the log that it was where a slice
 * or a signal tells its epoch; otherwise projections follow it anew.
 */
export function replaceBase(sql: SqlStorage, store: SegmentStore): LogBase {
  const { slice, firstSeq, beganMs, endsMs } = store.slices.at(-1) ?? NO_SLICE;
  const bases = sql.exec<{ epoch: string | null }>(
    "SELECT json_extract(base, '$.epoch') AS epoch FROM slices WHERE json_valid(base) ORDER BY slice DESC",
  );
  const epoch = [...bases].map((row) => row.epoch).find((one) => typeof one === "string");
  const base = { epoch: epoch ?? epochOfIds(sql, store) ?? newEpoch(), nextSeq: firstSeq, receivedMs: beganMs };
  sql.exec("UPDATE slices SET base = ? WHERE slice = ?", JSON.stringify({ ...base, endsMs }), slice);
  return base;
}

const NO_SLICE: Slice = { slice: 0, firstSeq: 1, beganMs: 0, endsMs: 0 };

/** The epoch in the id of a signal that the log itself named. */
function epochOfIds(sql: SqlStorage, store: SegmentStore): string | undefined {
  for (const { slice } of store.slices.toReversed()) {
    const select = `SELECT first_seq FROM segments_${slice} ORDER BY first_seq DESC LIMIT ${SEARCHED}`;
    for (const { first_seq } of sql.exec<{ first_seq: number }>(select).toArray())
      for (const line of store.lines(slice, first_seq)) {
        const assigned = readAssignedId(lineId(line));
        if (assigned !== undefined && assigned.seq === lineSeq(line)) return assigned.epoch;
      }
  }
  return undefined;
}
