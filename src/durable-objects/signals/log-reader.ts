import type { ReadPage, ReadQuery } from "../../core/signals/api.ts";
import { hashKey } from "../../core/signals/log/key-filter.ts";
import type { SegmentHeader } from "../../core/signals/log/segment.ts";
import { type SenderRange, senderRanges } from "../../core/signals/log/senders.ts";
import { holdsOnly, mayHold, mayHoldName, type Zone } from "../../core/signals/log/zone.ts";
import { compilePatterns, type Matcher } from "../../core/signals/pattern.ts";
import { lineCause, lineId, lineName, lineSeq, readSignalLine } from "../../core/signals/signal-line.ts";
import type { LookupBudget } from "./lookup-budget.ts";
import { BARE_HEADER, HEADER } from "./segment-row.ts";
import type { NamedId, SegmentStore, Slice } from "./segment-store.ts";

/** One call reads at most this much, and its answer has the position to continue from: no query blocks the object for long. */
const BUDGET = { steps: 1_024, bodies: 256, chars: 4_000_000 } as const;

/** Headers that are read at a time: few at first, because a frame is full after a segment or two, and the rest is not read. */
const FIRST_HEADERS = 2;
const MAX_HEADERS = 256;
/** Headers with the ids that they list, of which there may be thousands in each. */
const MAX_WHOLE_HEADERS = 16;

/** Lines that match, and how far the log has been searched for them. */
export interface Matches {
  readonly lines: readonly string[];
  /** The log has been searched up to here (backwards: down to here). */
  readonly through: number;
}

export interface Stretch extends Matches {
  /** Who sent them, as {@link senderRanges} says. */
  readonly senders: readonly SenderRange[];
}

interface Search {
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly order: "asc" | "desc";
  readonly limit: number;
  /** The line that reaches so many characters is the last; default: {@link BUDGET}. */
  readonly maxChars?: number;
  /**
   * Whether headers are read with what they list of ids and causes, and senders are found by that. A subscriber that catches
   * up needs neither, and parsing the lists would cost it ten times as much as all else.
   */
  readonly whole?: boolean;
  readonly mayHold: (part: SegmentHeader | Zone) => boolean;
  readonly matches: (line: string) => boolean;
  /** Whether each line of a segment matches, so that none has to be looked at. */
  readonly matchesAll?: (header: SegmentHeader) => boolean;
}

/** Reads the log by sequence number, name, source and time; skips segments and zones whose headers show that none matches. */
export class LogReader {
  readonly #store: SegmentStore;

  constructor(store: SegmentStore) {
    this.#store = store;
  }

  /** Whether an id may have become another one, because a source was erased. */
  get holdsErased(): boolean {
    return this.#store.holdsErased;
  }

  get oldestSeq(): number | null {
    return this.#store.slices[0]?.firstSeq ?? null;
  }

