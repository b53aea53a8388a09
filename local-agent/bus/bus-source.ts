import type { FieldError } from "../../src/core/problem/field-error.ts";
import type { Logger } from "../base/log.ts";
import type { DeadLetterFile } from "../store/dead-letter-file.ts";
import { errorsText, takeIn } from "../store/intake.ts";
import type { TimedSignal } from "../store/signal-text.ts";
import { MAX_PUT, type Spool } from "../store/spool.ts";
import type { KnownIds } from "./known-ids.ts";
import { readBusMessage } from "./read-message.ts";

export interface BusIntakeOptions {
  readonly spool: Spool;
  readonly knownIds: KnownIds;
  readonly deadLetters: DeadLetterFile;
  readonly now: () => number;
  readonly log: Logger;
}

export interface BusCounts {
  readonly taken: number;
  readonly echoes: number;
  /** Messages that cannot be a signal; they are in the dead-letter file. */
  readonly dead: number;
  /** Signals that the disk refused for longer than they could be held in memory. */
  readonly lost: number;
}

/** Signals on their way to the disk at which the bus is read no further. */
const MAX_PENDING = 20_000;
/** While the disk refuses, what only measures has to make room for what tells of something. */
const MAX_PENDING_OBSERVATIONS = 10_000;
/** Between two attempts to write what the disk refused. */
const RETRY_MS = 1_000;
const LOG_EVERY_MS = 10_000;
/** Characters of a dead letter in its file, and in a log line. */
const KEPT_CHARACTERS = 4_096;
const LOGGED_CHARACTERS = 200;

interface Taken {
  readonly signal: TimedSignal;
  /** To be known from now on; `undefined`: it has none, or it is known. */
  readonly id: string | undefined;
}

/**
 * Takes messages of the bus into the spool; everything that was received since the last put with the next one. One put
 * waits for the other: of two, the disk may refuse the first and take the second, and the order would be lost.
 */
export class BusIntake {
  readonly #options: BusIntakeOptions;
  #waiting: Taken[] = [];
  #scheduled = false;
  #pending = 0;
  /** Resolves when nothing waits; `undefined`: nothing does. */
  #writing: Promise<void> | undefined;
  #refused = false;
  #closing = false;
  #endRetry: (() => void) | undefined;
  #counts = { taken: 0, echoes: 0, dead: 0, lost: 0 };
  #loggedMs = Number.NEGATIVE_INFINITY;
  #unlogged = 0;

  constructor(options: BusIntakeOptions) {
    this.#options = options;
  }

  get counts(): BusCounts {
    return { ...this.#counts };
  }

  /** @returns a promise to wait for when the disk falls behind */
  take(frames: readonly Buffer[]): Promise<void> | undefined {
    const { knownIds, now } = this.#options;
    const nowMs = now();
    const message = readBusMessage(frames);
    if (!message.ok) {
      this.#bury(frames, message.reason, nowMs);
      return undefined;
    }
    const taken = takeIn(message.input, nowMs);
    if (!taken.ok) {
      this.#bury(frames, errorsText(taken.errors), nowMs, taken.errors);
      return undefined;
    }
    const { id, signal: name } = taken.signal;
    // To hold the bus back would stop everybody on it for the sake of a disk that only we need.
    if (this.#refused && this.#pending >= (name === "OBSERVATION" ? MAX_PENDING_OBSERVATIONS : MAX_PENDING)) {
      this.#counts.lost++;
      return undefined;
    }
    const verdict = id === undefined ? "new" : knownIds.verdict(id, name);
    if (verdict === "echo") {
      this.#counts.echoes++;
      return undefined;
    }
    const isNew = id !== undefined && verdict === "new";
    if (isNew) knownIds.taken(id, name);
    const signal = verdict === "reused" ? { ...taken.signal, id: undefined } : taken.signal;
    this.#waiting.push({ signal, id: isNew ? id : undefined });
    this.#pending++;
    this.#writeSoon();
    return this.#pending >= MAX_PENDING && !this.#refused ? this.#write() : undefined;
  }

  /** Resolves when everything that was taken is on the disk; what that refuses even now is lost. */
  async flush(): Promise<void> {
    this.#closing = true;
    this.#endRetry?.();
    await this.#write();
    this.#closing = false;
  }

  #writeSoon(): void {
    if (this.#scheduled || this.#writing !== undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#write();
    });
  }

  #write(): Promise<void> {
    if (this.#waiting.length === 0) return this.#writing ?? Promise.resolve();
    this.#writing ??= this.#writeAll();
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, MAX_PUT);
      const ids = some.flatMap(({ signal, id }) => (id === undefined ? [] : [{ id, name: signal.signal }]));
      await this.#keep(
        some.map(({ signal }) => signal),
        ids,
      );
      this.#pending -= some.length;
    }
    // In the same step as the last look: what comes from here on begins anew.
    this.#writing = undefined;
  }

  /** Until the disk has them: the bus keeps nothing that could be asked for again. */
  async #keep(signals: readonly TimedSignal[], ids: readonly { id: string; name: string }[]): Promise<void> {
    const { spool, knownIds, log } = this.#options;
    for (;;) {
      try {
        await spool.put("bus", signals, ids.length === 0 ? {} : { also: knownIds.store(ids) });
        this.#counts.taken += signals.length;
        if (this.#refused) log.info({ lost: this.#counts.lost }, "bus: the disk takes signals again");
        this.#refused = false;
        return;
      } catch (error) {
        if (this.#closing) {
          this.#counts.lost += signals.length;
          log.error(
            { err: error, count: signals.length },
            "bus: signals were lost, because the spool cannot be written",
          );
          return;
        }
        if (!this.#refused) log.error({ err: error }, "bus: the spool cannot be written; signals are held in memory");
        this.#refused = true;
        await this.#retryLater();
      }
    }
  }

  async #retryLater(): Promise<void> {
    if (this.#closing) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#endRetry = resolve;
      timer = setTimeout(resolve, RETRY_MS);
    });
    clearTimeout(timer);
  }

  #bury(frames: readonly Buffer[], reason: string, nowMs: number, errors?: readonly FieldError[]): void {
    const { deadLetters, log } = this.#options;
    this.#counts.dead++;
    const message = frames.map((frame) => frame.toString("utf8", 0, KEPT_CHARACTERS));
    void deadLetters.add({ timestamp: new Date(nowMs).toISOString(), reason, errors, frames: message });
    this.#unlogged++;
    if (nowMs - this.#loggedMs < LOG_EVERY_MS) return;
    const sample = message.join(" | ").slice(0, LOGGED_CHARACTERS);
    log.warn({ count: this.#unlogged, message: sample }, `bus: a message is no signal: ${reason.slice(0, 300)}`);
    this.#loggedMs = nowMs;
    this.#unlogged = 0;
  }
}
