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

interface Lane {
  readonly projection: ProjectionName;
  wants: Matcher;
  /** The queue has been given everything up to here. */
  sent: number;
  lines: string[];
  chars: number;
  /** Something is waiting; without it the lane costs nothing. */
  waiting: boolean;
}

/**
 * Carries what projections want from the log to the queue (DESIGN.md, decision 4).
 *
 * It keeps nothing on disk. What is lost between the commit of a segment and the queue is found again by the
 * object's alarm, which was set in the transaction of that segment and tells every projection how far the log
 * reaches; a projection reads from the log what it lacks.
 */
export class QueueOutbox {
  readonly #ecosystem: string;
  readonly #queue: () => Queue;
  readonly #lanes: Lane[];
  readonly #meter: UsageMeter;
  #head: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending = false;
  /** When the timer will send; infinite while none is set. */
  #dueMs = Number.POSITIVE_INFINITY;
  #sentMs = 0;

  /**
   * @param interestOf - patterns of what a projection wants
   * @param head - where the log stands; what came before is the alarm's business
   */
  constructor(
    ecosystem: string,
    queue: () => Queue,
    interestOf: (projection: ProjectionName) => readonly string[],
    head: number,
    meter: UsageMeter,
  ) {
    this.#meter = meter;
    this.#ecosystem = ecosystem;
    this.#queue = queue;
    this.#head = head;
    this.#lanes = PROJECTIONS.map((projection) => ({
      projection,
      wants: compilePatterns(interestOf(projection)),
      sent: head,
      lines: [],
      chars: 0,
      waiting: false,
    }));
  }

  /** From the next segment on. What was collected before stays what it is. */
  want(projection: ProjectionName, patterns: readonly string[]): void {
    for (const lane of this.#lanes) if (lane.projection === projection) lane.wants = compilePatterns(patterns);
  }

  /** @returns whether some projection has to hear of the segment */
  offer(segment: Segment): boolean {
    this.#head = segment.lastSeq;
    let lingerMs: number | undefined;
    for (const lane of this.#lanes) {
      if (!segment.names.some(lane.wants)) continue;
      lane.waiting = true;
      lingerMs = Math.min(lingerMs ?? Number.POSITIVE_INFINITY, LINGER_MS[lane.projection]);
      // Beyond what a message holds the projection is told to read the log, which it does in larger pieces.
      if (lane.chars > QUEUE_BYTES) continue;
      const whole = segment.names.length === 1;
      for (const line of segment.lines) {
        if (!whole && !lane.wants(lineName(line))) continue;
        lane.lines.push(line);
        lane.chars += line.length + 1;
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
    if (this.#sending || !this.#lanes.some((lane) => lane.waiting)) return;
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
    if (this.#lanes.some((lane) => lane.waiting)) this.#sendBy(this.#sentMs + SPACING_MS);
  }

  /** Empties the lanes into the body of one message. */
  #take(): string {
    const batches: ProjectionBatch[] = [];
    for (const lane of this.#lanes) {
      if (!lane.waiting) continue;
      const lines = lane.chars > QUEUE_BYTES ? undefined : lane.lines;
      batches.push({ projection: lane.projection, after: lane.sent, through: this.#head, lines });
      lane.sent = this.#head;
      lane.lines = [];
      lane.chars = 0;
      lane.waiting = false;
    }
    const body = encodeBatches(this.#ecosystem, batches);
    if (!exceedsBytes(body, QUEUE_BYTES)) return body;
    return encodeBatches(
      this.#ecosystem,
      batches.map((batch) => ({ ...batch, lines: undefined })),
    );
  }
}
