import type { ConnectionError } from "../../core/intelligence/asker-metrics.ts";
import type { FallbackReason } from "../../core/intelligence/context.ts";
import { type ErrorCode, isRetryAllowed } from "../../core/intelligence/error-codes.ts";

/** No answer came within the limit. */
export class IntelligenceTimeout extends Error {
  override readonly name = "IntelligenceTimeout";
}

/** A responder answered that the request failed. */
export class IntelligenceFailed extends Error {
  override readonly name = "IntelligenceFailed";
  readonly error_code: ErrorCode;
  readonly retryAllowed: boolean;
  readonly suggestedAction: string | null;

  constructor(
    code: ErrorCode,
    message: string,
    retryAllowed = isRetryAllowed(code),
    suggestedAction: string | null = null,
  ) {
    super(suggestedAction === null ? message : `${message}. ${suggestedAction}`);
    this.error_code = code;
    this.retryAllowed = retryAllowed;
    this.suggestedAction = suggestedAction;
  }
}

/** Nobody could be asked, or nobody answered in a form that can be read. */
export class IntelligenceUnavailable extends Error {
  override readonly name = "IntelligenceUnavailable";
  readonly reason: FallbackReason;
  /** Whether the same request may succeed in a moment. */
  readonly transient: boolean;
  /** Where the edge could not be reached: how that failed. */
  readonly connectionError: ConnectionError | undefined;

  constructor(
    reason: FallbackReason,
    message: string,
    transient = false,
    options: ErrorOptions & { readonly connectionError?: ConnectionError } = {},
  ) {
    super(message, options);
    this.reason = reason;
    this.transient = transient;
    this.connectionError = options.connectionError;
  }
}

/** The client is not open any more. */
export class IntelligenceClosed extends Error {
  override readonly name = "IntelligenceClosed";

  constructor() {
    super("the intelligence client was closed: open a new one");
  }
}

/** Why an asker falls back, by the error that it met. */
export function fallbackReasonOf(error: unknown): FallbackReason {
  if (error instanceof IntelligenceUnavailable) return error.reason;
  if (error instanceof IntelligenceTimeout) return "timeout";
  if (error instanceof IntelligenceFailed) return "failed_answer";
  return error instanceof IntelligenceClosed ? "no_client" : "connection_failed";
}
