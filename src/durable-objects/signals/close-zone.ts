import type { LogState } from "../../core/signals/log/log-state.ts";
import type { Zone } from "../../core/signals/log/zone.ts";
import type { SegmentStore } from "./segment-store.ts";

/** Segments of the open zone whose ids are read with a write, where the log has woken since. */
const UNREAD_AT_ONCE = 2;

/**
 * Closes the zone when it is full. What the log's waking has left unread of the zone is read a little with each write, so that
 * neither the waking nor a single write pays for all of it.
 *
 * @returns the zone, to be stored with the segments, or `undefined`
 */
export function closeZone(state: LogState, store: SegmentStore, force = false): Zone | undefined {
  const closes = force || state.zone.isFull;
  const slice = store.slices.at(-1)?.slice;
  const { unread } = state.zone;
  if (slice !== undefined)
    for (const firstSeq of unread.slice(0, closes ? unread.length : UNREAD_AT_ONCE))
      for (const header of store.headers(slice, firstSeq, firstSeq, 1)) state.zone.addKeys(header);
  return closes ? state.closeZone(force) : undefined;
}