  /** `GET /signals`. */
  page(query: ReadQuery, headSeq: number): ReadPage {
    const oldest = this.oldestSeq;
    if (oldest === null) return { lines: [], next: null };
    const asc = query.order === "asc";
    const fromSeq = asc ? Math.max(oldest, (query.after ?? 0) + 1) : oldest;
    const toSeq = asc ? headSeq : Math.min(headSeq, (query.after ?? headSeq + 1) - 1);
    const named = compilePatterns(query.signals);
    const { source, sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY } = query;
    const timed = query.sinceMs !== undefined || query.untilMs !== undefined;
    const stretch = this.#search({
      fromSeq,
      toSeq,
      order: query.order,
      limit: query.limit,
      mayHold: (part) => part.lastTs >= sinceMs && part.firstTs < untilMs && mayHoldName(part, named),
      matches: (line) => {
        if (!named(lineName(line))) return false;
        if (source === undefined && !timed) return true;
        const signal = readSignalLine(line);
        if (source !== undefined && signal.source !== source) return false;
        const ts = Date.parse(signal.timestamp);
        return ts >= sinceMs && ts < untilMs;
      },
    });
    const done = asc ? stretch.through >= toSeq : stretch.through <= fromSeq;
    return { lines: stretch.lines, next: done ? null : stretch.through };
  }

  /** The signals after `after` that match a subscription, a bounded number of them. */
  after(after: number, headSeq: number, matches: Matcher, limit: number, maxChars: number = BUDGET.chars): Matches {
    return this.#forward(after, headSeq, { limit, maxChars, ...byName(matches) });
  }

  /** As {@link after}, with the senders of the signals. */
  sentAfter(after: number, headSeq: number, matches: Matcher, limit: number): Stretch {
    return this.#forward(after, headSeq, { limit, whole: true, ...byName(matches) });
  }

  /**
   * Signals after `after` that the signals of `ids` caused, directly or through each other. A signal stands behind its
   * cause, so one walk forward finds them all; zones and headers that name none of the causes are skipped.
   *
   * @param isEffect - whether a line whose cause is one of `ids` means that signal, and not another of the same id
   */
  effects(
    ids: readonly string[],
    after: number,
    headSeq: number,
    limit: number,
    isEffect: (line: string, cause: string) => boolean,
  ): Stretch {
    const causes = new Set(ids);
    const hashes = new Set(ids.map((id) => hashKey("cause", id)));
    return this.#forward(after, headSeq, {
      limit,
      whole: true,
      mayHold: (part) => ("causes" in part ? part.causes.some((hash) => hashes.has(hash)) : mayHoldAny(part, hashes)),
      matches: (line) => {
        const cause = lineCause(line);
        if (cause === undefined || !causes.has(cause) || !isEffect(line, cause)) return false;
        const id = lineId(line);
        causes.add(id);
        hashes.add(hashKey("cause", id));
        return true;
      },
    });
  }

  /** The header of the segment that holds `seq`, or `undefined` where the log holds no such number. */
  headerAt(seq: number): SegmentHeader | undefined {
    const slice = this.#sliceOf(seq);
    const firstSeq = slice === undefined ? undefined : this.#store.segmentOf(slice.slice, seq);
    return slice === undefined || firstSeq === undefined
      ? undefined
      : this.#store.headers(slice.slice, firstSeq, firstSeq, 1)[0];
  }

  /** The line at `seq`, or `undefined` where the log holds no such number. */
  at(seq: number): string | undefined {
    const slice = this.#sliceOf(seq);
    if (slice === undefined) return undefined;
    const firstSeq = this.#store.segmentOf(slice.slice, seq);
    if (firstSeq === undefined) return undefined;
    const lines = this.#store.lines(slice.slice, firstSeq);
    const line = lines[seq - firstSeq];
    // Of a damaged body some lines are missing.
    return line !== undefined && lineSeq(line) === seq ? line : lines.find((one) => lineSeq(one) === seq);
  }

  /** The lines of a segment, in order. */
  body(header: SegmentHeader): readonly string[] {
    const slice = this.#sliceOf(header.firstSeq);
    return slice === undefined ? [] : this.#store.lines(slice.slice, header.firstSeq);
  }

  /**
   * Headers that list an id, or hold the number of a producer, from `fromSeq` back, without the zones for which `mayHold` is
   * false. Ends where the budget does.
   *
   * @returns the sequence number down to which the log has been searched; 0: all of it
   */
  *naming(
    named: NamedId,
    fromSeq: number,
    mayHold: (zone: Zone) => boolean,
    budget: LookupBudget,
  ): Generator<SegmentHeader, number> {
    const oldest = this.oldestSeq ?? fromSeq + 1;
    for (let place = fromSeq; place >= oldest; ) {
      if (budget.exhausted) return place + 1;
      const slice = this.#sliceOf(place);
      if (slice === undefined) return 0;
      const closed = this.#store.zoneWithSize(slice.slice, place);
      const low = closed?.zone.firstSeq ?? this.#openFrom(slice, place);
      budget.read(closed?.chars ?? 0);
      if (closed === undefined || mayHold(closed.zone)) {
        budget.scan();
        for (const firstSeq of this.#store.segmentsNaming(slice.slice, low, place, named)) {
          const [header] = this.#store.headers(slice.slice, firstSeq, firstSeq, 1);
          if (header !== undefined) yield header;
          if (budget.exhausted) return firstSeq;
        }
      }
      place = low - 1;
    }
    return 0;
  }

  #forward(after: number, headSeq: number, search: Omit<Search, "fromSeq" | "toSeq" | "order">): Stretch {
    const fromSeq = Math.max(this.oldestSeq ?? headSeq + 1, after + 1);
    if (fromSeq > headSeq) return { lines: [], through: Math.max(after, headSeq), senders: [] };
    return this.#search({ ...search, fromSeq, toSeq: headSeq, order: "asc" });
  }

  #search(search: Search): Stretch {
    const asc = search.order === "asc";
    const { maxChars = BUDGET.chars } = search;
    const lines: string[] = [];
    const senders: SenderRange[] = [];
    let through = asc ? search.fromSeq - 1 : search.toSeq + 1;
    let bodies = 0;
    let chars = 0;
    let steps = 0;
    for (const { header, passed } of this.#walk(search)) {
      if (++steps > BUDGET.steps) return { lines, through, senders };
      if (header !== undefined && search.mayHold(header)) {
        if (++bodies > BUDGET.bodies) return { lines, through, senders };
        const found = lines.length;
        const all = search.matchesAll?.(header) === true;
        for (const line of this.#body(header, search)) {
          if (!all && !search.matches(line)) continue;
          if (lines.length === found) senders.push(...senderRanges(header));
          lines.push(line);
          chars += line.length;
          if (lines.length >= search.limit || chars >= maxChars) return { lines, through: lineSeq(line), senders };
        }
        this.#store.finished(header.firstSeq);
      }
      through = passed;
    }
    return { lines, through: asc ? search.toSeq : search.fromSeq, senders };
  }

  /** The lines of a segment that lie within the search, in its order. */
  #body(header: SegmentHeader, { fromSeq, toSeq, order }: Search): string[] {
    const start = Math.max(0, fromSeq - header.firstSeq);
    const all = this.body(header);
    const whole = all.length === header.lastSeq - header.firstSeq + 1;
    const within = (line: string) => lineSeq(line) >= fromSeq && lineSeq(line) <= toSeq;
    const lines = whole ? all.slice(start, toSeq - header.firstSeq + 1) : all.filter(within);
    return order === "asc" ? lines : lines.reverse();
  }

  /**
   * Steps through `[fromSeq, toSeq]` in order: each step is a header, or a zone that was skipped. `passed` is the last
   * sequence number of the step.
   */
  *#walk({ fromSeq, toSeq, order, mayHold, whole }: Search): Generator<{ header?: SegmentHeader; passed: number }> {
    const asc = order === "asc";
    let place = asc ? fromSeq : toSeq;
    let step = FIRST_HEADERS;
    while (asc ? place <= toSeq : place >= fromSeq) {
      const slice = this.#sliceOf(place);
      if (slice === undefined) return;
      const zone = this.#store.zoneAt(slice.slice, place);
      if (zone !== undefined && !mayHold(zone)) {
        const passed = asc ? zone.lastSeq : zone.firstSeq;
        yield { passed };
        place = asc ? passed + 1 : passed - 1;
        continue;
      }
      const low = asc ? (this.#store.segmentOf(slice.slice, place) ?? place) : (zone?.firstSeq ?? slice.firstSeq);
      const high = asc ? Math.min(toSeq, zone?.lastSeq ?? this.#endOf(slice)) : place;
      const headers = this.#store.headers(slice.slice, low, high, step, order, whole ? HEADER : BARE_HEADER);
      step = Math.min(whole ? MAX_WHOLE_HEADERS : MAX_HEADERS, step * 4);
      for (const header of headers) yield { header, passed: asc ? header.lastSeq : header.firstSeq };
      const last = headers.at(-1);
      if (asc) place = (last?.lastSeq ?? high) + 1;
      else place = (last?.firstSeq ?? low) - 1;
    }
  }

  /** First sequence number of the part around `seq` that no closed zone sums up. */
  #openFrom(slice: Slice, seq: number): number {
    const from = (this.#store.lastZoned(slice.slice) ?? 0) + 1;
    return from > seq ? slice.firstSeq : Math.max(slice.firstSeq, from);
  }

  #sliceOf(seq: number): Slice | undefined {
    return this.#store.slices.findLast((slice) => slice.firstSeq <= seq);
  }

  #endOf(slice: Slice): number {
    const next = this.#store.slices.find((other) => other.slice > slice.slice);
    return next === undefined ? Number.MAX_SAFE_INTEGER : next.firstSeq - 1;
  }
}

const byName = (matches: Matcher): Pick<Search, "mayHold" | "matches" | "matchesAll"> => ({
  mayHold: (part) => mayHoldName(part, matches),
  matchesAll: (header) => holdsOnly(header, matches),
  matches: (line) => matches(lineName(line)),
});

function mayHoldAny(zone: Zone, hashes: ReadonlySet<number>): boolean {
  for (const hash of hashes) if (mayHold(zone, hash)) return true;
  return false;
}
