import type { AppendRequest, AppendResult } from "../api.ts";
import type { NewSignal } from "../signal.ts";
import { signalLine, timestampText } from "../signal-line.ts";
import { IdWindow } from "./id-window.ts";
import { hashKey } from "./key-filter.ts";
import type { Segment, SegmentHeader } from "./segment.ts";
import { addToRanges, OpenZone, ZONE_SEGMENTS, type Zone } from "./zone.ts";

/** Where a log stood when its current slice of time began; kept so that older slices can be dropped whole. */
export interface LogBase {
  /** Makes the ids that this log assigns differ from those of any other log. */
  readonly epoch: string;
  readonly nextSeq: number;
  readonly receivedMs: number;
  readonly producers: Readonly<Record<string, number>>;
}

/** Reads a base as a log stored it. @throws SyntaxError or TypeError when `text` is no base */
export function readLogBase(text: string): LogBase {
  const base: unknown = JSON.parse(text);
  if (!isLogBase(base)) throw new TypeError(`the stored base of a slice is damaged: ${text.slice(0, 100)}`);
  return base;
}

function isLogBase(value: unknown): value is LogBase {
  if (typeof value !== "object" || value === null) return false;
  const { epoch, nextSeq, receivedMs, producers } = value as Record<string, unknown>;
  const numbered = typeof nextSeq === "number" && typeof receivedMs === "number";
  return numbered && typeof epoch === "string" && typeof producers === "object" && producers !== null;
}

/** The result of a group of appends: rows to write, and an answer for each request. */
export interface Commit {
  readonly segments: readonly Segment[];
  readonly results: readonly AppendResult[];
}

/** Characters in a segment. A row may take 2 MB and a character up to three bytes, so this is safe for any text. */
const SEGMENT_CHARS = 600_000;
/** Received times follow a clock that was set back by more than this; for less they do not advance until it catches up. */
const CLOCK_STEP_MS = 60_000;

/**
 * The order of an ecosystem's log: assigns sequence numbers and drops signals that it has seen before.
 *
 * Pure: it neither reads the clock nor stores. After a failed write it must be thrown away and restored, because
 * {@link append} has already advanced it.
 */
export class LogState {
  readonly #ecosystem: string;
  readonly #epoch: string;
  #nextSeq: number;
  #receivedMs: number;
  readonly #producers: Map<string, number>;
  #zone = new OpenZone();
  #ids: IdWindow | undefined;

  constructor(ecosystem: string, base: LogBase) {
    this.#ecosystem = ecosystem;
    this.#epoch = base.epoch;
    this.#nextSeq = base.nextSeq;
    this.#receivedMs = base.receivedMs;
    this.#producers = new Map(Object.entries(base.producers));
  }

  /** Restores from the last stored zone and the segments after it; the last of them has the newest received time. */
  restore(zone: Zone | undefined, headers: readonly SegmentHeader[]): void {
    if (zone !== undefined) {
      for (const [producer, last] of Object.entries(zone.producers)) this.#producers.set(producer, last);
      this.#nextSeq = Math.max(this.#nextSeq, zone.lastSeq + 1);
      this.#receivedMs = zone.receivedMs ?? this.#receivedMs;
    }
    for (const header of headers) this.#remember(header);
  }

  /** Ids of the last ten minutes, read when the first caller without a producer comes: most logs never need them. */
  restoreIds(ids: Iterable<readonly [id: string, seq: number, receivedMs: number]>, nowMs: number): void {
    this.#ids = new IdWindow(nowMs);
    for (const [id, seq, receivedMs] of ids) {
      this.#ids.advance(receivedMs);
      this.#ids.add(id, seq, receivedMs);
    }
  }

  get needsIds(): boolean {
    return this.#ids === undefined;
  }

  get headSeq(): number {
    return this.#nextSeq - 1;
  }

  get receivedMs(): number {
    return this.#receivedMs;
  }

  lastNumber(producer: string): number {
    return this.#producers.get(producer) ?? 0;
  }

