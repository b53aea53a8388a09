import { OpenAPIHono, type RouteConfig, type z } from "@hono/zod-openapi";
import type { TypedResponse } from "hono";
import type { JSONParsed } from "hono/utils/types";
import type { Scope } from "../../../core/access/scopes.ts";
import { PROBLEM_TYPE } from "../../../core/problem/problem.ts";
import { requires, requiresAfresh } from "../access/authenticate.ts";
import type { ApiEnv } from "./api-env.ts";
import { ProblemSchema } from "./problem-schema.ts";
import { refuseInvalid } from "./query.ts";

/** A part of the API: one resource with its routes. */
export const newApi = () => new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid });

/** The part of a route that says who may call it: enforced and documented in one place. */
export function secured(...scopes: [Scope, ...Scope[]]) {
  return {
    middleware: [requires(...scopes)],
    security: [{ bearer: [] as string[] }],
    "x-scopes": scopes,
  };
}

/**
 * {@link secured}, with the directory asked each time: what is opened stays open, so that it must not begin on the word
 * of a memory that is half a minute old.
 */
export function securedAfresh(...scopes: [Scope, ...Scope[]]) {
  return { ...secured(...scopes), middleware: [requiresAfresh(...scopes)] };
}

export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

type Content = NonNullable<NonNullable<RouteConfig["request"]>["body"]>["content"];
type DocumentSchema = Exclude<Extract<Content[string], { schema?: unknown }>["schema"], z.ZodType | undefined>;

/** A body of JSON as the document shows it. The handler reads and checks it: see body.ts. */
export function jsonBody(schema: DocumentSchema, required = true) {
  return { required, content: { "application/json": { schema } } };
}

const REASONS = {
  400: "The body is not JSON",
  401: "No token, or one that is not valid",
  403: "The token has not the scope or the ecosystem",
  404: "There is no such thing",
  409: "It conflicts with how things stand",
  413: "Too many bytes or signals",
  415: "A body of a kind that is not read here",
  422: "Invalid; `errors` points at what and why",
  426: "This is a WebSocket: upgrade",
  429: "The queue is full; `Retry-After` says when to try again",
  502: "The responder failed",
  503: "Too much at once; `Retry-After` says when to try again",
  504: "No answer in time; the result is kept when it comes",
} as const;
type Reason = keyof typeof REASONS;

interface ProblemResponse {
  description: string;
  content: { [PROBLEM_TYPE]: { schema: typeof ProblemSchema } };
}

/** Every call can be refused so; `more` are the reasons of this one. */
export function problems<const More extends readonly Reason[]>(...more: More) {
  const statuses: readonly Reason[] = [...more, 401, 403, 422, 503];
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: REASONS[status], content: { [PROBLEM_TYPE]: { schema: ProblemSchema } } },
    ]),
  ) as Record<More[number] | 401 | 403 | 422 | 503, ProblemResponse>;
}

/**
 * Answers with JSON that is text already: what the log stores goes out without being parsed and written again.
 * The caller vouches that `text` is a `Body`.
 */
export function jsonText<Body, Status extends 200 = 200>(
  text: string,
): TypedResponse<JSONParsed<Body>, Status, "json"> {
  const response: unknown = new Response(text, { headers: { "Content-Type": "application/json" } });
  return response as TypedResponse<JSONParsed<Body>, Status, "json">;
}
