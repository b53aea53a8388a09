import type * as z from "zod";
import type { FieldError } from "../../core/problem/field-error.ts";
import type { Problem } from "../../core/problem/problem.ts";

/** The edge refused the call with a problem document. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly problem: Problem;
  /** The wait that the edge asks for (`Retry-After`), in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Path of the call that was refused, its parts encoded, where one call was. */
  readonly path: string | undefined;

  constructor(problem: Problem, retryAfterMs?: number, path?: string) {
    super(problem.detail === undefined ? problem.title : `${problem.title}: ${problem.detail}`);
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
    this.path = path;
  }
}

/** No edge answered, or the connection broke. */
export class EdgeUnreachable extends Error {
  override readonly name = "EdgeUnreachable";

  /** @param url - of the edge; the message shows only its origin */
  constructor(url: string, cause: unknown) {
    super(
      `no edge answers at ${new URL(url).origin} (${reasonOf(cause)}); start one on this machine with "npm start", ` +
        "or set GANGLION_URL to where it runs",
      { cause },
    );
  }
}

/** The answer of the edge has another shape than its schema: edge and client are of different versions. */
export class UnreadableAnswer extends Error {
  override readonly name = "UnreadableAnswer";

  /**
   * @param url - of the edge; the message shows only its origin
   * @param call - method and path
   */
  constructor(url: string, call: string, cause: z.core.$ZodError) {
    const [first, ...others] = cause.issues;
    const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
    super(
      `the answer of ${new URL(url).origin} to ${call} has another shape than this client expects: ` +
        `${first === undefined ? "" : describeIssue(first)}${more}; ` +
        "use the client of the version that the edge runs, or check that the URL is that of the edge",
      { cause },
    );
  }
}

/** Names the field and what was expected, never its value: that may be a secret. */
function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return `${path.length === 0 ? "the whole answer" : `/${path.map(String).join("/")}`}: ${message}`;
}

/** Reads a refusal. Proxies answer with pages of their own: any other body is turned into a problem document. */
export function problemFrom(
  status: number,
  text: string,
  retryAfter: string | null | undefined,
  path?: string,
): ApiProblem {
  const problem = parseProblem(text) ?? { type: "about:blank", title: `The edge answered ${status}`, status };
  const { retry_after_ms: exact } = problem;
  // The header counts whole seconds; the body may have milliseconds.
  const ms = typeof exact === "number" ? exact : Number(retryAfter ?? Number.NaN) * 1000;
  return new ApiProblem(problem, Number.isFinite(ms) && ms >= 0 ? ms : undefined, path);
}

function parseProblem(text: string): Problem | undefined {
  try {
    return problemIn(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * The problem that a document tells of, read without a schema: pages of the dashboard carry none. Without a `type` the
 * document means no more than its status (RFC 9457); a member of another form than the RFC's is left out.
 */
function problemIn(document: unknown): Problem | undefined {
  if (!isRecord(document)) return undefined;
  const { type = "about:blank", title, status, detail, errors, ...others } = document;
  if (typeof type !== "string" || typeof title !== "string" || !Number.isSafeInteger(status)) return undefined;
  return {
    ...others,
    type,
    title,
    status: Number(status),
    ...(typeof detail === "string" && { detail }),
    ...(Array.isArray(errors) && errors.every(isFieldError) && { errors }),
  };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isFieldError = (value: unknown): value is FieldError =>
  isRecord(value) && typeof value.pointer === "string" && typeof value.message === "string";

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "no answer";
  if (error.name === "TimeoutError") return "no answer in time";
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (code === "ECONNREFUSED") return "connection refused";
  if (code === "ENOTFOUND") return "no such host";
  if (typeof code === "string") return code;
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return cause === undefined ? error.message || "no answer" : reasonOf(cause);
}
