import type { UsageMeter } from "../../core/billing/usage.ts";
import { Spacing } from "../../core/group-commit/spacing.ts";
import { TokenBucket, type TokenBucketOptions } from "../../core/group-commit/token-bucket.ts";
import {
  encodeBatches,
  PROJECTIONS,
  type ProjectionBatch,
  type ProjectionName,
  QUEUE_BYTES,
} from "../../core/projection/batch.ts";
import { exceedsBytes } from "../../core/signals/limits.ts";
import type { Segment } from "../../core/signals/log/segment.ts";
import { type SenderRange, senderRanges } from "../../core/signals/log/senders.ts";
import { compilePatterns, type Matcher } from "../../core/signals/pattern.ts";
import { lineName } from "../../core/signals/signal-line.ts";
import { logLine } from "../shell/log-line.ts";

/** Between two messages, in milliseconds: the first signal of a burst is sent at once, the others together. */
const SPACING_MS = 10;
/** Between two messages with observations: scanners read measurements together anyway. */
const OBSERVATIONS_SPACING_MS = 40;
/** Characters that a range of sequence numbers takes beside the name of its sender. */
const RANGE_CHARS = 24;

/** The call that the outbox makes of a queue. */
interface SignalQueue {
  send(body: string, options: { readonly contentType: "text" }): Promise<unknown>;
}

interface Log {
  readonly epoch: string;
  readonly headSeq: number;
}

interface Subscriptions {
  /** Patterns that a projection has subscribed to. */
  of(projection: ProjectionName): readonly string[];
}

interface Share {
  readonly projection: ProjectionName;
  matches: Matcher;
  /** Every signal up to here has been sent to the queue. */
  sent: number;
  lines: string[];
  senders: SenderRange[];
  chars: number;
  /** Signals are waiting to be sent; otherwise the share is left out of the message. */
  waiting: boolean;
}

/**
 * Sends the signals that projections have subscribed to from the log to the queue. The queue may lose, double and reorder
 * messages: with their cursors, the projections still take each signal once.
 *
 * This outbox is not stored. Signals that are lost between the commit of a segment and the queue are found by the object's
 * alarm, which was set in the transaction of that segment and notifies every projection how far the log reaches; the
 * projection reads missing signals from the log.
 */
export class QueueOutbox {
  readonly #ecosystem: string;
  readonly #log: Log;
  readonly #queue: () => SignalQueue;
  readonly #shares: Share[];
  readonly #meter: UsageMeter;
  /** Each message costs: where measurements come all the time, they wait for each other. */
  readonly #observations: TokenBucket;
  #head: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending = false;
  /** When the timer will send; infinite while none is set. */
  #dueMs = Number.POSITIVE_INFINITY;
  readonly #messages = new Spacing(SPACING_MS);
  readonly #observationMessages = new Spacing(OBSERVATIONS_SPACING_MS);

