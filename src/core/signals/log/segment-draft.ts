import type { NewSignal } from "../signal.ts";
import { hashKey } from "./key-filter.ts";
import type { Segment } from "./segment.ts";
import { addToRanges } from "./zone.ts";

/** Characters in a segment. A row may take 2 MB and a character up to three bytes, so this is safe for any text. */
const SEGMENT_CHARS = 600_000;

/** A segment that is being filled. */
export class SegmentDraft {
  readonly #firstSeq: number;
  readonly #receivedMs: number;
  readonly #lines: string[] = [];
  readonly #names = new Set<string>();
  readonly #producers: [string, number, number][] = [];
  readonly #foreignIds: [id: string, seq: number, source: number][] = [];
  readonly #sources = new Map<string, number>();
  readonly #owners: [owner: string, firstSeq: number, lastSeq: number][] = [];
  readonly #hosts: [host: string, firstSeq: number, lastSeq: number][] = [];
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

  addForeignId(id: string, seq: number, source: string): void {
    let place = this.#sources.get(source);
    if (place === undefined) {
      place = this.#sources.size;
      this.#sources.set(source, place);
    }
    this.#foreignIds.push([id, seq, place]);
  }

  addOwner(owner: string, seq: number): void {
    addToRanges(this.#owners, owner, seq);
  }

  addHost(host: string, seq: number): void {
    addToRanges(this.#hosts, host, seq);
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
      ...(this.#sources.size === 0 ? {} : { sources: [...this.#sources.keys()] }),
      ...(this.#owners.length === 0 ? {} : { owners: this.#owners }),
      ...(this.#hosts.length === 0 ? {} : { hosts: this.#hosts }),
      causes: [...this.#causes],
      lines: this.#lines,
    };
  }
}
