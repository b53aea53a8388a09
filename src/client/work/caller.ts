import { type Problem, problem } from "../../core/problem/problem.ts";
import type { QueueFrame, ReplyFrame } from "../../core/queue/work-frames.ts";
import { createClient } from "../client.ts";
import { ApiProblem, EdgeUnreachable } from "../http/problem-errors.ts";
import { backoffMs } from "../http/retry.ts";
import { uuid7 } from "../http/uuid7.ts";
import type { CallOptions, CallReply } from "../queue.ts";
import { openWorkChannel, type WorkChannel } from "./work-channel.ts";

export interface CallerOptions {
  readonly url: string;
  readonly token: string;
  /** Default `default`. */
  readonly ecosystem?: string;
  /** How the connection fares, for a log. */
  readonly onRemark?: (text: string) => void;
}

/** Asks over a channel of its own. */
export interface Caller {
  /**
   * Asks whoever works for `recipient`. Across lost connections the same call is sent again, and run once.
   *
   * @throws ApiProblem with 504 in time-out, 502 when the responder failed, 503 `no-responder`; the reason of `signal`,
   *   after which the responder is told to stop
   */
  call(recipient: string, type: string, payload: unknown, options?: CallOptions): Promise<CallReply>;
  /** What is still being asked is rejected. */
  close(): void;
}

interface Pending {
  readonly frame: object;
  readonly byHttp: () => Promise<CallReply>;
  readonly end: (outcome: CallReply | Error) => void;
}

const MAX_DELAY_MS = 5_000;
/** A call that was refused because too much was waiting is sent again after this. */
const AGAIN_MS = 500;

/**
 * Opens a channel for calls: a tenth of what a call costs over HTTP, and any number at a time. Where the channel cannot
 * be opened the calls go over HTTP, until it can.
 */
export function openCaller(
  queue: string,
  { url, token, ecosystem = "default", onRemark = () => {} }: CallerOptions,
): Caller {
  const { queues } = createClient({ url, token, ecosystem });
  const pending = new Map<string, Pending>();
  const byHttpNow = new Set<string>();
  let channel: WorkChannel | undefined;
  let closed = false;
  let failures = 0;
  let reconnecting: ReturnType<typeof setTimeout> | undefined;

  function hear(frame: QueueFrame): void {
    failures = 0;
    if (frame.type !== "reply") return;
    const one = pending.get(frame.correlation_id);
    // Answered before, or given up: the call was sent twice, or its reply came late.
    if (one === undefined) return;
    if (frame.problem?.type === "/problems/overloaded") setTimeout(() => channel?.send(one.frame), AGAIN_MS);
    else one.end(outcomeOf(frame));
  }

  async function connect(): Promise<void> {
    try {
      channel = await openWorkChannel({
        url,
        token,
        ecosystem,
        queue,
        worker: undefined,
        onFrame: hear,
        onClose: again,
      });
      if (closed) return channel.close();
      for (const { frame } of pending.values()) channel.send(frame);
    } catch (error) {
      onRemark(
        `the channel could not be opened (${error instanceof Error ? error.message : String(error)}); using HTTP`,
      );
      for (const [id, one] of pending) void overHttp(id, one);
      again();
    }
  }

  /** The same call by its id: should it have got through before, it is not run again. */
  async function overHttp(id: string, { byHttp, end }: Pending): Promise<void> {
    // Each failed connection comes by here: one request a call is enough, and it tries again by itself.
    if (byHttpNow.has(id)) return;
    byHttpNow.add(id);
    try {
      end(await byHttp());
    } catch (error) {
      // Nobody answers either way: the next connection, or the call's own time limit, decides.
      if (!(error instanceof EdgeUnreachable) && pending.has(id)) end(error as Error);
    } finally {
      byHttpNow.delete(id);
    }
  }

  function again(): void {
    channel = undefined;
    if (closed) return;
    failures += 1;
    reconnecting = setTimeout(() => void connect(), backoffMs(failures, MAX_DELAY_MS));
  }

  void connect();
  return {
    call(recipient, type, payload, options = {}) {
      const { timeoutMs = 5_000, requireResponder = false, priority, sender, signal } = options;
      const id = options.correlationId ?? uuid7();
      const frame = {
        ...{ type: "call", correlation_id: id, recipient, task_type: type, payload, priority, sender },
        ...{ timeout_ms: timeoutMs, require_responder: requireResponder },
      };
      return new Promise((resolve, reject) => {
        const end = (outcome: CallReply | Error): void => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", abort);
          pending.delete(id);
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        };
        const late = { correlation_id: id };
        const detail = "A reply that comes yet is kept: ask for the call by its correlation_id.";
        const timer = setTimeout(
          () => end(new ApiProblem(problem("call-timed-out", 504, "No reply in time", detail, late))),
          timeoutMs,
        );
        const abort = (): void => {
          channel?.send({ type: "cancel", correlation_id: id });
          end(signal?.reason as Error);
        };
        if (signal?.aborted === true) return abort();
        signal?.addEventListener("abort", abort, { once: true });
        const byHttp = () => queues.call(queue, recipient, type, payload, { ...options, correlationId: id });
        const one = { frame, byHttp, end };
        pending.set(id, one);
        if (channel !== undefined) channel.send(frame);
        else if (failures > 0) void overHttp(id, one);
      });
    },
    close() {
      closed = true;
      clearTimeout(reconnecting);
      channel?.close();
      for (const { end } of pending.values()) end(new Error("the caller was closed"));
    },
  };
}

function outcomeOf({ correlation_id, result, responder = null, duration_ms = 0, problem: wrong }: ReplyFrame) {
  if (wrong !== undefined) return new ApiProblem(wrong as Problem);
  return { correlation_id, result, responder, duration_ms } satisfies CallReply;
}
