import { type Problem, problem } from "../../core/problem/problem.ts";
import type { CallReply } from "../../core/queue/api.ts";
import type { OutgoingWorkerFrame, QueueFrame, ReplyFrame } from "../../core/queue/work-frames.ts";
import { createClient } from "../client.ts";
import { ApiProblem, EdgeUnreachable } from "../http/problem-errors.ts";
import { backoffMs } from "../http/retry.ts";
import { uuid7 } from "../http/uuid7.ts";
import type { CallOptions } from "../queue.ts";
import { openWorkChannel, type WorkChannel } from "./work-channel.ts";

export interface CallerOptions {
  readonly url: string;
  readonly token: string;
  /** Default `default`. */
  readonly ecosystem?: string;
  /** Receives messages about the connection, for a log. */
  readonly onRemark?: (text: string) => void;
}

/** Makes calls over a channel of its own. */
export interface Caller {
  /**
   * Calls a responder that works for `recipient`. Across lost connections the same call is sent again, and runs once.
   *
   * @throws ApiProblem with 504 when no reply came in time, 502 when the responder failed, 503 `no-responder` or
   *   `breaker-open`; the reason of `signal`, after which the call is cancelled at the responder
   */
  call(recipient: string, type: string, payload: unknown, options?: CallOptions): Promise<CallReply>;
  /** Rejects the calls that have no reply yet. */
  close(): void;
}

/** One who waits. Several may wait under one id: a call that is made again is the same call. */
interface PendingCall {
  readonly frame: OutgoingWorkerFrame;
  readonly callOverHttp: () => Promise<CallReply>;
  readonly settle: (outcome: CallReply | Error) => void;
}

const MAX_DELAY_MS = 5_000;
/** Delay before a call that an overloaded queue refused is sent again. */
const OVERLOADED_DELAY_MS = 500;

/**
 * Opens a channel for any number of simultaneous calls. A call over a channel costs a tenth of a call over HTTP. While
 * the channel cannot be opened, the calls go over HTTP.
 */
export function openCaller(queue: string, options: CallerOptions): Caller {
  return new ChannelCaller(queue, options);
}

