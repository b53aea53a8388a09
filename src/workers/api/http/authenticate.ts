import type { MiddlewareHandler } from "hono";
import { bindingsOf } from "../../../core/access/bindings.ts";
import { authorise, type Grant } from "../../../core/access/grant.ts";
import type { Scope } from "../../../core/access/scopes.ts";
import { parseToken } from "../../../core/access/token.ts";
import { CHALLENGE, UNAUTHENTICATED } from "../../../core/access/unauthenticated.ts";
import { HOSTS_QUEUE } from "../../../core/hosts/command-queue.ts";
import { problem } from "../../../core/problem/problem.ts";
import { ECOSYSTEM_NAME, ECOSYSTEM_RULE } from "../../../core/signals/signal.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory } from "../../bindings/objects.ts";
import type { ApiEnv } from "./api-env.ts";
import { invalid, Refusal } from "./refusal.ts";

/**
 * This isolate trusts the directory's answer about a token for this long, in milliseconds, so that a request does not
 * cost a second call of an object. A deleted token may go on working here for the same time.
 */
const REMEMBER_MS = 30_000;
const REMEMBER_TOKENS = 1_024;

/** What `ADMIN_TOKEN` may do. */
export const ADMINISTRATOR: Grant = {
  id: "admin",
  name: "ADMIN_TOKEN",
  scopes: ["admin"],
  ecosystems: ["*"],
  expires_at: null,
};

/** Grants by the SHA-256 of the whole token: a dump of this isolate's memory gives no access. */
const remembered = new Map<string, { grant: Grant; untilMs: number }>();

/** Accepts calls whose token has all of `scopes` in the ecosystem of the path. */
export const requires = (...scopes: Scope[]) => authorising(() => scopes, false);

/**
 * Accepts calls about the tasks of the queue in the path. Those of the queue `hosts` are commands for hosts, which need the
 * scope `hosts:command` instead.
 */
export const requiresForTasks = (scope: Scope) =>
  authorising((queue) => [queue === HOSTS_QUEUE ? "hosts:command" : scope], false);

/** As {@link requires}, but asks the directory each time instead of trusting a remembered answer. */
export const requiresAfresh = (...scopes: Scope[]) => authorising(() => scopes, true);

/** @param scopesFor - of the queue in the path, if there is one */
function authorising(
  scopesFor: (queue: string | undefined) => readonly Scope[],
  afresh: boolean,
): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const grant = await authenticate(c.req.header("authorization"), c.env, afresh);
    const ecosystem = c.req.param("eco");
    if (ecosystem !== undefined && !ECOSYSTEM_NAME.test(ecosystem)) {
      throw invalid("invalid-ecosystem", "Invalid name of an ecosystem", [
        { pointer: "/path/eco", message: ECOSYSTEM_RULE },
      ]);
    }
    for (const scope of scopesFor(c.req.param("q"))) check(grant, scope, ecosystem);
    c.set("grant", grant);
    await next();
  };
}

function check(grant: Grant, scope: Scope, ecosystem: string | undefined): void {
  switch (authorise(grant, scope, ecosystem, Date.now())) {
    case "allowed":
      return;
    case "expired":
      throw unauthenticated();
    case "no_scope":
      throw new Refusal(
        problem("no-scope", 403, "The token lacks the scope", `This call needs the scope ${scope}.`, { scope }),
      );
    case "no_ecosystem":
      throw new Refusal(
        problem(
          "no-ecosystem",
          403,
          "The token lacks the ecosystem",
          ecosystem === undefined
            ? "This call needs a token for all ecosystems (*)."
            : `This call needs a token for the ecosystem ${ecosystem}.`,
        ),
      );
  }
}

async function authenticate(header: string | undefined, env: Environment, afresh: boolean): Promise<Grant> {
  const [, token] = /^Bearer +(\S+) *$/i.exec(header ?? "") ?? [];
  // Without ADMIN_TOKEN the deployment is not set up: tokens from an earlier setup are not valid either.
  if (token === undefined || env.ADMIN_TOKEN === undefined || env.ADMIN_TOKEN === "") throw unauthenticated();
  const digest = await sha256(token);
  if (crypto.subtle.timingSafeEqual(digest, await sha256(env.ADMIN_TOKEN))) return ADMINISTRATOR;

  const key = hex(digest);
  const nowMs = Date.now();
  const known = remembered.get(key);
  if (!afresh && known !== undefined && known.untilMs > nowMs) return known.grant;
  remembered.delete(key);
  const parts = parseToken(token);
  const grant = parts === undefined ? null : await directory(env).verify(parts.id, await sha256(parts.secret));
  if (grant === null) throw unauthenticated();
  remember(
    key,
    {
      id: grant.id,
      name: grant.name,
      scopes: grant.scopes,
      ecosystems: grant.ecosystems,
      expires_at: grant.expires_at,
      ...bindingsOf(grant),
    },
    nowMs,
  );
  return grant;
}

function remember(key: string, grant: Grant, nowMs: number): void {
  if (remembered.size >= REMEMBER_TOKENS) {
    // A Map keeps the order of insertion: the first key is the oldest.
    for (const oldest of remembered.keys()) {
      remembered.delete(oldest);
      break;
    }
  }
  remembered.set(key, { grant, untilMs: nowMs + REMEMBER_MS });
}

/** Stops trusting a deleted token in this isolate at once; other isolates follow within {@link REMEMBER_MS}. */
export function forgetToken(id: string): void {
  for (const [key, { grant }] of remembered) if (grant.id === id) remembered.delete(key);
}

export const unauthenticated = () => new Refusal(UNAUTHENTICATED, CHALLENGE);

function sha256(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
