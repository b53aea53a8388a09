import { AnalysisAnswer, FailedAnswer, PatternsAnswer } from "../../core/intelligence/answer.ts";
import { CALL_TYPES } from "../../core/intelligence/call-types.ts";
import { readAnswer, writeEvent } from "../../core/intelligence/envelope.ts";
import { readErrorCode } from "../../core/intelligence/error-codes.ts";
import type { RequestOptions } from "../../core/intelligence/request.ts";
import type { CallReply } from "../../core/queue/api.ts";
import { backoffMs, pause } from "../http/retry.ts";
import type { CallOptions } from "../queue.ts";
import { Breaker, type BreakerOptions } from "./breaker.ts";
import { errorOfCall, isBreakerOpen, isTransient } from "./call-errors.ts";
import { IntelligenceClosed, IntelligenceFailed, IntelligenceTimeout, IntelligenceUnavailable } from "./errors.ts";

/** What makes the calls: `openCaller` over one channel, or the calls of a client over HTTP. */
export interface CallResponders {
  call(recipient: string, type: string, payload: unknown, options: CallOptions): Promise<CallReply>;
  /** Ends the connection. */
  close(): void;
}

export interface IntelligenceClientOptions {
  readonly calls: CallResponders;
  /** Name of the signal of a request; it is the type of the calls. */
  readonly topic: string;
  readonly service?: string;
  /** Whether remarks name the correlation id of their request; default true. */
  readonly correlationTracking?: boolean;
  readonly discoveryTimeoutMs?: number;
  readonly analysisTimeoutMs?: number;
  readonly breaker?: Omit<BreakerOptions, "now">;
  /** In milliseconds; default that of the system. */
  readonly now?: () => number;
  /** Receives messages for a log. */
  readonly onRemark?: (text: string) => void;
  /** Called with each answer to another request, which no asker gets: a metric that must stay 0. */
  readonly onMismatch?: () => void;
}

export interface AskOptions {
  readonly timeoutMs?: number | undefined;
  readonly correlationId?: string | undefined;
  readonly options?: Partial<RequestOptions> | undefined;
}

/** What happened so far. */
export interface IntelligenceCounts {
  requests: number;
  retries: number;
  timeouts: number;
  /** Answers that came after their asker had gone. */
  late: number;
  /** Answers to another request: none has ever reached an asker. */
  mismatches: number;
  unknown: number;
}

const HEALTH_MS = 2_000;
/** A success within this time says that somebody is there. */
const FRESH_MS = 30_000;
const MAX_DELAY_MS = 1_000;

/**
 * Asks whichever host has code. Requests go as calls, each under an id of its own; an answer is given to the asker of its
 * correlation id alone.
 */
export class IntelligenceClient {
  readonly #options: IntelligenceClientOptions;
  readonly #breaker: Breaker;
  readonly #closing = new AbortController();
  readonly #now: () => number;
  #healthyMs: number | undefined;
  readonly counts: IntelligenceCounts = { requests: 0, retries: 0, timeouts: 0, late: 0, mismatches: 0, unknown: 0 };

  constructor(options: IntelligenceClientOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#breaker = new Breaker({ ...options.breaker, now: this.#now });
  }