/** connecting → open; open → connecting when the channel is lost; any → closed. Pending calls outlive a connection. */
class ChannelCaller implements Caller {
  readonly #queue: string;
  readonly #options: CallerOptions;
  readonly #callOverHttp: ReturnType<typeof createClient>["queues"]["call"];
  /** By correlation id, those who wait, in their order. */
  readonly #pending = new Map<string, Set<PendingCall>>();
  /** Those whose calls are under way over HTTP. */
  readonly #overHttp = new Set<PendingCall>();
  #channel: WorkChannel | undefined;
  #closed = false;
  #failures = 0;
  #reconnectTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(queue: string, options: CallerOptions) {
    this.#queue = queue;
    this.#options = options;
    const { url, token, ecosystem = "default" } = options;
    this.#callOverHttp = createClient({ url, token, ecosystem }).queues.call;
    void this.#connect();
  }

  call(recipient: string, type: string, payload: unknown, options: CallOptions = {}): Promise<CallReply> {
    const { timeoutMs = 5_000, requireResponder = false, priority, sender, signal } = options;
    const id = options.correlationId ?? uuid7();
    const frame: OutgoingWorkerFrame = {
      type: "call",
      correlation_id: id,
      recipient,
      task_type: type,
      payload,
      priority,
      sender,
      timeout_ms: timeoutMs,
      require_responder: requireResponder,
    };
    return new Promise((resolve, reject) => {
      const settle = (outcome: CallReply | Error): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        this.#forget(id, pending);
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      const timer = setTimeout(() => settle(timedOut(id)), timeoutMs);
      const abort = (): void => {
        settle(signal?.reason as Error);
        // Others may still wait for the same call.
        if (!this.#pending.has(id)) this.#channel?.send({ type: "cancel", correlation_id: id });
      };
      const callOverHttp = () =>
        this.#callOverHttp(this.#queue, recipient, type, payload, { ...options, correlationId: id });
      const pending: PendingCall = { frame, callOverHttp, settle };
      if (signal?.aborted === true) return abort();
      signal?.addEventListener("abort", abort, { once: true });
      const waiting = this.#pending.get(id);
      if (waiting === undefined) this.#pending.set(id, new Set([pending]));
      else waiting.add(pending);
      if (this.#channel !== undefined) this.#channel.send(frame);
      else if (this.#failures > 0) void this.#sendOverHttp(pending);
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#reconnectTimer);
    this.#channel?.close();
    for (const { settle } of this.#waiting()) settle(new Error("the caller was closed"));
  }

  async #connect(): Promise<void> {
    const { url, token, ecosystem = "default", onRemark } = this.#options;
    try {
      this.#channel = await openWorkChannel({
        url,
        token,
        ecosystem,
        queue: this.#queue,
        onFrame: (frame) => this.#handle(frame),
        onUnsendable: ({ frame, reason }) => this.#refuseUnsendable(frame, reason),
        onClose: () => this.#reconnectLater(),
      });
      if (this.#closed) return this.#channel.close();
      for (const { frame } of this.#waiting()) this.#channel.send(frame);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      onRemark?.(`the channel could not be opened (${reason}); using HTTP`);
      for (const pending of this.#waiting()) void this.#sendOverHttp(pending);
      this.#reconnectLater();
    }
  }

  #reconnectLater(): void {
    this.#channel = undefined;
    if (this.#closed) return;
    this.#failures += 1;
    this.#reconnectTimer = setTimeout(() => void this.#connect(), backoffMs(this.#failures, MAX_DELAY_MS));
  }

  #handle(frame: QueueFrame): void {
    this.#failures = 0;
    if (frame.type !== "reply") return;
    // A call that has its reply already was sent twice; one that was given up gets its reply late.
    for (const { frame: call, settle } of this.#waiting(frame.correlation_id)) {
      if (frame.problem?.type === "/problems/overloaded") {
        setTimeout(() => this.#channel?.send(call), OVERLOADED_DELAY_MS);
      } else settle(outcomeOf(frame));
    }
  }

  /** A call that can never be sent fails at once, as the queue would refuse it. */
  #refuseUnsendable(frame: OutgoingWorkerFrame, reason: string): void {
    if (frame.type !== "call") return;
    const { correlation_id } = frame;
    const wrong = problem("invalid-call", 422, "The call is invalid", `/payload: the call ${reason}.`, {
      correlation_id,
    });
    for (const pending of this.#waiting(correlation_id))
      if (pending.frame === frame) pending.settle(new ApiProblem(wrong));
  }

  /** Sends the same call over HTTP. The queue runs a call once, even if the call had arrived over the channel. */
  async #sendOverHttp(pending: PendingCall): Promise<void> {
    // Every failed connection gets here, but one request for each who waits is enough: the request retries by itself.
    if (this.#overHttp.has(pending)) return;
    this.#overHttp.add(pending);
    try {
      pending.settle(await pending.callOverHttp());
    } catch (error) {
      // Where no edge answers over HTTP either, the call waits for the next connection, until its time is over.
      if (!(error instanceof EdgeUnreachable)) pending.settle(error as Error);
    } finally {
      this.#overHttp.delete(pending);
    }
  }

  /** @returns a list of its own, because who is answered waits no more */
  #waiting(id?: string): readonly PendingCall[] {
    if (id !== undefined) return [...(this.#pending.get(id) ?? [])];
    return [...this.#pending.values()].flatMap((pending) => [...pending]);
  }

  /** An answer that comes a second time, over HTTP, must not end the wait of whoever has made the call again since. */
  #forget(id: string, pending: PendingCall): void {
    const waiting = this.#pending.get(id);
    waiting?.delete(pending);
    if (waiting?.size === 0) this.#pending.delete(id);
  }
}

function timedOut(correlationId: string): ApiProblem {
  const detail = "A later reply is kept for a day: get the call by its correlation_id.";
  return new ApiProblem(problem("call-timed-out", 504, "No reply in time", detail, { correlation_id: correlationId }));
}

function outcomeOf(frame: ReplyFrame) {
  const { correlation_id, result, responder = null, duration_ms = 0, problem: wrong, source, confidence } = frame;
  if (wrong !== undefined) return new ApiProblem(wrong as Problem);
  const reply = { correlation_id, result, responder, duration_ms };
  return (source === undefined ? reply : { ...reply, source, confidence }) satisfies CallReply;
}
