import type { AppendRequest, AppendResult, ForeignId, NumberConflict, ProducerRecord } from "../api.ts";
import type { NewSignal } from "../signal.ts";
import { signalLine, timestampText } from "../signal-line.ts";
import { isForeignId } from "./foreign-id.ts";
import { idKey, ownerOfProducer } from "./id-owner.ts";
import { IdWindow, type StoredIds } from "./id-window.ts";
import type { LogBase } from "./log-base.ts";
import { NumberCheck, type StoredSignal } from "./number-check.ts";
import { type ProducerPage, Producers, type StoredProducerPage } from "./producers.ts";
import type { Segment, SegmentHeader } from "./segment.ts";
import { SegmentDraft } from "./segment-draft.ts";
import { OpenZone, type Zone } from "./zone.ts";

/** The result of a group of appends: rows to write, and an answer for each request. */
export interface Commit {
  readonly segments: readonly Segment[];
  readonly results: readonly (AppendResult | NumberConflict | ForeignId)[];
}

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
  readonly #producers = new Producers();
  #zone = new OpenZone();
  #ids: IdWindow | undefined;
  readonly #numbers = new NumberCheck();

  constructor(ecosystem: string, base: LogBase) {
    this.#ecosystem = ecosystem;
    this.#epoch = base.epoch;
    this.#nextSeq = base.nextSeq;
    this.#receivedMs = base.receivedMs;
    this.#rememberLasts(base.producers, base.receivedMs);
  }

  /**
   * Restores from what is stored: pages of producers, as they were when the zone was closed, the zone, and the segments
   * after it; the last of them has the newest received time.
   *
   * @param older - all zones of the log, oldest first: they tell the numbers of producers whose page cannot be read
   * @returns pages that cannot be read; the next zone is written with new ones in their place
   */
  restore(
    zone: Zone | undefined,
    headers: Iterable<SegmentHeader>,
    producers: Iterable<StoredProducerPage> = [],
    older: () => Iterable<Zone> = () => [],
  ): readonly number[] {
    const damaged = [...producers].filter((page) => !this.#producers.restore(page)).map(({ page }) => page);
    if (damaged.length > 0) for (const { ended, receivedMs = 0 } of older()) this.#rememberLasts(ended, receivedMs);
    if (zone !== undefined) {
      this.#rememberLasts(zone.producers, zone.receivedMs ?? this.#receivedMs);
      this.#nextSeq = Math.max(this.#nextSeq, zone.lastSeq + 1);
      this.#receivedMs = zone.receivedMs ?? this.#receivedMs;
    }
    for (const header of headers) this.#remember(header);
    return damaged;
  }

  /**
   * Remembers ids from now on, when the first caller without a producer comes: most logs never need them.
   *
   * @param stored - looks up ids of the last ten minutes that were not given to {@link addStoredIds} yet
   */
  openIds(nowMs: number, stored: StoredIds): void {
    this.#ids = new IdWindow(nowMs, stored);
  }

  /**
   * Ids of the last ten minutes, newest first.
   *
   * @param ids - as {@link idKey} and {@link oldIdKey} give them
   * @returns whether there is room for more
   */
  addStoredIds(ids: Iterable<readonly [key: string, seq: number]>): boolean {
    for (const [key, seq] of ids) if (this.#ids?.addStored(key, seq) === false) return false;
    return true;
  }

  /** The zone that grows. What it has {@link OpenZone.unread} must be read before it is closed. */
  get zone(): OpenZone {
    return this.#zone;
  }

  get epoch(): string {
    return this.#epoch;
  }

  get needsIds(): boolean {
    return this.#ids === undefined;
  }

  get heapBytes(): { readonly ids: number; readonly producers: number } {
    return { ids: this.#ids?.bytes ?? 0, producers: this.#producers.bytes };
  }

  get headSeq(): number {
    return this.#nextSeq - 1;
  }

  get receivedMs(): number {
    return this.#receivedMs;
  }

  lastNumber(producer: string): number {
    return this.#producers.last(producer);
  }

  producers(host: string | undefined, after: string, limit: number): ProducerRecord[] {
    return this.#producers.list(host, after, limit);
  }

  /** Takes the next number of a producer for its first. To be written with a closed zone. @returns whether the producer was known */
  forgetProducer(producer: string): boolean {
    this.#numbers.reopen(producer);
    return this.#producers.forget(producer);
  }

  base(): LogBase {
    return {
      epoch: this.#epoch,
      nextSeq: this.#nextSeq,
      receivedMs: this.#receivedMs,
    };
  }

  /**
   * Pages of producers to be written with a zone that is closed, or with a slice that begins.
   *
   * @param silentSinceMs - forgets producers that were silent since before this time
   */
  takeProducers(silentSinceMs?: number): readonly ProducerPage[] {
    return this.#producers.takeChanged(silentSinceMs);
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
   *
   * @param stored - looks up what the log holds under a number, for requests whose numbers are compared
   * @param mayMiss - whether the log may have left a signal out that it confirmed
   */
  append(
    requests: readonly AppendRequest[],
    nowMs: number,
    stored: StoredSignal = () => undefined,
    mayMiss?: (signal: NewSignal) => boolean,
  ): Commit {
    const receivedMs = this.receive(nowMs);
    this.#receivedMs = receivedMs;
    this.#ids?.advance(receivedMs);
    const receivedAt = timestampText(receivedMs);
    const segments: Segment[] = [];
    const results: (AppendResult | NumberConflict | ForeignId)[] = [];
    let draft = new SegmentDraft(this.#nextSeq, receivedMs);

    for (const request of requests) {
      const conflict =
        this.#foreignId(request) ?? this.#numbers.check(request, (name) => this.lastNumber(name), stored, mayMiss);
      if (conflict !== undefined) {
        results.push(conflict);
        continue;
      }
      const ids: string[] = [];
      let firstSeq: number | null = null;
      let lastSeq: number | null = null;
      let accepted = 0;
      let leftOut = 0;
      const producer = request.producer?.name;
      const { owner = "" } = request;
      let last = producer === undefined ? 0 : this.lastNumber(producer);
      let number = (request.producer?.first ?? 0) - 1;

      for (const signal of request.signals) {
        number++;
        let id = signal.id;
        if (request.leaveOut === true && signal.signal === "OBSERVATION" && (producer === undefined || number > last)) {
          ids.push(id ?? "");
          leftOut++;
          continue;
        }
        if (producer !== undefined) {
          // A host that gives a signal an id of somebody else's does not get it: the log names the signal itself.
          if (id === undefined || this.#isForeign(id, request)) id = `${producer}.${number}`;
          if (number <= last) {
            ids.push(id);
            continue;
          }
          last = number;
        } else if (id !== undefined) {
          const known = this.#ids?.known(idKey(owner, signal.source, id), id);
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
        if (signal.id === id) draft.addForeignId(id, seq, signal.source);
        if (signal.id === id && producer === undefined)
          this.#ids?.add(idKey(owner, signal.source, id), seq, receivedMs);
        if (producer === undefined && owner !== "") draft.addOwner(owner, seq);
        if (producer !== undefined && signal.id === id) draft.addHost(ownerOfProducer(producer), seq);
        ids.push(id);
        accepted++;
        firstSeq = Math.min(firstSeq ?? seq, seq);
        lastSeq = Math.max(lastSeq ?? seq, seq);
      }
      if (producer !== undefined && accepted > 0) this.#producers.set(producer, last, receivedMs);
      results.push({
        first_seq: firstSeq,
        last_seq: lastSeq,
        accepted,
        duplicates: request.signals.length - accepted - leftOut,
        ids,
        ...(leftOut === 0 ? {} : { left_out: leftOut }),
      });
    }
    if (!draft.empty) segments.push(this.#close(draft));
    this.#numbers.end();
    return { segments, results };
  }

  #foreignId(request: AppendRequest): ForeignId | undefined {
    if (request.owner === undefined || request.producer !== undefined) return undefined;
    const place = request.signals.findIndex(({ id }) => id !== undefined && this.#isForeign(id, request));
    return place < 0 ? undefined : { foreign_id: request.signals[place]?.id ?? "", place };
  }

  #isForeign(id: string, request: AppendRequest): boolean {
    return isForeignId(id, request, { epoch: this.#epoch, nextSeq: this.#nextSeq, producers: this.#producers });
  }

  /** @returns the zone that is full, to be stored with the segments, or `undefined` */
  closeZone(force = false): Zone | undefined {
    if (this.#zone.segments === 0 || (!force && !this.#zone.isFull)) return undefined;
    const zone = this.#zone.close();
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
    if (header.receivedMs > 0) this.#receivedMs = header.receivedMs;
    for (const [producer, , last] of header.producers) {
      // What looks like a number of a producer in a salvaged header may be an id of a caller's.
      if (header.salvaged && !this.#producers.has(producer)) continue;
      if (last > this.lastNumber(producer)) this.#producers.set(producer, last, header.receivedMs);
    }
  }

  /** Of an earlier version: the pages take them over with the next zone. */
  #rememberLasts(lasts: LogBase["producers"], seenMs: number): void {
    for (const [producer, last] of Object.entries(lasts ?? {})) {
      if (last > this.lastNumber(producer)) this.#producers.set(producer, last, seenMs);
    }
  }
}
