import { randomUUID } from "node:crypto";
import type { AnalysisAnswer, PatternsAnswer } from "../../src/core/intelligence/answer.ts";
import { type RequestEvent, type WrittenEvent, writeEvent } from "../../src/core/intelligence/envelope.ts";
import { isRetryAllowed } from "../../src/core/intelligence/error-codes.ts";
import type { HostAnswer } from "./answer-request.ts";
import { RequestFailed } from "./request-failed.ts";

/** Who answers what. */
export interface AnswerHead {
  readonly request: Omit<RequestEvent, "payload">;
  /** Where the request names no correlation id: the id of its call or signal. */
  readonly fallbackId: string;
  readonly host: string;
  readonly nowMs: number;
}

export function completedEvent(answer: HostAnswer, head: AnswerHead): WrittenEvent {
  return event("completed", { ...answer, host: head.host }, head);
}

export interface FailedRequest {
  readonly operation: string;
  readonly sourcePath: string;
  /** Attempts before this one. */
  readonly retries: number;
  readonly processingMs: number;
}

export function failedEvent(error: unknown, failed: FailedRequest, head: AnswerHead): WrittenEvent {
  const known =
    error instanceof RequestFailed ? error : new RequestFailed("INTERNAL_ERROR", "the responder failed", "Try again.");
  const { code, message, action, place } = known;
  return event(
    "failed",
    {
      operation_type: failed.operation,
      source_path: failed.sourcePath,
      error_message: message,
      error_code: code,
      retry_allowed: isRetryAllowed(code),
      retry_count: failed.retries,
      processing_time_ms: failed.processingMs,
      // No stack trace: it would name paths outside of the roots.
      error_details: {
        exception_type: error instanceof Error ? error.name : "Error",
        line_number: place?.line ?? null,
        column: place?.column ?? null,
      },
      suggested_action: action,
      host: head.host,
    },
    head,
  );
}

function event(
  name: "completed" | "failed",
  payload: Readonly<Record<string, unknown>>,
  head: AnswerHead,
): WrittenEvent {
  const { request, fallbackId, host, nowMs } = head;
  const { correlationId = fallbackId, eventId: causationId, spelling } = request;
  return writeEvent(
    name,
    { correlationId, causationId, spelling, payload },
    { eventId: randomUUID(), service: "ganglion-intelligence", instanceId: host, nowMs },
  );
}

/** The event without its lists: what the log holds about a call, whose caller has the whole answer. */
export function summaryEvent(whole: WrittenEvent): WrittenEvent {
  const { patterns, issues, recommendations, ...payload }: Partial<PatternsAnswer & AnalysisAnswer> = whole.payload;
  return { ...whole, payload: { ...payload, answered_call: true } };
}
