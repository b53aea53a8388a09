import { HTTPException } from "hono/http-exception";
import type { FieldError } from "../../../core/problem/field-error.ts";
import { PROBLEM_TYPE, type Problem, problem } from "../../../core/problem/problem.ts";

/** Errors told in one answer: enough to mend a batch, little enough not to be a way of making large answers. */
const MAX_ERRORS = 100;

/** Ends a request with a problem. Thrown by handlers, turned into an answer in one place ({@link answerError}). */
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
  new Refusal(
    problem(kind, 422, title, describe(errors), {
      errors: errors.slice(0, MAX_ERRORS),
      ...(errors.length > MAX_ERRORS ? { errors_left_out: errors.length - MAX_ERRORS } : {}),
    }),
  );

export const notFound = (detail: string) =>
  new Refusal(problem("not-found", 404, "There is no such thing here", detail));

/** @param retryAfterMs - in milliseconds; the header counts whole seconds, at least one */
export const overloaded = (detail: string, retryAfterMs: number) =>
  new Refusal(problem("overloaded", 503, "Too much at once", detail, { retry_after_ms: retryAfterMs }), {
    "Retry-After": String(Math.max(1, Math.ceil(retryAfterMs / 1000))),
  });

export const upgradeRequired = (what: string) =>
  new Refusal(
    problem(
      "upgrade-required",
      426,
      "This is a WebSocket",
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

/** Turns whatever ended a request into problem+json. */
export function answerError(error: unknown): Response {
  if (error instanceof Refusal) return problemResponse(error.problem, error.headers);
  if (error instanceof HTTPException) {
    return problemResponse(problem("refused", error.status, "The request was refused", error.message || undefined));
  }
  if (isPassing(error)) {
    return answerError(
      overloaded("The ecosystem's storage did not answer just now; nothing is known to be lost. Try again.", 1000),
    );
  }
  // Only our own mistakes come this far. What was thrown may quote the request: it goes to the log, not to the caller.
  console.error("unexpected error", error);
  return problemResponse(
    problem("internal", 500, "Ganglion made a mistake", "It has been logged. Try again, or report it."),
  );
}

/** An object that restarts, moves or has too many requests waiting says so on the error: trying again is right. */
function isPassing(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { retryable, overloaded } = error as { retryable?: unknown; overloaded?: unknown };
  return retryable === true || overloaded === true;
}

export function problemResponse(body: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), {
    status: body.status,
    headers: { "Content-Type": PROBLEM_TYPE, "Cache-Control": "no-store", ...headers },
  });
}
