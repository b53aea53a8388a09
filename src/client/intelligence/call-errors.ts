import { ApiProblem, EdgeUnreachable } from "../http/problem-errors.ts";
import { IntelligenceFailed, IntelligenceTimeout, IntelligenceUnavailable } from "./errors.ts";

/** What a failed call means for whoever asks about code. */
export function errorOfCall(error: unknown): unknown {
  if (error instanceof EdgeUnreachable)
    return new IntelligenceUnavailable("connection_failed", error.message, true, { cause: error });
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
        {
          cause: error,
        },
      );
  }
}

export const isBreakerOpen = (error: unknown) =>
  error instanceof IntelligenceUnavailable && error.reason === "breaker_open";

export function isTransient(error: unknown): boolean {
  if (error instanceof IntelligenceFailed) return error.retryAllowed;
  return error instanceof IntelligenceUnavailable && error.transient;
}
