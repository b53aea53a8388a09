import { OpenAPIHono, type RouteConfig, type z } from "@hono/zod-openapi";
import type { TypedResponse } from "hono";
import type { JSONParsed } from "hono/utils/types";
import type { Scope } from "../../../core/access/scopes.ts";
import { PROBLEM_TYPE } from "../../../core/problem/problem.ts";
import type { ApiEnv } from "./api-env.ts";
import { requires, requiresAfresh, requiresAnyone, requiresAnywhere, requiresForTasks } from "./authenticate.ts";
import { ProblemSchema } from "./problem-schema.ts";
import { refuseInvalid } from "./query.ts";

/** A part of the API: the routes of one resource. A slash at the end of a path means nothing: many clients add one. */
export const newApi = () => new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid, strict: false });

/** The part of a route that says which scopes a caller needs, so that one place enforces and documents them. */
export function secured(...scopes: [Scope, ...Scope[]]) {
  return {
    middleware: [requires(...scopes)],
    security: [{ bearer: [] as string[] }],
    "x-scopes": scopes,
  };
}

/**
 * {@link secured}, for the tasks of a queue. `x-scopes` holds for every queue but `hosts`, whose tasks are commands: there
 * the call needs what `x-scopes-for-commands` says instead.
 */
export function securedForTasks(scope: "tasks:write" | "tasks:read") {
  return {
    ...secured(scope),
    middleware: [requiresForTasks(scope)],
    "x-scopes-for-commands": ["hosts:command"] as Scope[],
  };
}

/**
 * {@link secured}, but asks the directory each time. A socket stays open once it is opened, so it must not be opened for a
 * token that was deleted while a cached answer, up to half a minute old, still accepts it.
 */
export function securedAfresh(...scopes: [Scope, ...Scope[]]) {
  return { ...secured(...scopes), middleware: [requiresAfresh(...scopes)] };
}

/** {@link secured}, for calls about all ecosystems that the token may see. */
export function securedAnywhere(scope: Scope) {
  return { ...secured(scope), middleware: [requiresAnywhere(scope)], "x-anywhere": true };
}

/** {@link secured}, for calls that everybody may make who has a valid token or session. */
export function signedIn() {
  return { middleware: [requiresAnyone], security: [{ bearer: [] as string[] }], "x-anyone": true };
}

/**
 * For calls that a token may make whatever its scopes, if it is good for the ecosystem of the path. The handler itself checks
 * that: see mcp/door.ts.
 */
export function withAnyScope() {
  return { security: [{ bearer: [] as string[] }], "x-any-scope": true };
}

export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

type Content = NonNullable<NonNullable<RouteConfig["request"]>["body"]>["content"];
type DocumentSchema = Exclude<Extract<Content[string], { schema?: unknown }>["schema"], z.ZodType | undefined>;

/** A JSON body as the document shows it. The handler reads and checks the body itself: see body.ts. */
export function jsonBody(schema: DocumentSchema, required = true) {
  return { required, content: { "application/json": { schema } } };
}

const REASONS = {
  400: "The body is not JSON",
  401: "The token is missing or not valid",
  403: "The token lacks the scope or the ecosystem",
  404: "Not found",
  409: "The request conflicts with the current state",
  412: "The note is another one than the header names; `note` is the present one, and null where there is none",
  413: "The body holds too many bytes or items",
  415: "The media type of the body is not supported",
  422: "The request is not valid; `errors` points at each error",
  426: "The path is a WebSocket: upgrade the connection",
  429: "Too many attempts, a full queue, or what is allowed one at a time is running; retry after `Retry-After` seconds",
  502: "The responder failed",
  503: "Overloaded; retry after `Retry-After` seconds",
  504: "No reply in time; a later result is kept with the task",
} as const;
type Reason = keyof typeof REASONS;

interface ProblemResponse {
  description: string;
  content: { [PROBLEM_TYPE]: { schema: typeof ProblemSchema } };
}

/** The refusals that every call may answer, and `more` of this call. */
export function problems<const More extends readonly Reason[]>(...more: More) {
  const statuses: readonly Reason[] = [...more, 401, 403, 422, 429, 503];
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: REASONS[status], content: { [PROBLEM_TYPE]: { schema: ProblemSchema } } },
    ]),
  ) as Record<More[number] | 401 | 403 | 422 | 429 | 503, ProblemResponse>;
}

/**
 * Answers with a JSON text as it is, so that the signals of the log are not parsed and serialised again. The caller must make
 * sure that `text` is a `Body`.
 */
export function jsonText<Body, Status extends 200 | 201 | 202 = 200>(
  text: string,
  headers: Readonly<Record<string, string>> = {},
  status?: Status,
): Response & TypedResponse<JSONParsed<Body>, Status, "json"> {
  const response: unknown = new Response(text, {
    status: status ?? 200,
    headers: { "Content-Type": "application/json", ...headers },
  });
  return response as Response & TypedResponse<JSONParsed<Body>, Status, "json">;
}
