import type { AppendRequest } from "../../core/signals/api.ts";
import type { LogState } from "../../core/signals/log/log-state.ts";
import type { SegmentStore } from "./segment-store.ts";
import type { StoredIds } from "./stored-ids.ts";

/** Window in which an id given by a caller without a producer is recognised. */
const WINDOW_MS = 600_000;
const LIMIT = 300_000;
/** More ids than these are not looked up one by one: all are read into memory first. */
const LOOKED_UP = 2;
/** Ids that are read into memory in a turn: a few milliseconds. */
const READ_AT_ONCE = 4_000;

/** Has the log recognise ids of before it woke. */
export class RecentIds {
  readonly #store: SegmentStore;
  #stored: StoredIds | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: SegmentStore) {
    this.#store = store;
  }

  /** Must be called before the requests are appended. */
  prepare(state: LogState, requests: readonly AppendRequest[], nowMs: number): void {
    if (!state.needsIds && this.#stored === undefined) return;
    const asked = countIds(requests);
    if (asked === 0) return;
    if (state.needsIds) {
      const stored = this.#store.storedIds(nowMs - WINDOW_MS, LIMIT);
      this.#stored = stored;
      state.openIds(nowMs, (key, id) => stored.known(key, id));
    }
    // One may be behind the first of them, and many would each search all texts.
    if (asked > LOOKED_UP) while (this.#read(state));
    else this.#readSoon(state);
  }

  /** The state in memory is not what was written: another one takes its place. */
  forget(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stored?.end();
    this.#stored = undefined;
  }

  #readSoon(state: LogState): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#read(state)) this.#readSoon(state);
    }, 0);
  }

  /** @returns whether there is more */
  #read(state: LogState): boolean {
    const stored = this.#stored;
    if (stored === undefined) return false;
    // Those that are in memory are known before those that are looked up: they are newer.
    const room = state.addStoredIds(stored.take(READ_AT_ONCE));
    if (room && !stored.done) return true;
    stored.end();
    this.#stored = undefined;
    return false;
  }
}

/** Ids by which alone duplicates in the requests are recognised. */
function countIds(requests: readonly AppendRequest[]): number {
  let count = 0;
  for (const { producer, signals } of requests)
    if (producer === undefined) for (const { id } of signals) if (id !== undefined) count++;
  return count;
}
