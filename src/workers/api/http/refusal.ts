import { HTTPException } from "hono/http-exception";
import { CHALLENGE, UNAUTHENTICATED } from "../../../core/access/unauthenticated.ts";
import { SettingError } from "../../../core/deployment/placement.ts";
import type { FieldError } from "../../../core/problem/field-error.ts";
import { newerSchemaOf, suspendedText } from "../../../core/problem/object-refusals.ts";
import { platformFailure } from "../../../core/problem/platform-failure.ts";
import { PROBLEM_TYPE, type Problem, problem } from "../../../core/problem/problem.ts";
import { rateLimitHeaders, rateLimitOf } from "../../../core/problem/rate-limit.ts";
import type { Overloaded } from "../../../core/signals/api.ts";
import { logLine } from "../../../durable-objects/shell/log-line.ts";
import { noteDiskTrouble } from "./disk-trouble.ts";

/** Errors in one answer: enough to repair a batch, and too few for a caller to provoke large answers. */
const MAX_ERRORS = 100;

/** Ends a request with a problem. Handlers throw it; {@link answerError} alone turns it into an answer. */
export class Refusal extends Error {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;

  constructor(refused: Problem, headers: Record<string, string> = {}) {
    super(refused.title);
    this.problem = refused;
    this.headers = headers;
  }
}

export const invalid = (kind: string, title: string, errors: readonly FieldError[]) =>
  refused(kind, 422, title, errors);

/** The fields are valid, and the token may not use them. */
export const forbidden = (kind: string, title: string, errors: readonly FieldError[]) =>
  refused(kind, 403, title, errors);

function refused(kind: string, status: number, title: string, errors: readonly FieldError[]): Refusal {
  const leftOut = errors.length - MAX_ERRORS;
  return new Refusal(
    problem(kind, status, title, describe(errors), {
      errors: errors.slice(0, MAX_ERRORS),
      ...(leftOut > 0 ? { errors_left_out: leftOut } : {}),
    }),
  );
}

/**
 * @param detail - names the missing thing and the call that lists those that exist
 * @param near - names that may have been meant
 */
export const notFound = (detail: string, near: readonly string[] = []) =>
  new Refusal(problem("not-found", 404, "Not found", detail, near.length === 0 ? {} : { near }));

/** @param retryAfterMs - in milliseconds; the header has whole seconds, at least one */
export const overloaded = (detail: string, retryAfterMs: number) =>
  new Refusal(problem("overloaded", 503, "Overloaded", detail, { retry_after_ms: retryAfterMs }), {
    "Retry-After": String(Math.max(1, Math.ceil(retryAfterMs / 1000))),
  });

/** A log does not take signals now: it is overloaded, or this sender has sent too much. */
export const refusedNow = ({ problem: own, detail, retry_after_ms }: Overloaded) =>
  own === undefined
    ? overloaded(detail, retry_after_ms)
    : new Refusal(own, { "Retry-After": String(Math.ceil(retry_after_ms / 1000)) });

export const unauthenticated = () => new Refusal(UNAUTHENTICATED, CHALLENGE);

export const upgradeRequired = (what: string) =>
  new Refusal(
    problem(
      "upgrade-required",
      426,
      "WebSocket upgrade required",
      `Open ${what} with a WebSocket client (Upgrade: websocket).`,
    ),
    { Upgrade: "websocket" },
  );

function describe(errors: readonly FieldError[]): string {
  const [first] = errors;
  if (first === undefined) return "";
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return `${first.pointer === "" ? "the body" : first.pointer}: ${first.message}${more}`;
}

/** Requests under which the platform restarted an object. */
const reset = new WeakSet<Request>();

/** Whether the request failed because the platform restarted an object under it: it may work at once. */
export const wasReset = (request: Request) => reset.has(request);

/** Turns the error that ended a request into problem+json. */
export function answerError(error: unknown, request?: Request): Response {
  if (error instanceof Refusal) {
    // What passes names the time after which to come again.
    const passing = error.problem.status === 503 ? { "Retry-After": "1" } : {};
    return problemResponse(error.problem, { ...passing, ...error.headers });
  }
  if (error instanceof HTTPException) {
    return problemResponse(problem("refused", error.status, "The request was refused", error.message || undefined));
  }
  const newer = newerSchemaOf(error);
  if (newer !== undefined) {
    logLine("error", "newer-schema", { error: newer });
    const title = "The stored state belongs to a later release";
    return answerError(new Refusal(problem("newer-schema", 503, title, newer), { "Retry-After": "60" }));
  }
  if (error instanceof SettingError) {
    return answerError(new Refusal(problem("misconfigured", 503, "The edge is set up wrongly", error.message)));
  }
  const suspended = suspendedText(error);
  if (suspended !== undefined) {
    const title = "The ecosystem is suspended";
    return answerError(new Refusal(problem("suspended", 503, title, suspended), { "Retry-After": "5" }));
  }
  const failure = failureBelow(error);
  if (failure !== undefined) {
    logLine("error", "failed-below-objects", { problem: failure.problem.type, detail: failure.problem.detail, error });
    return answerError(failure);
  }
  const passing = platformFailure(error);
  if (passing !== undefined) {
    const { kind, title, detail, retryAfterMs } = passing;
    if (passing.repeatAtOnce && request !== undefined) reset.add(request);
    return answerError(
      new Refusal(problem(kind, 503, title, detail, { retry_after_ms: retryAfterMs }), {
        "Retry-After": String(Math.ceil(retryAfterMs / 1_000)),
      }),
    );
  }
  // Only bugs come this far. The error may quote the request, so it goes to the log and not to the caller.
  logLine("error", "unexpected-error", { error });
  return problemResponse(
    problem("internal", 500, "Internal error", "The error has been logged. Try again, or report it."),
  );
}

/**
 * What failed is below the objects, and not they: their disk, or the runtime. An object learns of a full disk in the midst
 * of a statement, or when the runtime writes the transaction down and resets the object; nothing of the transaction is kept.
 * Where the runtime cannot even open an object it reports an error of its own, whose reason is in its log alone.
 *
 * @returns `undefined` for any other error
 */
function failureBelow(error: unknown): Refusal | undefined {
  const message = error instanceof Error ? error.message : "";
  const failed = (kind: string, title: string, detail: string) =>
    new Refusal(problem(kind, 503, title, detail, { retry_after_ms: 1000 }));
  const ofDisk = (kind: string, title: string, detail: string) => {
    noteDiskTrouble(detail, Date.now());
    return failed(kind, title, detail);
  };
  if (/\bSQLITE_FULL\b/.test(message))
    return ofDisk(
      "disk-full",
      "The disk is full",
      "The edge has no space to store this. Free space on its disk, and try again.",
    );
  if (/\bSQLITE_IOERR/.test(message))
    return ofDisk(
      "disk-failed",
      "The disk failed",
      "The edge cannot read or write its disk. Repair the disk, and try again.",
    );
  if (/^internal error(; reference = \w+)?$/.test(message))
    return failed(
      "runtime-failed",
      "The runtime failed",
      `The log of the edge has the reason, such as a full disk (${message}). Try again.`,
    );
  return undefined;
}

export function problemResponse(body: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  const limit = rateLimitOf(body);
  return new Response(JSON.stringify(body), {
    status: body.status,
    headers: {
      "Content-Type": PROBLEM_TYPE,
      "Cache-Control": "no-store",
      ...(limit === undefined ? {} : rateLimitHeaders(limit)),
      ...headers,
    },
  });
}
