import type { Context } from "hono";
import type { Caller } from "../../../core/access/grant.ts";
import { isOwnOrigin } from "../../../core/access/own-page.ts";
import { SCOPES } from "../../../core/access/scopes.ts";
import { UNAUTHENTICATED } from "../../../core/access/unauthenticated.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { ApiEnv } from "../http/api-env.ts";
import { tokenInEcosystem } from "../http/authenticate.ts";
import { allowedOrigin } from "../http/cross-origin.ts";
import { Refusal } from "../http/refusal.ts";

/**
 * Who calls the MCP server: a bearer token that is good for the ecosystem. Which tools the token may use is another matter,
 * so no scope is asked for. Sessions of browsers are not taken: their pages have the API itself.
 *
 * @param afresh - asks the directory even about a token that was valid a moment ago
 * @throws Refusal
 */
export async function enter(c: Context<ApiEnv>, afresh = false): Promise<Caller> {
  refuseForeignOrigin(c);
  try {
    return await tokenInEcosystem(c, afresh);
  } catch (error) {
    if (!(error instanceof Refusal) || error.problem.status !== UNAUTHENTICATED.status) throw error;
    throw new Refusal(error.problem, { "WWW-Authenticate": challengeTo(c.req.header("authorization")) });
  }
}

/** A page that has its own name resolve to this machine still says where it came from. */
function refuseForeignOrigin(c: Context<ApiEnv>): void {
  const origin = c.req.header("origin");
  if (origin === undefined || allowedOrigin(c.env.CORS_ORIGINS, origin) !== undefined) return;
  const host = c.req.header("host") ?? new URL(c.req.url).host;
  if (isOwnOrigin({ origin, host })) return;
  const detail =
    "The request comes from a page of another origin. Name the origin in CORS_ORIGINS where it may call the edge.";
  throw new Refusal(problem("foreign-origin", 403, "The request is from a foreign page", detail));
}

/**
 * Names the scopes that a token can have. There is no resource metadata: tokens are made by an administrator, and by no
 * authorization server.
 *
 * @see RFC 6750, section 3: without credentials a challenge says of no error
 */
function challengeTo(authorization: string | undefined): string {
  const scope = `scope="${SCOPES.filter((each) => each !== "admin").join(" ")}"`;
  return `Bearer ${authorization === undefined ? "" : 'error="invalid_token", '}${scope}`;
}
