import type { ErasurePreview } from "../../core/erasure/api.ts";
import { eraseSegment } from "../../core/erasure/erase-segment.ts";
import type { Mentions } from "../../core/erasure/mentions.ts";
import { isErasedLine } from "../../core/signals/log/erased.ts";
import { isVouchedId } from "../../core/signals/log/id-owner.ts";
import { namesText, type Segment } from "../../core/signals/log/segment.ts";
import { OpenZone } from "../../core/signals/log/zone.ts";
import type { Signal } from "../../core/signals/signal.ts";
import { lineId, readSignalLine } from "../../core/signals/signal-line.ts";
import type { IdLookup } from "./id-lookup.ts";
import { LookupBudget } from "./lookup-budget.ts";
import { keysText } from "./segment-row.ts";
import type { SegmentStore, Slice } from "./segment-store.ts";

/** One step reads at most this much: appends and readers go on in between. */
const STEP = { segments: 64, chars: 2_000_000 } as const;
/** So much is counted at once: nothing is written. */
const COUNTED = { segments: 1_024, chars: 16_000_000 } as const;
/** More than a zone sums up, that of an earlier version, too. */
const ZONE_HEADERS = 10_000;
/** Ids that were erased and are held in memory; with more of them, and after a restart, each cause is looked up. */
const MAX_IDS = 50_000;

export interface LogStep {
  readonly mentions: Mentions;
  /** The source's own signals up to here go. */
  readonly throughSeq: number;
  /** First sequence number of the segment that was searched last; 0: none. */
  readonly after: number;
  /** The search ends here. */
  readonly toSeq: number;
  readonly first: boolean;
}

export interface LogStepResult {
  readonly signals: number;
  readonly reporters: readonly string[];
  /** `null`: the search came to its end. */
  readonly after: number | null;
}

interface BodyRow extends Record<string, SqlStorageValue> {
  first_seq: number;
  body: string;
}

/** Erases a source from the segments of the log, a bounded number of them at a time, with the zones that sum them up. */
export class LogEraser {
  readonly #sql: SqlStorage;
  readonly #store: SegmentStore;
  readonly #lookup: IdLookup;
  /** Ids erased since the search began; `undefined`: not all of them are known. */
  #ids: Set<string> | undefined;

  constructor(sql: SqlStorage, store: SegmentStore, lookup: IdLookup) {
    this.#sql = sql;
    this.#store = store;
    this.#lookup = lookup;
  }

  /** The search is over: frees the memory. */
  end(): void {
    this.#ids = undefined;
  }

  /** After a transaction that failed: what was erased in memory alone is not known. */
  reload(): void {
    this.#ids = undefined;
    this.#store.reload();
  }

  /** First sequence number before the segment that holds `seq`: a search behind it begins with that segment. */
  before(seq: number): number {
    for (const { slice, firstSeq } of this.#store.slices.toReversed()) {
      if (firstSeq > seq) continue;
      return (this.#store.segmentOf(slice, seq) ?? firstSeq) - 1;
    }
    return 0;
  }

  /** Counts the source's own signals in the next part of the log; see {@link LogStep.after}. */
  count(mentions: Mentions, after: number, toSeq: number): ErasurePreview {
    const times: string[] = [];
    let [place, segments, chars] = [after, COUNTED.segments as number, COUNTED.chars as number];
    for (const slice of this.#store.slices) {
      const rows = this.#rows(slice, place, toSeq, segments, chars);
      for (const { first_seq: firstSeq, body } of rows.found) {
        [place, segments, chars] = [firstSeq, segments - 1, chars - body.length];
        if (mentions.mayBeIn(body)) times.push(...timesOf(body, mentions));
      }
      if (!rows.whole) return previewOf(times, place);
    }
    return previewOf(times, null);
  }

  /** The next part of the log. Call it in a transaction, with the place that it returns. */
  step({ mentions, throughSeq, after, toSeq, first }: LogStep): LogStepResult {
    if (first) this.#ids = new Set();
    const reporters = new Set<string>();
    let signals = 0;
    let segments: number = STEP.segments;
    let chars: number = STEP.chars;
    let place = after;
    for (const slice of this.#store.slices) {
      const zones = new Set<number>();
      const rows = this.#rows(slice, place, toSeq, segments, chars);
      for (const { first_seq: firstSeq, body } of rows.found) {
        place = firstSeq;
        segments--;
        chars -= body.length;
        const left = this.#erase(slice, firstSeq, body, mentions, throughSeq);
        if (left === undefined) continue;
        zones.add(this.#store.zoneAt(slice.slice, firstSeq)?.firstSeq ?? 0);
        signals += left.erased.length;
        for (const reporter of left.reporters) reporters.add(reporter);
      }
      for (const zone of zones) this.#sumUp(slice, zone);
      if (!rows.whole) return { signals, reporters: [...reporters], after: place };
    }
    return { signals, reporters: [...reporters], after: null };
  }

  /** Segments behind `after`, within what is left of the step, and whether the slice has no more. */
  #rows({ slice }: Slice, after: number, toSeq: number, segments: number, chars: number) {
    const found: BodyRow[] = [];
    let left = chars;
    const rows = this.#sql.exec<BodyRow>(
      `SELECT first_seq, body FROM segments_${slice} WHERE first_seq > ? AND first_seq <= ? ORDER BY first_seq LIMIT ?`,
      after,
      toSeq,
      Math.max(0, segments) + 1,
    );
    for (const row of rows) {
      if (found.length >= segments || left <= 0) return { found, whole: false };
      found.push({ ...row, body: String(row.body) });
      left -= String(row.body).length;
    }
    return { found, whole: true };
  }

