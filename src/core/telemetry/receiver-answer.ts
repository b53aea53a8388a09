import { isJsonObject } from "../json/is-json-object.ts";

/** How one request ended. */
export type ReceiverAnswer =
  | { readonly status: number; readonly retryAfter: string | null; readonly body: string }
  /** There was no response: the connection was refused or broke off, or the time limit passed. */
  | { readonly error: string };

export type RequestOutcome =
  /** @see https://opentelemetry.io/docs/specs/otlp/#partial-success-1 */
  | { readonly kind: "taken"; readonly rejected: number; readonly message: string | undefined }
  /** The same request may be taken later. `certain`: not because of what is in it. */
  | {
      readonly kind: "later";
      readonly error: string;
      readonly retryAfterMs: number | undefined;
      readonly certain: boolean;
    }
  /** The request holds too much. */
  | { readonly kind: "too_large"; readonly error: string }
  /** The same request would be refused again. */
  | { readonly kind: "refused"; readonly error: string };

const SECOND_MS = 1_000;
/** Longest wait that a receiver may ask for. */
const MAX_RETRY_AFTER_MS = 3_600_000;
/** Requests that these answer are to be sent again. @see https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** @param nowMs - milliseconds since the epoch, against which a `Retry-After` date is read */
export function outcomeOf(answer: ReceiverAnswer, nowMs: number): RequestOutcome {
  if ("error" in answer) return { kind: "later", error: answer.error, retryAfterMs: undefined, certain: true };
  const { status, retryAfter, body } = answer;
  if (status >= 200 && status < 300) return takenOf(body);
  const error = `the receiver answered ${status}${status >= 300 && status < 400 ? ", a redirect, which is not followed" : ""}`;
  if (status === 413) return { kind: "too_large", error };
  if (status === 400 || status === 422) return { kind: "refused", error };
  // 5xx that are not temporary may be the fault of one request. Keys, addresses and redirects are put right by somebody.
  const certain = RETRYABLE.has(status) || status < 500;
  return { kind: "later", error, retryAfterMs: readRetryAfter(retryAfter, nowMs), certain };
}

function takenOf(body: string): RequestOutcome {
  const partial = partialSuccessOf(body);
  const rejected = Number(partial?.rejectedSpans ?? 0);
  const message = partial?.errorMessage;
  return {
    kind: "taken",
    rejected: Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0,
    message: typeof message === "string" && message !== "" ? message.slice(0, 500) : undefined,
  };
}

function partialSuccessOf(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    return isJsonObject(answer) && isJsonObject(answer.partialSuccess) ? answer.partialSuccess : undefined;
  } catch {
    // An empty answer, or one in another form: the status alone says that the request was taken.
    return undefined;
  }
}

function readRetryAfter(text: string | null, nowMs: number): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * SECOND_MS : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : undefined;
}
