import type { Context } from "hono";
import { Problem } from "../../../core/problem/problem.ts";
import type { Answering } from "../http/answer-twice.ts";
import type { ApiEnv } from "../http/api-env.ts";

/** A call of the HTTP API that a tool makes in its caller's name. */
export interface EdgeCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the ecosystem, such as `/attention`; see {@link path}. */
  readonly path: string;
  /** A parameter whose value is `undefined` is left out; of a list, each item is a parameter. */
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  readonly body?: unknown;
}

export interface EdgeAnswer {
  readonly status: number;
  /** The JSON object of the body. */
  readonly content: Record<string, unknown>;
  /** The same as it was written. */
  readonly text: string;
}

/** @throws EdgeRefusal where the edge refuses the call */
export type AskEdge = (call: EdgeCall) => Promise<EdgeAnswer>;

/** The edge refused a call that a tool made. */
export class EdgeRefusal extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.title);
    this.problem = problem;
  }
}

/** A path of the API, with its variable parts encoded. */
export const path = (texts: TemplateStringsArray, ...parts: readonly string[]): string =>
  texts.map((text, place) => `${text}${place < parts.length ? encodeURIComponent(parts[place] ?? "") : ""}`).join("");

/** What of the caller's request says who calls, and from where. */
const CALLER_HEADERS = ["authorization", "host", "cf-connecting-ip", "traceparent"];

/**
 * Calls of the API inside of the request `c`, by the same routes as any other: the caller's token, scopes, bindings, quotas
 * and the audit hold. They cost no request of their own.
 *
 * @param trace - traceparent of what they do, in place of the caller's
 */
export function edgeOf(c: Context<ApiEnv>, answering: Answering, trace?: string): AskEdge {
  const base = new URL(c.req.url).origin;
  const headers = CALLER_HEADERS.flatMap((name): [string, string][] => {
    const value = c.req.header(name);
    return value === undefined ? [] : [[name, value]];
  });
  const traced = headers.filter(([name]) => trace === undefined || name !== "traceparent");
  if (trace !== undefined) traced.push(["traceparent", trace]);
  const ecosystem = c.req.param("eco") ?? "";
  // One key is one call: the second that a tool makes would be another request under the same key.
  let key = c.req.header("idempotency-key");
  return async ({ method, path, query = {}, body }) => {
    const own = new Headers(traced);
    const carries = method === "POST" || method === "PUT";
    if (carries) own.set("content-type", "application/json");
    if (method === "POST") {
      if (key !== undefined) own.set("idempotency-key", key);
      key = undefined;
    }
    const url = `${base}/v1/${ecosystem}${path}${searchOf(query)}`;
    const request = new Request(url, { method, headers: own, body: carries ? JSON.stringify(body) : null });
    return readAnswer(await answering(request, c.env, c.executionCtx));
  };
}

function searchOf(query: NonNullable<EdgeCall["query"]>): string {
  const parameters = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    [value ?? []].flat().map((item) => [name, String(item)]),
  );
  return parameters.length === 0 ? "" : `?${new URLSearchParams(parameters)}`;
}

async function readAnswer(answer: Response): Promise<EdgeAnswer> {
  const text = await answer.text();
  // What was deleted is answered without a body.
  if (text === "") return { status: answer.status, content: {}, text: "{}" };
  const content: unknown = JSON.parse(text);
  if (answer.status < 400) return { status: answer.status, content: objectOf(content), text };
  const wait = answer.headers.get("retry-after");
  throw new EdgeRefusal(Problem.parse(wait === null ? content : { retry_after_s: Number(wait), ...objectOf(content) }));
}

function objectOf(content: unknown): Record<string, unknown> {
  if (typeof content !== "object" || content === null || Array.isArray(content))
    throw new Error("an answer of the API is no object");
  return content as Record<string, unknown>;
}
