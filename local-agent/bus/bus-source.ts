import type { FieldError } from "../../src/core/problem/field-error.ts";
import type { Logger } from "../base/log.ts";
import type { DeadLetterFile } from "../store/dead-letter-file.ts";
import type { InboxDeadLetters } from "../store/inbox-reader.ts";
import { errorsText, takeIn } from "../store/intake.ts";
import type { TimedSignal } from "../store/signal-text.ts";
import { MAX_PUT, type Spool } from "../store/spool.ts";
import type { BusPrograms } from "./bus-programs.ts";
import type { KnownIds } from "./known-ids.ts";
import { readBusMessage } from "./read-message.ts";
import { RefusedMessages } from "./refused-messages.ts";
import { RepeatedMessages } from "./repeated-messages.ts";

export interface BusIntakeOptions {
  readonly spool: Spool;
  readonly knownIds: KnownIds;
  readonly deadLetters: DeadLetterFile;
  /** Receives the dead letters of which the edge is told. */
  readonly unhandled: InboxDeadLetters;
  /** Receives signs of life; without it they are signals like any other. */
  readonly programs?: BusPrograms | undefined;
  /** Is told of each signal that is taken in. */
  readonly heard?: ((signal: string, facts: Readonly<Record<string, unknown>>) => void) | undefined;
  readonly now: () => number;
  readonly log: Logger;
}

export interface BusCounts {
  readonly taken: number;
  readonly echoes: number;
  /** Messages that a program of the host had sent before, see {@link RepeatedMessages}. */
  readonly repeated: number;
  /** Signs of life, see {@link BusPrograms}. */
  readonly heartbeats: number;
  /** Messages that are no signals; all are in the dead-letter file, and the edge is told of them. */
  readonly dead: number;
  /** Numbers that JSON readers would change, and that were kept as text. */
  readonly keptAsText: number;
  /** Signals that were lost: the disk refused them, and memory was full. */
  readonly lost: number;
}

/** When so many signals wait for the disk, the bus is not read further. */
const MAX_PENDING = 20_000;
/** A lower limit for observations while the disk refuses: other signals are more important. */
const MAX_PENDING_OBSERVATIONS = 10_000;
/** Pause between two attempts to write. */
const RETRY_MS = 1_000;
const LOG_EVERY_MS = 10_000;
/** Characters of a dead letter in its file, and in a log line. */
const KEPT_CHARACTERS = 4_096;
const LOGGED_CHARACTERS = 200;

interface PendingSignal {
  readonly signal: TimedSignal;
  /** An id to remember; `undefined` when the signal has none, or when it is remembered already. */
  readonly id: string | undefined;
}

/**
 * Puts messages of the bus into the spool, all messages since the last put at once. Puts follow one another: of two at
 * the same time, the disk may refuse the first and take the second, and the order would be lost.
 */
export class BusIntake {
  readonly #options: BusIntakeOptions;
  readonly #refusedMessages: RefusedMessages;
  readonly #repeatedMessages = new RepeatedMessages();
  #waiting: PendingSignal[] = [];
  #scheduled = false;
  #pending = 0;
  /** Resolves when no signal waits; `undefined` when none does. */
  #writing: Promise<void> | undefined;
  #refused = false;
  #closing = false;
  #endRetry: (() => void) | undefined;
  #counts = { taken: 0, echoes: 0, repeated: 0, heartbeats: 0, dead: 0, keptAsText: 0, lost: 0 };
  #loggedMs = Number.NEGATIVE_INFINITY;
  #unlogged = 0;

  constructor(options: BusIntakeOptions) {
    this.#options = options;
    this.#refusedMessages = new RefusedMessages(options);
  }

  get counts(): BusCounts {
    return { ...this.#counts };
  }

  /** @returns a promise to wait for when the disk is slow */
  take(frames: readonly Buffer[]): Promise<void> | undefined {
    const { knownIds, programs, heard, now } = this.#options;
    const nowMs = now();
    const message = readBusMessage(frames);
    if (!message.ok) {
      this.#deadLetter(frames, message.reason, nowMs, message.errors);
      return undefined;
    }
    const { input, marks, keptAsText } = message;
    if (programs?.take(input) === true) {
      this.#counts.heartbeats++;
      return undefined;
    }
    this.#counts.keptAsText += keptAsText;
    const taken = takeIn(input, nowMs);
    if (!taken.ok) {
      this.#deadLetter(frames, errorsText(taken.errors), nowMs, taken.errors);
      return undefined;
    }
    const { id, signal: name } = taken.signal;
    // Waiting would stop all programs on the bus because of a disk that only the agent needs.
    if (this.#refused && this.#pending >= (name === "OBSERVATION" ? MAX_PENDING_OBSERVATIONS : MAX_PENDING)) {
      this.#counts.lost++;
      return undefined;
    }
    const origin = id === undefined ? "new" : knownIds.originOf(id, name);
    if (origin === "echo") {
      this.#counts.echoes++;
      return undefined;
    }
    if (this.#repeatedMessages.isRepeated(name, marks, frames.at(-1) ?? Buffer.alloc(0), nowMs)) {
      this.#counts.repeated++;
      return undefined;
    }
    heard?.(name, input.facts as Record<string, unknown>);
    const isNew = id !== undefined && origin === "new";
    if (isNew) knownIds.taken(id, name);
    const signal = origin === "reused" ? { ...taken.signal, id: undefined } : taken.signal;
    this.#waiting.push({ signal, id: isNew ? id : undefined });
    this.#pending++;
    this.#writeSoon();
    return this.#pending >= MAX_PENDING && !this.#refused ? this.#write() : undefined;
  }

  /** Resolves when the signals that have come are on the disk; while the disk refuses them, with the next that it takes. */
  stored(): Promise<void> {
    return this.#write();
  }

  /** Resolves when all signals are on the disk. Signals that the disk still refuses are lost. */
  async flush(): Promise<void> {
    this.#closing = true;
    this.#endRetry?.();
    await this.#write();
    await this.#refusedMessages.flush();
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
      await this.#store(
        some.map(({ signal }) => signal),
        ids,
      );
      this.#pending -= some.length;
    }
    // In the same step as the last check: a later signal starts a new write.
    this.#writing = undefined;
  }

  /** Repeats until the disk has the signals: the bus cannot send them again. */
  async #store(signals: readonly TimedSignal[], ids: readonly { id: string; name: string }[]): Promise<void> {
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
          log.error({ err: error, count: signals.length }, "bus: signals were lost: the spool cannot be written");
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

  #deadLetter(frames: readonly Buffer[], reason: string, nowMs: number, errors?: readonly FieldError[]): void {
    const { deadLetters, log } = this.#options;
    this.#counts.dead++;
    const message = frames.map((frame) => frame.toString("utf8", 0, KEPT_CHARACTERS));
    this.#refusedMessages.add(message, reason);
    void deadLetters.add({ timestamp: new Date(nowMs).toISOString(), reason, errors, frames: message });
    this.#unlogged++;
    if (nowMs - this.#loggedMs < LOG_EVERY_MS) return;
    const sample = message.join(" | ").slice(0, LOGGED_CHARACTERS);
    log.warn({ count: this.#unlogged, message: sample }, `bus: a message is not a signal: ${reason.slice(0, 300)}`);
    this.#loggedMs = nowMs;
    this.#unlogged = 0;
  }
}
