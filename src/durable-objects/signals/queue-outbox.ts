import type { UsageMeter } from "../../core/billing/usage.ts";
import {
  encodeBatches,
  PROJECTIONS,
  type ProjectionBatch,
  type ProjectionName,
  QUEUE_BYTES,
} from "../../core/projection/batch.ts";
import { exceedsBytes } from "../../core/signals/limits.ts";
import type { Segment } from "../../core/signals/log/segment.ts";
import { compilePatterns, type Matcher } from "../../core/signals/pattern.ts";
import { lineName } from "../../core/signals/signal-line.ts";

/**
 * How long a projection's share is collected before it goes out, in milliseconds. Decisions are wanted at once;
 * measurements are looked at together anyway, and collecting them turns a message per batch into twenty-five a second.
 */
const LINGER_MS: Readonly<Record<ProjectionName, number>> = { observations: 40, policy: 0, workers: 0 };
/** Between two messages, in milliseconds: the first of a burst goes at once, the rest of it together. */
const SPACING_MS = 10;

interface Share {
  readonly projection: ProjectionName;
  matches: Matcher;
  /** The queue has been given everything up to here. */
  sent: number;
  lines: string[];
  chars: number;
  /** Something is waiting; without it the share costs nothing. */
  waiting: boolean;
}

/**
 * Carries signals that projections have subscribed to from the log to the queue. The queue may lose, double and reorder
 * what it carries: the projections' cursors make it exact.
 *
 * It keeps nothing on disk. What is lost between the commit of a segment and the queue is found again by the
 * object's alarm, which was set in the transaction of that segment and tells every projection how far the log
 * reaches; a projection reads from the log what it lacks.
 */
export class QueueOutbox {
  readonly #ecosystem: string;
  readonly #queue: () => Queue;
  readonly #shares: Share[];
  readonly #meter: UsageMeter;
  #head: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending = false;
  /** When the timer will send; infinite while none is set. */
  #dueMs = Number.POSITIVE_INFINITY;
  #sentMs = 0;

  /**
   * @param subscriptionOf - patterns that a projection has subscribed to
   * @param head - where the log stands; what came before is the alarm's business
   */
  constructor(
    ecosystem: string,
    queue: () => Queue,
    subscriptionOf: (projection: ProjectionName) => readonly string[],
    head: number,
    meter: UsageMeter,
  ) {
    this.#meter = meter;
    this.#ecosystem = ecosystem;
    this.#queue = queue;
    this.#head = head;
    this.#shares = PROJECTIONS.map((projection) => ({
      projection,
      matches: compilePatterns(subscriptionOf(projection)),
      sent: head,
      lines: [],
      chars: 0,
      waiting: false,
    }));
  }

  /** From the next segment on. What was collected before stays what it is. */
  setSubscription(projection: ProjectionName, patterns: readonly string[]): void {
    for (const share of this.#shares) if (share.projection === projection) share.matches = compilePatterns(patterns);
  }

  /** @returns whether some projection takes the segment */
  offer(segment: Segment): boolean {
    this.#head = segment.lastSeq;
    let lingerMs: number | undefined;
    for (const share of this.#shares) {
      if (!segment.names.some(share.matches)) continue;
      share.waiting = true;
      lingerMs = Math.min(lingerMs ?? Number.POSITIVE_INFINITY, LINGER_MS[share.projection]);
      // Beyond what a message holds the projection is told to read the log, which it does in larger pieces.
      if (share.chars > QUEUE_BYTES) continue;
      const whole = segment.names.length === 1;
      for (const line of segment.lines) {
        if (!whole && !share.matches(lineName(line))) continue;
        share.lines.push(line);
        share.chars += line.length + 1;
      }
    }
    if (lingerMs === undefined) return false;
    this.#sendBy(Math.max(Date.now() + lingerMs, this.#sentMs + SPACING_MS));
    return true;
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
    // One message under way at a time: what comes meanwhile is collected, so the messages grow with the load.
    if (this.#sending || !this.#shares.some((share) => share.waiting)) return;
    this.#sending = true;
    const body = this.#take();
    this.#meter.add({ queue_messages: 1, queue_operations: 3 * Math.ceil(body.length / 65_536) });
    try {
      await this.#queue().send(body, { contentType: "text" });
    } catch (error) {
      // Not lost: the segment is in the log and the alarm is set. Trying again here would hide a broken queue.
      console.warn("outbox: the queue took no message", this.#ecosystem, String(error));
    }
    this.#sending = false;
    this.#sentMs = Date.now();
    if (this.#shares.some((share) => share.waiting)) this.#sendBy(this.#sentMs + SPACING_MS);
  }

  /** Empties the shares into the body of one message. */
  #take(): string {
    const batches: ProjectionBatch[] = [];
    for (const share of this.#shares) {
      if (!share.waiting) continue;
      const lines = share.chars > QUEUE_BYTES ? undefined : share.lines;
      batches.push({ projection: share.projection, after: share.sent, through: this.#head, lines });
      share.sent = this.#head;
      share.lines = [];
      share.chars = 0;
      share.waiting = false;
    }
    const body = encodeBatches(this.#ecosystem, batches);
    if (!exceedsBytes(body, QUEUE_BYTES)) return body;
    return encodeBatches(
      this.#ecosystem,
      batches.map((batch) => ({ ...batch, lines: undefined })),
    );
  }
}
