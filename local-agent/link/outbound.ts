import { doubled } from "../../src/core/numbers/doubled.ts";
import type { FieldError } from "../../src/core/problem/field-error.ts";
import type { Problem } from "../../src/core/problem/problem.ts";
import type { LinkPace } from "../../src/core/wire/link-frames.ts";
import type { Logger } from "../base/log.ts";
import type { DeadLetterFile } from "../store/dead-letter-file.ts";
import { LANES, type Lane, type Spool } from "../store/spool.ts";
import { LanePacing } from "./lane-pacing.ts";
import { LaneSender } from "./lane-sender.ts";
import { type NumbersRefused, readNumbersRefused } from "./numbers-refused.ts";

export interface OutboundOptions {
  readonly spool: Spool;
  /** Receives signals that the edge will never take. */
  readonly deadLetterFile: DeadLetterFile;
  readonly log: Logger;
  /** `null` while there is no connection. */
  readonly send: () => ((text: string) => void) | null;
  /** Called with the time that the edge took to make a batch durable. */
  readonly onRoundTrip: (lane: Lane, seconds: number) => void;
  /** Abandons the connection; a new one starts with the oldest unconfirmed signal. */
  readonly abandon: (reason: string) => void;
}

/** The fields of an `appended` frame. */
export interface Appended {
  readonly batch: number;
  readonly producer: string;
  readonly last: number;
  readonly rejected?: readonly { readonly number: number; readonly errors: readonly FieldError[] }[] | undefined;
}

const ANSWER_MS = 60_000;
/** Frames of one lane sent in one turn: reading them from the disk blocks the event loop. */
const FRAMES_A_TURN = 2;

/** Pause before confirmed signals are deleted again after the disk refused. */
const DELETE_RETRY_MS = 5_000;

