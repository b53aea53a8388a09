import { erasedKey, isErasedId } from "../../core/signals/log/erased.ts";
import { keyOfEntry, oldIdKey } from "../../core/signals/log/id-owner.ts";
import type { SalvagedRows } from "./salvaged-rows.ts";

/** An id as a key (see id-owner.ts), or the digest that an erased one has left, and the sequence number of its signal. */
export type StoredId = readonly [key: string, seq: number];

/** The log, as far as ids are read from it. */
interface Stored {
  readonly sql: SqlStorage;
  readonly rows: SalvagedRows;
  /** Oldest first. */
  readonly slices: () => readonly { readonly slice: number }[];
  /** Whether a source was ever erased. */
  readonly erased: () => boolean;
}

/** A segment that lists ids, or causes alone: which of the two is not read. */
interface Listing {
  readonly slice: number;
  readonly firstSeq: number;
}

/**
 * Ids that callers without a producer gave the signals of the last minutes, as far as they are not in memory yet. A log that
 * has just woken looks the first of its callers' ids up in the texts of the segments, which takes a twentieth of the time
 * that reading them all into memory takes, and reads them afterwards, a piece at a time.
 */
export class StoredIds {
  readonly #log: Stored;
  /** Newest first. */
  #unread: Listing[];

  /** @param limit - signals of the segments, about */
  constructor(log: Stored, sinceMs: number, limit: number) {
    this.#log = log;
    this.#unread = listings(log, sinceMs, limit);
  }

  get done(): boolean {
    return this.#unread.length === 0;
  }

  /** @returns the sequence number of the newest signal of this id */
  known(key: string, id: string): number | undefined {
    const quoted = [JSON.stringify(id)];
    const keys = new Set([key, oldIdKey(id)]);
    // A digest says nothing of the id: it is made anew of the key that is asked for.
    if (this.#log.erased()) {
      for (const each of [...keys]) keys.add(erasedKey(each));
      for (const each of keys) quoted.push(JSON.stringify(each));
    }
    for (const listing of this.#unread) {
      const text = this.#text(listing);
      if (text === undefined || !quoted.some((each) => text.includes(each))) continue;
      for (const [found, seq] of this.#idsOf(listing, text)) if (keys.has(found)) return seq;
    }
    return undefined;
  }

  /** @param count - of ids; segments are taken whole @returns the newest that were not taken yet, newest first */
  take(count: number): StoredId[] {
    const taken: StoredId[] = [];
    while (taken.length < count) {
      const listing = this.#unread.shift();
      if (listing === undefined) return taken;
      const text = this.#text(listing);
      if (text !== undefined) taken.push(...this.#idsOf(listing, text));
    }
    return taken;
  }

  /** Nothing more is to be looked up. */
  end(): void {
    this.#unread = [];
  }

  /** @returns `undefined` where the slice was dropped meanwhile */
  #text({ slice, firstSeq }: Listing): string | undefined {
    if (!this.#log.slices().some((kept) => kept.slice === slice)) return undefined;
    const select = `SELECT ids FROM segments_${slice} WHERE first_seq = ?`;
    const [row] = this.#log.sql.exec<{ ids: SqlStorageValue }>(select, firstSeq);
    return typeof row?.ids === "string" ? row.ids : undefined;
  }

  *#idsOf({ firstSeq }: Listing, text: string): Generator<StoredId> {
    const keys = this.#log.rows.keys(firstSeq, text);
    for (const entry of keys.foreignIds.toReversed())
      if (!isErasedId(entry[0])) yield [keyOfEntry(entry, keys), entry[1]];
    for (const entry of (keys.erased ?? []).toReversed()) yield entry;
  }
}

function listings({ sql, slices }: Stored, sinceMs: number, limit: number): Listing[] {
  const found: Listing[] = [];
  let signals = 0;
  for (const { slice } of slices().toReversed()) {
    const rows = sql.exec<{ first_seq: number; last_seq: number; received_ms: number; lists: number }>(
      `SELECT first_seq, last_seq, received_ms, ids IS NOT NULL AS lists FROM segments_${slice} ORDER BY first_seq DESC`,
    );
    for (const { first_seq: firstSeq, last_seq: lastSeq, received_ms: receivedMs, lists } of rows) {
      if (receivedMs < sinceMs || signals >= limit) return found;
      if (lists === 0) continue;
      found.push({ slice, firstSeq });
      signals += lastSeq - firstSeq + 1;
    }
  }
  return found;
}