  #erase(slice: Slice, firstSeq: number, body: string, mentions: Mentions, throughSeq: number) {
    if (!mentions.mayBeIn(body) && !body.includes(',"cause":"')) return undefined;
    const [header] = this.#store.headers(slice.slice, firstSeq, firstSeq, 1);
    if (header === undefined) return undefined;
    const erasedCause = (cause: string, effect: Signal) => this.#erasedCause(cause, effect);
    const left = eraseSegment({ ...header, lines: body.split("\n") }, { mentions, throughSeq, erasedCause });
    if (left === undefined) return undefined;
    this.#write(slice, left.segment, mentions);
    for (const id of left.erased) this.#ids?.add(id);
    if ((this.#ids?.size ?? 0) > MAX_IDS) this.#ids = undefined;
    return left;
  }

  /** @returns the id by which the cause of a signal is known now, where it was erased */
  #erasedCause(cause: string, { seq, source }: Signal): string | undefined {
    const known = this.#ids?.has(cause);
    if (known === false) return undefined;
    // Ids that the edge vouches for are of one signal alone, and stay.
    if (known === true && isVouchedId(cause)) return cause;
    const line = this.#lookup.find(cause, { seq, source }, new LookupBudget());
    return line !== undefined && isErasedLine(line) ? lineId(line) : undefined;
  }

  #write({ slice }: Slice, segment: Segment, mentions: Mentions): void {
    const { firstSeq, lastSeq, receivedMs, firstTs, lastTs, names, producers, lines, salvaged } = segment;
    const body = lines.join("\n");
    if (Number.isFinite(firstTs)) {
      this.#sql.exec(
        `UPDATE segments_${slice} SET last_seq = ?, received_ms = ?, first_ts = ?, last_ts = ?, names = ?, producers = ?,
           ids = ?, body = ? WHERE first_seq = ?`,
        lastSeq,
        receivedMs,
        firstTs,
        lastTs,
        namesText(names),
        JSON.stringify(producers),
        keysText(segment),
        body,
        firstSeq,
      );
      // A header that could not be read was made anew from its lines.
      if (salvaged === true) this.#store.damaged.repaired("header", firstSeq);
    } else {
      // Nothing of it can be read, and its header stays so, but for the name.
      const without = ["names", "producers", "ids"]
        .map((column) => `${column} = REPLACE(${column}, ?2, '')`)
        .join(", ");
      const update = `UPDATE segments_${slice} SET body = ?3, ${without} WHERE first_seq = ?1`;
      this.#sql.exec(update, firstSeq, mentions.name, body);
    }
    this.#store.forgetBodies();
  }

  /** A closed zone is made anew from its segments: its filters held the ids that were erased. @param seq - 0: none is closed */
  #sumUp({ slice }: Slice, seq: number): void {
    const stored = seq === 0 ? undefined : this.#store.zoneAt(slice, seq);
    if (stored === undefined) return;
    const zone = new OpenZone();
    for (const header of this.#store.headers(slice, stored.firstSeq, stored.lastSeq, ZONE_HEADERS)) zone.add(header);
    const { producers } = stored;
    this.#store.write(slice, [], { ...zone.close(), ...(producers && { producers }), lastSeq: stored.lastSeq });
  }
}

function timesOf(body: string, mentions: Mentions): string[] {
  return body.split("\n").flatMap((line) => {
    if (!mentions.mayBeIn(line)) return [];
    try {
      const { source, via, received_at } = readSignalLine(line);
      return source === mentions.name || via?.source === mentions.name ? received_at : [];
    } catch {
      // What cannot be read is no signal.
      return [];
    }
  });
}

function previewOf(times: readonly string[], next: number | null): ErasurePreview {
  return { signals: times.length, first_at: times[0] ?? null, last_at: times.at(-1) ?? null, next };
}
