import type { Problem } from "../../core/problem/problem.ts";

/** The edge refused the call with a problem document. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly problem: Problem;
  /** The wait that the edge asks for (`Retry-After`), in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs?: number) {
    super(problem.detail === undefined ? problem.title : `${problem.title}: ${problem.detail}`);
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
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

/** Reads a refusal. Proxies answer with pages of their own: any other body is turned into a problem document. */
export function problemFrom(status: number, text: string, retryAfter: string | null | undefined): ApiProblem {
  const problem = parseProblem(text) ?? { type: "about:blank", title: `The edge answered ${status}`, status };
  const { retry_after_ms: exact } = problem;
  // The header counts whole seconds; the body may have milliseconds.
  const ms = typeof exact === "number" ? exact : Number(retryAfter ?? Number.NaN) * 1000;
  return new ApiProblem(problem, Number.isFinite(ms) && ms >= 0 ? ms : undefined);
}

function parseProblem(text: string): Problem | undefined {
  try {
    const body: unknown = JSON.parse(text);
    const found = body as Partial<Problem> | null;
    return typeof found?.title === "string" && typeof found.status === "number" ? (found as Problem) : undefined;
  } catch {
    return undefined;
  }
}

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