  base(): LogBase {
    return {
      epoch: this.#epoch,
      nextSeq: this.#nextSeq,
      receivedMs: this.#receivedMs,
      producers: Object.fromEntries(this.#producers),
    };
  }

  /** Received times do not go back, unless the clock itself was set back by more than a minute. */
  receive(nowMs: number): number {
    return nowMs >= this.#receivedMs || this.#receivedMs - nowMs > CLOCK_STEP_MS ? nowMs : this.#receivedMs;
  }

  /** Advances the received time to `nowMs`: later signals get no earlier one, unless the clock is set back. */
  advanceClock(nowMs: number): number {
    this.#receivedMs = this.receive(nowMs);
    return this.#receivedMs;
  }

  /**
   * Assigns a sequence number to every signal of every request, or recognises the signal as a duplicate. Requests of one
   * group share segments, so that 64 appends at once cost as little as one.
   */
  append(requests: readonly AppendRequest[], nowMs: number): Commit {
    const receivedMs = this.receive(nowMs);
    this.#receivedMs = receivedMs;
    this.#ids?.advance(receivedMs);
    const receivedAt = timestampText(receivedMs);
    const segments: Segment[] = [];
    const results: AppendResult[] = [];
    let draft = new SegmentDraft(this.#nextSeq, receivedMs);

    for (const request of requests) {
      const ids: string[] = [];
      let firstSeq: number | null = null;
      let lastSeq: number | null = null;
      let accepted = 0;
      const producer = request.producer?.name;
      let last = producer === undefined ? 0 : this.lastNumber(producer);
      let number = (request.producer?.first ?? 0) - 1;

      for (const signal of request.signals) {
        number++;
        let id = signal.id;
        if (producer !== undefined) {
          id ??= `${producer}.${number}`;
          if (number <= last) {
            ids.push(id);
            continue;
          }
          last = number;
        } else if (id !== undefined) {
          const known = this.#ids?.find(id);
          if (known !== undefined) {
            ids.push(id);
            firstSeq = Math.min(firstSeq ?? known, known);
            lastSeq = Math.max(lastSeq ?? known, known);
            continue;
          }
        }
        const seq = this.#nextSeq++;
        id ??= `s${seq}.${this.#epoch}`;
        const timestampMs = signal.timestampMs ?? receivedMs;
        const line = signalLine(seq, id, signal, this.#ecosystem, timestampText(timestampMs), receivedAt);
        if (draft.full(line)) {
          segments.push(this.#close(draft));
          draft = new SegmentDraft(seq, receivedMs);
        }
        draft.add(line, signal, timestampMs);
        if (producer !== undefined) draft.addNumber(producer, number);
        // Also for signals of a producer that came with an id: lookups by that id need it.
        if (signal.id !== undefined) {
          draft.addForeignId(id, seq);
          this.#ids?.add(id, seq, receivedMs);
        }
        ids.push(id);
        accepted++;
        firstSeq = Math.min(firstSeq ?? seq, seq);
        lastSeq = Math.max(lastSeq ?? seq, seq);
      }
      if (producer !== undefined) this.#producers.set(producer, last);
      results.push({
        first_seq: firstSeq,
        last_seq: lastSeq,
        accepted,
        duplicates: request.signals.length - accepted,
        ids,
      });
    }
    if (!draft.empty) segments.push(this.#close(draft));
    return { segments, results };
  }

  /** @returns the zone that is full, to be stored with the segments, or `undefined` */
  closeZone(force = false): Zone | undefined {
    if (this.#zone.segments === 0 || (!force && this.#zone.segments < ZONE_SEGMENTS)) return undefined;
    const zone = this.#zone.close(this.#producers);
    this.#zone = new OpenZone();
    return zone;
  }

  #close(draft: SegmentDraft): Segment {
    const segment = draft.close();
    this.#zone.add(segment);
    return segment;
  }

  #remember(header: SegmentHeader): void {
    this.#zone.add(header);
    this.#nextSeq = Math.max(this.#nextSeq, header.lastSeq + 1);
    this.#receivedMs = header.receivedMs;
    for (const [producer, , last] of header.producers) {
      if (last > this.lastNumber(producer)) this.#producers.set(producer, last);
    }
  }
}

class SegmentDraft {
  readonly #firstSeq: number;
  readonly #receivedMs: number;
  readonly #lines: string[] = [];
  readonly #names = new Set<string>();
  readonly #producers: [string, number, number][] = [];
  readonly #foreignIds: [string, number][] = [];
  readonly #causes = new Set<number>();
  #chars = 0;
  #lastName: string | undefined;
  #lastCause: string | undefined;
  #firstTs = Number.POSITIVE_INFINITY;
  #lastTs = Number.NEGATIVE_INFINITY;

  constructor(firstSeq: number, receivedMs: number) {
    this.#firstSeq = firstSeq;
    this.#receivedMs = receivedMs;
  }

  get empty(): boolean {
    return this.#lines.length === 0;
  }

  full(next: string): boolean {
    return !this.empty && this.#chars + next.length > SEGMENT_CHARS;
  }

  add(line: string, signal: NewSignal, timestampMs: number): void {
    this.#lines.push(line);
    // A batch mostly holds one name; asking a set for each signal is a tenth of the whole append.
    if (signal.signal !== this.#lastName) this.#names.add(signal.signal);
    this.#lastName = signal.signal;
    if (signal.cause !== undefined && signal.cause !== this.#lastCause) {
      this.#causes.add(hashKey("cause", signal.cause));
      this.#lastCause = signal.cause;
    }
    this.#chars += line.length;
    if (timestampMs < this.#firstTs) this.#firstTs = timestampMs;
    if (timestampMs > this.#lastTs) this.#lastTs = timestampMs;
  }

  addNumber(producer: string, number: number): void {
    addToRanges(this.#producers, producer, number);
  }

  addForeignId(id: string, seq: number): void {
    this.#foreignIds.push([id, seq]);
  }

  close(): Segment {
    return {
      firstSeq: this.#firstSeq,
      lastSeq: this.#firstSeq + this.#lines.length - 1,
      receivedMs: this.#receivedMs,
      firstTs: this.#firstTs,
      lastTs: this.#lastTs,
      names: [...this.#names],
      producers: this.#producers,
      foreignIds: this.#foreignIds,
      causes: [...this.#causes],
      lines: this.#lines,
    };
  }
}
