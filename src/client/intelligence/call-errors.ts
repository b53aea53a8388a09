import type { ConnectionError } from "../../core/intelligence/asker-metrics.ts";
import { ApiProblem, EdgeUnreachable } from "../http/problem-errors.ts";
import { IntelligenceFailed, IntelligenceTimeout, IntelligenceUnavailable } from "./errors.ts";

/** What a failed call means for whoever asks about code. */
export function errorOfCall(error: unknown): unknown {
  if (error instanceof EdgeUnreachable)
    return new IntelligenceUnavailable("connection_failed", error.message, true, {
      cause: error,
      connectionError: connectionErrorOf(error),
    });
  if (!(error instanceof ApiProblem)) return error;
  const { problem, message } = error;
  switch (problem.type) {
    case "/problems/call-timed-out":
      return new IntelligenceTimeout(message);
    case "/problems/no-responder":
      return new IntelligenceUnavailable("no_responder", "no host that has code is connected", false, { cause: error });
    case "/problems/breaker-open":
      return new IntelligenceUnavailable("breaker_open", message, false, { cause: error });
    case "/problems/responder-failed":
      return new IntelligenceUnavailable("failed_answer", message, false, { cause: error });
    default:
      return new IntelligenceUnavailable(
        "connection_failed",
        message,
        problem.status >= 500 || problem.status === 429,
        { cause: error, connectionError: connectionErrorOf(error) },
      );
  }
}

export const isBreakerOpen = (error: unknown) =>
  error instanceof IntelligenceUnavailable && error.reason === "breaker_open";

/** Whether the same request may succeed in a moment. */
export function isTransient(error: unknown): boolean {
  if (error instanceof IntelligenceFailed) return error.retryAllowed;
  return error instanceof IntelligenceUnavailable && error.transient;
}

/** How a call over HTTP failed to reach the edge, or to be let in. */
function connectionErrorOf(error: unknown): ConnectionError {
  if (error instanceof ApiProblem)
    return error.problem.status === 401 || error.problem.status === 403 ? "auth_failed" : "connection_refused";
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause.name === "TimeoutError" || ("code" in cause && TIMEOUTS.includes(String(cause.code)))) return "timeout";
  return "connection_refused";
}

const TIMEOUTS = ["ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT"];
