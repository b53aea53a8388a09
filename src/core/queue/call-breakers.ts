import {
  Breaker,
  type BreakerCall,
  type BreakerChange,
  type BreakerSettings,
  type BreakerState,
  type BreakerWait,
  type CallEnd,
  hasBreakers,
} from "./breaker.ts";
import type { FinishedTask } from "./task.ts";
import { Timers } from "./timers.ts";

/** A call that was let through and has not ended. */
interface RunningCall extends BreakerCall {
  readonly recipient: string;
  /** As {@link Timers} needs it: until the time-out of its caller was counted. */
  dueMs: number;
}

/** What changed since the last {@link CallBreakers.drain}. */
export interface BreakerChanges {
  /** States to be stored; `undefined`: nothing of the recipient has to be stored any more. */
  readonly stored: readonly (readonly [recipient: string, state: BreakerState | undefined])[];
  readonly changes: readonly (BreakerChange & { readonly recipient: string })[];
}

/** Most recipients of a queue that are watched at a time: further ones take the place of those longest known. */
const MAX_RECIPIENTS = 1_000;

const NO_CHANGES: BreakerChanges = { stored: [], changes: [] };

/**
 * The breakers of a queue's recipients, one each, whoever calls. A call that is answered changes nothing that is stored,
 * unless one before failed.
 *
 * The time-out of a caller is counted when it has passed, without a timer: whenever the queue does anything else, and
 * before it lets the next call through.
 */
export class CallBreakers {
  readonly #settings: () => BreakerSettings;
  readonly #breakers: Map<string, Breaker>;
  readonly #running = new Map<string, RunningCall>();
  readonly #timeouts = new Timers<RunningCall>();
  /** Recipients of which something is stored. */
  readonly #stored: Set<string>;
  readonly #touched = new Set<string>();
  #changes: (BreakerChange & { readonly recipient: string })[] = [];

  /** @param stored - as an earlier {@link drain} gave it */
  constructor(settings: () => BreakerSettings, stored: Iterable<readonly [recipient: string, state: BreakerState]>) {
    this.#settings = settings;
    this.#breakers = new Map([...stored].map(([recipient, state]) => [recipient, new Breaker(state)]));
    this.#stored = new Set(this.#breakers.keys());
  }

  /** Breakers that are not closed, by recipient. */
  get open(): readonly (readonly [recipient: string, state: Exclude<BreakerState, { state: "closed" }>])[] {
    return [...this.#breakers].flatMap(([recipient, { state }]) =>
      state.state === "closed" ? [] : [[recipient, state] as const],
    );
  }

  /** Whether calls of a recipient are let through without a question. */
  isClosed(recipient: string): boolean {
    const breaker = this.#breakers.get(recipient);
    return breaker === undefined || breaker.state.state === "closed";
  }

  /** Asks for a call to be let through. @returns why it is not; `undefined`: it is, and its end has to be reported */
  admit(recipient: string, call: BreakerCall, nowMs: number): BreakerWait | undefined {
    const settings = this.#settings();
    if (!hasBreakers(settings)) {
      this.#forgetAll();
      return undefined;
    }
    this.advanceClock(nowMs);
    const breaker = this.#breakers.get(recipient) ?? this.#watch(recipient);
    const before = breaker.state;
    const { wait, changes } = breaker.admit(call, settings, nowMs);
    this.#note(recipient, changes, breaker.state !== before);
    if (wait !== undefined) return wait;
    const running: RunningCall = { ...call, recipient, dueMs: Number.POSITIVE_INFINITY };
    this.#running.set(call.id, running);
    this.#timeouts.set(running, call.endsMs);
    return undefined;
  }

  /** A call that was let through was not queued after all. */
  withdraw(callId: string, nowMs: number): void {
    const running = this.#running.get(callId);
    if (running === undefined) return;
    this.#forget(running);
    this.#count(running, "neither", nowMs);
  }