  /** The alarm notifies the projections of what stands in the log already. */
  constructor(
    ecosystem: string,
    log: Log,
    queue: () => SignalQueue,
    subscriptions: Subscriptions,
    { meter, pace }: { readonly meter: UsageMeter; readonly pace: TokenBucketOptions },
  ) {
    this.#meter = meter;
    this.#observations = new TokenBucket(pace);
    this.#ecosystem = ecosystem;
    this.#log = log;
    this.#queue = queue;
    this.#head = log.headSeq;
    this.#shares = PROJECTIONS.map((projection) => ({
      projection,
      matches: compilePatterns(subscriptions.of(projection)),
      sent: this.#head,
      lines: [],
      senders: [],
      chars: 0,
      waiting: false,
    }));
  }

  /** Every signal of the projection up to here has been sent to the queue. */
  sentTo(projection: ProjectionName): number {
    return this.#shares.find((share) => share.projection === projection)?.sent ?? this.#head;
  }

  /** Takes effect from the next segment on. Signals that are collected already are still sent. */
  setSubscription(projection: ProjectionName, patterns: readonly string[]): void {
    for (const share of this.#shares) if (share.projection === projection) share.matches = compilePatterns(patterns);
  }

  /** @returns the projections that take the segment */
  offer(segment: Segment): readonly ProjectionName[] {
    this.#head = segment.lastSeq;
    const taking: ProjectionName[] = [];
    const senders = senderRanges(segment);
    let dueMs: number | undefined;
    for (const share of this.#shares) {
      if (!segment.names.some(share.matches)) continue;
      share.waiting = true;
      taking.push(share.projection);
      dueMs = Math.min(dueMs ?? Number.POSITIVE_INFINITY, this.#dueAt(share.projection));
      // Where the signals exceed one message, the projection reads them from the log, in larger pieces.
      if (share.chars > QUEUE_BYTES) continue;
      const whole = segment.names.length === 1;
      for (const line of segment.lines) {
        if (!whole && !share.matches(lineName(line))) continue;
        share.lines.push(line);
        share.chars += line.length + 1;
      }
      for (const range of senders) share.chars += addRange(share.senders, range);
    }
    if (dueMs !== undefined) this.#sendBy(dueMs);
    return taking;
  }

  /** When what waits for a projection may be sent. */
  #dueAt(projection: ProjectionName): number {
    const nowMs = Date.now();
    const nextMs = this.#messages.dueMs(nowMs);
    if (projection !== "observations") return nextMs;
    return Math.max(nextMs, this.#observationMessages.dueMs(nowMs), nowMs + this.#observations.waitMs(nowMs));
  }

  #sendBy(atMs: number): void {
    if (atMs >= this.#dueMs) return;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    const waitMs = atMs - Date.now();
    if (waitMs <= 0) {
      void this.#send();
      return;
    }
    this.#dueMs = atMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, waitMs);
  }

  async #send(): Promise<void> {
    this.#dueMs = Number.POSITIVE_INFINITY;
    // One message is sent at a time; signals that come meanwhile are collected, so the messages grow with the load.
    if (this.#sending || !this.#shares.some((share) => share.waiting)) return;
    this.#sending = true;
    if (this.#shares.some(({ projection, waiting }) => waiting && projection === "observations")) {
      this.#observationMessages.happened(Date.now());
      this.#observations.take(Date.now());
    }
    const body = this.#take();
    this.#meter.add({ queue_messages: 1, queue_operations: 3 * Math.ceil(body.length / 65_536) });
    try {
      await this.#queue().send(body, { contentType: "text" });
    } catch (error) {
      // The signals are not lost: the segment is in the log and the alarm is set. A retry here would hide a broken queue.
      logLine("warn", "queue-refused-message", { ecosystem: this.#ecosystem, object: "signals", error });
    }
    this.#sending = false;
    this.#messages.happened(Date.now());
    const waiting = this.#shares.filter((share) => share.waiting).map(({ projection }) => this.#dueAt(projection));
    if (waiting.length > 0) this.#sendBy(Math.min(...waiting));
  }

  /** Empties the shares into the body of one message. */
  #take(): string {
    const batches: ProjectionBatch[] = [];
    for (const share of this.#shares) {
      if (!share.waiting) continue;
      const lines = share.chars > QUEUE_BYTES ? undefined : share.lines;
      batches.push({
        projection: share.projection,
        after: share.sent,
        through: this.#head,
        lines,
        senders: share.senders,
      });
      share.sent = this.#head;
      share.lines = [];
      share.senders = [];
      share.chars = 0;
      share.waiting = false;
    }
    const log = this.#log.epoch;
    const body = encodeBatches(this.#ecosystem, log, batches);
    if (!exceedsBytes(body, QUEUE_BYTES)) return body;
    return encodeBatches(
      this.#ecosystem,
      log,
      batches.map((batch) => ({ ...batch, lines: undefined })),
    );
  }
}

/** Joins a range to the one before where both are of one sender. @returns characters that the ranges grow by */
function addRange(ranges: SenderRange[], range: SenderRange): number {
  const last = ranges.at(-1);
  if (last !== undefined && last[0] === range[0] && last[2] + 1 === range[1]) {
    ranges[ranges.length - 1] = [last[0], last[1], range[2]];
    return 0;
  }
  ranges.push(range);
  return range[0].length + RANGE_CHARS;
}
