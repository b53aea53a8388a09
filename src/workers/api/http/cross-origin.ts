import type { Context, MiddlewareHandler, Next } from "hono";
import type { ApiEnv } from "./api-env.ts";

/** What browsers keep an answer about a call for, in seconds; they cap it themselves. */
const MAX_AGE_S = 7_200;
const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
/** Headers of requests that the API reads. */
const REQUEST_HEADERS =
  "Authorization, Content-Type, Content-Encoding, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID";
/** Headers of answers that a page may read beside the few that every page may. */
const RESPONSE_HEADERS =
  "Accept, Accept-Encoding, Allow, ETag, Idempotency-Replayed, Link, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate";

/**
 * Lets pages of the origins in `CORS_ORIGINS` call the API from browsers. Without that setting browsers keep the pages of
 * other origins away. Credentials are never allowed: the cookie of a session counts for the dashboard's own pages alone.
 */
export const crossOrigin: MiddlewareHandler<ApiEnv> = (c, next) => {
  const origin = c.req.header("origin");
  const allowed = origin === undefined ? undefined : allowedOrigin(c.env.CORS_ORIGINS, origin);
  return allowed === undefined ? next() : answerAllowed(c, allowed, next);
};

/** @param allowed - the value of `Access-Control-Allow-Origin` */
async function answerAllowed(c: Context<ApiEnv>, allowed: string, next: Next): Promise<Response | undefined> {
  if (c.req.method === "OPTIONS" && c.req.header("access-control-request-method") !== undefined) {
    return c.body(null, 204, {
      ...originHeaders(allowed),
      "Access-Control-Allow-Methods": METHODS,
      "Access-Control-Allow-Headers": REQUEST_HEADERS,
      "Access-Control-Max-Age": String(MAX_AGE_S),
    });
  }
  await next();
  // An upgraded connection has no headers to add to, and browsers do not ask for them.
  if (c.res.status === 101) return undefined;
  for (const [name, value] of Object.entries(originHeaders(allowed))) c.header(name, value);
  c.header("Access-Control-Expose-Headers", RESPONSE_HEADERS);
  return undefined;
}

/** The value of `Access-Control-Allow-Origin` for a page of `origin`; undefined where the page may not call. */
export function allowedOrigin(setting: string | undefined, origin: string): string | undefined {
  const allowed = (setting ?? "").split(",").map((text) => text.trim().replace(/\/$/, "").toLowerCase());
  if (allowed.includes("*")) return "*";
  return allowed.includes(origin.toLowerCase()) ? origin : undefined;
}

/** An answer for one origin must not be taken from a cache for another. */
function originHeaders(allowed: string): Record<string, string> {
  return { "Access-Control-Allow-Origin": allowed, ...(allowed === "*" ? {} : { Vary: "Origin" }) };
}