  /** A task has ended. Those that are no calls do not count. */
  finished(record: FinishedTask, nowMs: number): void {
    const { taskId: id, recipient, createdMs, deadlineAtMs, caller } = record;
    if (caller === null) return;
    // Those who gave up before come first. A call that ends at the very time is in time.
    this.advanceClock(nowMs - 1);
    const running = this.#running.get(id);
    // Its caller gave up before, which was counted then.
    const isCounted = running?.dueMs === Number.POSITIVE_INFINITY;
    if (running !== undefined) this.#forget(running);
    if (isCounted || !hasBreakers(this.#settings())) return;
    const call = { id, beganMs: createdMs, endsMs: deadlineAtMs ?? Number.POSITIVE_INFINITY, recipient };
    this.#count(call, endOf(record), nowMs);
  }

  /** Counts the time-outs of callers that have passed. */
  advanceClock(nowMs: number): void {
    if (!hasBreakers(this.#settings())) return;
    for (let call = this.#timeouts.takeDue(nowMs); call !== undefined; call = this.#timeouts.takeDue(nowMs))
      this.#count(call, "timeout", call.endsMs);
  }

  /** Returns what has to be stored and emitted, and forgets it. */
  drain(): BreakerChanges {
    if (this.#touched.size === 0) return NO_CHANGES;
    const stored = [...this.#touched].flatMap((recipient): [string, BreakerState | undefined][] => {
      const breaker = this.#breakers.get(recipient);
      if (breaker !== undefined && !breaker.isHealthy) {
        this.#stored.add(recipient);
        return [[recipient, breaker.state]];
      }
      return this.#stored.delete(recipient) ? [[recipient, undefined]] : [];
    });
    const changes = this.#changes;
    this.#touched.clear();
    this.#changes = [];
    return { stored, changes };
  }

  #count(call: BreakerCall & { readonly recipient: string }, end: CallEnd, nowMs: number): void {
    const breaker = this.#breakers.get(call.recipient) ?? this.#watch(call.recipient);
    const before = breaker.state;
    const changes = breaker.ended(call, end, this.#settings(), nowMs);
    this.#note(call.recipient, changes, breaker.state !== before);
  }

  #note(recipient: string, changes: readonly BreakerChange[], changed: boolean): void {
    if (changed) this.#touched.add(recipient);
    for (const change of changes) this.#changes.push({ ...change, recipient });
  }

  #watch(recipient: string): Breaker {
    if (this.#breakers.size >= MAX_RECIPIENTS) this.#forgetOldest();
    const breaker = new Breaker();
    this.#breakers.set(recipient, breaker);
    return breaker;
  }

  /** Callers may make up any number of recipients. One whose breaker is open is kept for as long as there is another. */
  #forgetOldest(): void {
    let [oldest] = this.#breakers.keys();
    for (const [recipient, { state }] of this.#breakers) {
      if (state.state !== "closed") continue;
      oldest = recipient;
      break;
    }
    if (oldest === undefined) return;
    this.#breakers.delete(oldest);
    this.#touched.add(oldest);
  }

  #forget(call: RunningCall): void {
    this.#running.delete(call.id);
    // Its setting stays behind as a tombstone.
    if (call.dueMs !== Number.POSITIVE_INFINITY) this.#timeouts.set(call, Number.POSITIVE_INFINITY);
  }

  /** The breakers were switched off. */
  #forgetAll(): void {
    for (const recipient of this.#stored) this.#touched.add(recipient);
    this.#breakers.clear();
  }
}

/**
 * What the end of a call says about its recipient. A late one was counted when its caller gave up; one that began before a
 * restart is counted now, because nobody knows.
 */
function endOf({ outcome, attempt, maxAttempts, finishedMs, deadlineAtMs }: FinishedTask): CallEnd {
  const late = deadlineAtMs !== null && finishedMs > deadlineAtMs;
  switch (outcome) {
    case "complete":
      return late ? "timeout" : "answered";
    case "failed":
      if (late) return "timeout";
      // A responder that refuses a call for good, with attempts left, is there: the call is wrong, and others are not.
      return attempt < maxAttempts ? "answered" : "error";
    case "expired":
      return attempt > 0 ? "error" : "no_listener";
    default:
      return "neither";
  }
}