/** Sends the spool over the present connection, woken by puts and by answers, and by a clock for signals that gather. */
export class Outbound {
  readonly #options: OutboundOptions;
  readonly #senders: Readonly<Record<Lane, LaneSender>>;
  readonly #pacing: Readonly<Record<Lane, LanePacing>> = {
    bus: new LanePacing(),
    local: new LanePacing(),
  };
  /** Batches in flight. */
  readonly #sent = new Map<number, { readonly lane: Lane; readonly at: number }>();
  #batch = 0;
  #pumpScheduled = false;
  #resume: NodeJS.Timeout | undefined;
  #endOnPut: (() => void) | undefined;
  #rejected = 0;
  #refused = 0;
  #stopped = false;
  readonly #forgetting: Partial<Record<Lane, NodeJS.Timeout>> = {};

  constructor(options: OutboundOptions) {
    this.#options = options;
    this.#senders = { bus: new LaneSender(options.spool, "bus"), local: new LaneSender(options.spool, "local") };
  }

  /** Signals that the edge stored as dead letters instead of appending them to the log. */
  get rejectedCount(): number {
    return this.#rejected;
  }

  /** Batches that the edge refused for now. */
  get refusedCount(): number {
    return this.#refused;
  }

  start(): void {
    this.#stopped = false;
    this.#endOnPut = this.#options.spool.onPut((lane, signals) => {
      const observations = signals.every(({ observation }) => observation);
      this.#pacing[lane].put(signals.length, observations);
      this.#pumpSoon();
    });
  }

  stop(): void {
    this.#endOnPut?.();
    clearTimeout(this.#resume);
    this.#stopped = true;
    for (const timer of Object.values(this.#forgetting)) clearTimeout(timer);
  }

  /** A connection has opened. */
  opened(): void {
    this.#sent.clear();
    // An edge that asks for no pace says nothing of it, and this one may be another than before.
    for (const lane of LANES) {
      this.#senders[lane].restart();
      this.#pacing[lane].pace = undefined;
    }
    this.flush();
  }

  /** The edge says how long signals gather. */
  paced(pace: LinkPace): void {
    for (const lane of LANES) this.#pacing[lane].pace = pace;
  }

  /** Sends what waits, without waiting for more. */
  flush(): void {
    for (const lane of LANES) this.#pacing[lane].hurry();
    this.#pump();
  }

  /** @returns a reason to abandon the connection: a batch is not answered although the peer is alive */
  unanswered(nowMs: number): string | undefined {
    const oldest = Math.min(...LANES.map((lane) => this.#senders[lane].oldestSentMs ?? Number.POSITIVE_INFINITY));
    return nowMs - oldest > ANSWER_MS ? "the edge left a batch unanswered for a minute" : undefined;
  }

  appended({ batch, producer, last, rejected = [] }: Appended): void {
    const { spool, log } = this.#options;
    // The answer belongs to a former producer name.
    const lane = LANES.find((each) => spool.producer(each) === producer);
    if (lane === undefined) return;
    for (const { number, errors } of rejected) {
      this.#rejected++;
      log.warn({ producer, number, errors: errors.slice(0, 3) }, "link: the edge stored a signal as a dead letter");
    }
    const sent = this.#sent.get(batch);
    this.#sent.delete(batch);
    if (sent !== undefined) this.#options.onRoundTrip(lane, (performance.now() - sent.at) / 1000);
    if (last > spool.lastNumber(lane)) {
      this.#backupRestored(lane, last);
      return;
    }
    const confirmed = this.#senders[lane].appended(batch, last);
    this.#pumpSoon();
    this.#forget(lane, confirmed);
  }

  refused(batch: number | null, problem: Problem, retryAfterMs: number | undefined): void {
    const { log, abandon, spool } = this.#options;
    const reason =
      `${problem.title}${problem.detail === undefined ? "" : `: ${problem.detail}`} (${problem.status})`.slice(0, 500);
    if (batch === null) {
      log.warn(`link: the edge refused a frame: ${reason}`);
      // The batch is unknown, so all are sent again. A frame that is not allowed at all, such as a subscription without
      // the right to read, must not stop the others.
      if (problem.status !== 403 && problem.status !== 409) abandon(`the edge refused a frame: ${reason}`);
      return;
    }
    const lane = this.#sent.get(batch)?.lane;
    this.#sent.delete(batch);
    if (lane === undefined) return;
    this.#refused++;
    const conflict = readNumbersRefused(problem);
    // The answer to a batch under a former name says nothing about the present one.
    if (conflict !== undefined && conflict.producer !== spool.producer(lane)) return;
    if (conflict !== undefined) return this.#numbersDiffer(lane, conflict, reason);
    const nowMs = performance.now();
    // The edge gives the same time to the whole fleet, so a random part is added.
    const namedMs = retryAfterMs === undefined ? undefined : retryAfterMs * (1 + Math.random() / 4);
    this.#pacing[lane].hurry();
    const after = this.#senders[lane].refused(batch, problem.status, namedMs, nowMs, refusalDelay);
    if (after?.kind === "retry") {
      log.warn(
        { lane, batch, wait_ms: Math.round(after.notBeforeMs - nowMs) },
        `link: the edge refused a batch: ${reason}`,
      );
      this.#pump();
    } else if (after?.kind === "unsendable") {
      log.error({ lane, number: after.number }, `link: the edge will never take a signal: ${reason}`);
      this.#watch(this.#deadLetter(lane, after.number, after.text, reason));
    }
  }

  /** A full disk may refuse deletions, too. They are tried again, also when nothing more is sent. */
  #forget(lane: Lane, confirmed: number): void {
    this.#options.spool.forget(lane, confirmed).catch((error: unknown) => {
      this.#options.log.error({ err: error, lane }, "link: confirmed signals cannot be deleted from the spool");
      clearTimeout(this.#forgetting[lane]);
      if (!this.#stopped) this.#forgetting[lane] = setTimeout(() => this.#forget(lane, confirmed), DELETE_RETRY_MS);
    });
  }

  async #deadLetter(lane: Lane, number: number, signal: string, reason: string): Promise<void> {
    const { spool, deadLetterFile } = this.#options;
    const timestamp = new Date().toISOString();
    const kept = await deadLetterFile.add({ timestamp, reason, producer: spool.producer(lane), number, signal });
    if (kept) await spool.remove(lane, number);
    this.#senders[lane].resume(kept ? 0 : performance.now() + refusalDelay(10));
    this.#pump();
  }

  /** The edge has seen numbers that this spool has not given yet: the state was restored from a backup. */
  #backupRestored(lane: Lane, last: number): void {
    const { spool, log } = this.#options;
    log.error(
      { lane, last, own: spool.lastNumber(lane) },
      "link: the edge has seen higher numbers than this spool gave: continuing under a new producer name",
    );
    this.#newEpoch(lane, 0);
  }

  /**
   * The log holds other signals under the numbers of this spool: a backup of the state is in use, or a clone of this
   * machine. What the log holds as this spool sent it is done with; everything else is sent under a new name.
   */
  #numbersDiffer(lane: Lane, { sameUpTo, last }: NumbersRefused, reason: string): void {
    const { spool, log } = this.#options;
    log.error(
      { lane, same_up_to: sameUpTo, last, own: spool.lastNumber(lane) },
      `link: continuing under a new producer name, because the state of this agent was set back or cloned: ${reason}`,
    );
    this.#newEpoch(lane, sameUpTo ?? 0);
  }

  /** Both lanes have a new producer name: the log knows none of their numbers. */
  renamed(): void {
    for (const lane of LANES) this.#senders[lane].rename();
  }

  #newEpoch(lane: Lane, confirmed: number): void {
    const { spool, abandon } = this.#options;
    this.#senders[lane].rename();
    this.#watch(spool.renewEpoch(lane, confirmed));
    abandon("the spool has a new producer name");
  }

  /** Once for all puts of a commit: their listeners have all been called when the current turn ends. */
  #pumpSoon(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    queueMicrotask(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    const { spool } = this.#options;
    const send = this.#options.send();
    if (send === null) return;
    const nowMs = performance.now();
    let more = false;
    for (const lane of LANES) {
      let sent = 0;
      if (this.#pacing[lane].waitingUntil(nowMs) !== undefined) continue;
      for (; sent < FRAMES_A_TURN; sent++) {
        const frame = this.#senders[lane].frame(++this.#batch, nowMs);
        if (frame === null) break;
        if (frame === "stuck") {
          this.#options.abandon("a refused batch has left the spool");
          return;
        }
        this.#sent.set(this.#batch, { lane, at: performance.now() });
        send(frame);
      }
      if (sent > 0) this.#pacing[lane].sent(this.#senders[lane].next > spool.lastNumber(lane), nowMs);
      more ||= sent === FRAMES_A_TURN;
    }
    if (more) setImmediate(() => this.#pump());
    else this.#resumeLater(nowMs);
  }

  /** When the edge asked for a pause, and while signals gather; in all other cases an event wakes the link. */
  #resumeLater(nowMs: number): void {
    const until = LANES.flatMap((lane) => [
      this.#senders[lane].waitingUntil(nowMs),
      this.#pacing[lane].waitingUntil(nowMs),
    ]).filter((time) => time !== undefined);
    clearTimeout(this.#resume);
    if (until.length > 0) this.#resume = setTimeout(() => this.#pump(), Math.min(...until) - nowMs + 1);
  }

  #watch(done: Promise<void>): void {
    done.catch((error: unknown) => this.#options.log.error({ err: error }, "link: the spool cannot be written"));
  }
}

/** Milliseconds to wait after the given number of refusals in a row, when the edge names no time. */
function refusalDelay(refusals: number): number {
  return doubled(500, 30_000, refusals) * (0.5 + Math.random() / 2);
}