  /**
   * Looks for patterns.
   *
   * @throws IntelligenceTimeout, IntelligenceFailed, IntelligenceUnavailable, IntelligenceClosed
   */
  async discover(sourcePath: string, language: string | undefined, ask: AskOptions = {}): Promise<PatternsAnswer> {
    const payload = { source_path: sourcePath, language, operation_type: "PATTERN_EXTRACTION", options: ask.options };
    const answer = await this.#ask(
      payload,
      ask.timeoutMs ?? this.#options.discoveryTimeoutMs ?? 5_000,
      ask.correlationId,
    );
    const read = PatternsAnswer.safeParse(answer);
    if (read.success) return read.data;
    throw new IntelligenceUnavailable("unreadable_answer", "the answer is none to a request for patterns");
  }

  /** Analyses code: `content`, or the file `sourcePath` below a code root. @throws as {@link discover} */
  async analyse(
    sourcePath: string,
    content: string | undefined,
    language: string | undefined,
    ask: AskOptions & { readonly operation?: string | undefined } = {},
  ): Promise<AnalysisAnswer> {
    const operation_type = ask.operation ?? "COMPREHENSIVE_ANALYSIS";
    const payload = { source_path: sourcePath, content, language, operation_type, options: ask.options };
    const answer = await this.#ask(
      payload,
      ask.timeoutMs ?? this.#options.analysisTimeoutMs ?? 10_000,
      ask.correlationId,
    );
    const read = AnalysisAnswer.safeParse(answer);
    if (read.success) return read.data;
    throw new IntelligenceUnavailable("unreadable_answer", "the answer is none to a request for an analysis");
  }

  /** Whether the edge is there and somebody who could answer is connected. */
  async healthCheck(): Promise<boolean> {
    try {
      await this.#probe();
      return true;
    } catch (error) {
      if (error instanceof IntelligenceClosed) throw error;
      return false;
    }
  }

  /** Ends the connection. Requests that have no answer yet fail with {@link IntelligenceClosed}. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new IntelligenceClosed());
    this.#options.calls.close();
  }

  async #probe(): Promise<void> {
    this.#mustBeOpen();
    try {
      await this.#race(
        this.#options.calls.call("*", CALL_TYPES.health, null, { timeoutMs: HEALTH_MS, requireResponder: true }),
        HEALTH_MS,
      );
      this.#healthyMs = this.#now();
      this.#breaker.succeeded();
    } catch (error) {
      throw errorOfCall(error);
    }
  }

  async #ask(
    payload: Readonly<Record<string, unknown>>,
    timeoutMs: number,
    givenId: string | undefined,
  ): Promise<unknown> {
    this.#mustBeOpen();
    this.counts.requests += 1;
    if (!this.#breaker.admits())
      throw new IntelligenceUnavailable("breaker_open", "nobody answered lately: nobody is asked for a moment");
    const endMs = this.#now() + timeoutMs;
    const correlationId = givenId ?? crypto.randomUUID();
    try {
      // Whoever waits 5 s for somebody who is not there could have gone on at once.
      if (this.#healthyMs === undefined || this.#now() - this.#healthyMs > FRESH_MS) await this.#probe();
      const answer = await this.#withRetries(payload, correlationId, endMs);
      this.#breaker.succeeded();
      this.#healthyMs = this.#now();
      return answer;
    } catch (error) {
      // A request that was refused says that somebody is there.
      if (error instanceof IntelligenceFailed && !error.retryAllowed) this.#breaker.succeeded();
      // The edge says no at once, and knows when to try.
      else if (!(error instanceof IntelligenceClosed) && !isBreakerOpen(error)) {
        this.#breaker.failed();
        this.#healthyMs = undefined;
      }
      if (error instanceof IntelligenceTimeout) this.counts.timeouts += 1;
      throw error;
    }
  }

  async #withRetries(
    payload: Readonly<Record<string, unknown>>,
    correlationId: string,
    endMs: number,
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(payload, correlationId, attempt, endMs - this.#now());
      } catch (error) {
        const leftMs = endMs - this.#now();
        if (!isTransient(error) || leftMs <= 0) throw error;
        this.counts.retries += 1;
        await pause(Math.min(backoffMs(attempt, MAX_DELAY_MS), leftMs), this.#closing.signal);
        this.#mustBeOpen();
        if (endMs - this.#now() <= 0) throw error;
      }
    }
  }

  async #once(
    payload: Readonly<Record<string, unknown>>,
    correlationId: string,
    attempt: number,
    leftMs: number,
  ): Promise<unknown> {
    const { calls, topic, service = "ganglion-client", onRemark } = this.#options;
    const timeoutMs = Math.max(1, Math.ceil(leftMs));
    const event = writeEvent(
      "requested",
      { correlationId, payload },
      { eventId: crypto.randomUUID(), service, instanceId: service, nowMs: this.#now() },
    );
    // The queue answers a call that it knows by the stored result: an attempt is a call of its own.
    const callId = `${correlationId}.${attempt}.${event.event_id.slice(0, 8)}`;
    const sent = calls.call("*", topic, event, { timeoutMs, correlationId: callId, requireResponder: true });
    const reply = await this.#race(sent, timeoutMs).catch((error: unknown) => {
      throw errorOfCall(error);
    });
    // A fallback of the queue answers no request of its own.
    if (reply.source !== undefined)
      throw new IntelligenceUnavailable("breaker_open", `the breaker is open, and ${reply.source} stands in`);
    const answer = readAnswer(reply.result);
    const about = this.#options.correlationTracking === false ? "" : ` (request ${correlationId})`;
    if (answer.kind === "unreadable") throw new IntelligenceUnavailable("unreadable_answer", answer.message);
    if (answer.kind === "unknown") {
      this.counts.unknown += 1;
      onRemark?.(`an answer has the unknown type ${JSON.stringify(answer.type)}${about}`);
      throw new IntelligenceUnavailable(
        "unknown_event_type",
        `the answer has the unknown type ${JSON.stringify(answer.type)}`,
      );
    }
    if (answer.correlationId !== correlationId) {
      this.counts.mismatches += 1;
      this.#options.onMismatch?.();
      onRemark?.(`an answer belongs to another request, and is not given out${about}`);
      throw new IntelligenceUnavailable("correlation_mismatch", "the answer belongs to another request");
    }
    if (answer.kind === "completed") return answer.payload;
    const failed = FailedAnswer.safeParse(answer.payload);
    if (!failed.success)
      throw new IntelligenceUnavailable("unreadable_answer", "the answer says of no failure what it is");
    const { error_code, error_message, retry_allowed, suggested_action } = failed.data;
    throw new IntelligenceFailed(readErrorCode(error_code), error_message, retry_allowed, suggested_action ?? null);
  }

  /** Ends the wait after its time, or when the client is closed; an answer that comes later is counted and dropped. */
  #race(sent: Promise<CallReply>, timeoutMs: number): Promise<CallReply> {
    const { signal } = this.#closing;
    return new Promise((resolve, reject) => {
      let waiting = true;
      const end = (settle: () => void) => {
        if (!waiting) return;
        waiting = false;
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        settle();
      };
      const abort = () => end(() => reject(signal.reason));
      const timer = setTimeout(
        () => end(() => reject(new IntelligenceTimeout(`no answer within ${timeoutMs} ms`))),
        timeoutMs,
      );
      // It may have been closed while the health was asked.
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
      sent.then(
        (reply) => {
          if (!waiting) this.counts.late += 1;
          end(() => resolve(reply));
        },
        (error: unknown) => end(() => reject(error)),
      );
    });
  }

  #mustBeOpen(): void {
    if (this.#closing.signal.aborted) throw new IntelligenceClosed();
  }
}
