import type { Context, HonoRequest, MiddlewareHandler } from "hono";
import { type Authorisation, admits, authorise, type Caller } from "../../../core/access/grant.ts";
import type { Scope } from "../../../core/access/scopes.ts";
import { HOSTS_QUEUE } from "../../../core/hosts/command-queue.ts";
import { problem } from "../../../core/problem/problem.ts";
import { ECOSYSTEM_NAME, ECOSYSTEM_RULE } from "../../../core/signals/signal.ts";
import type { ApiEnv } from "./api-env.ts";
import { checkSession, refuseForeign, sessionSecret } from "./check-session.ts";
import { checkToken } from "./check-token.ts";
import { enterEcosystem } from "./enter-ecosystem.ts";
import { once } from "./once.ts";
import { invalid, Refusal, unauthenticated } from "./refusal.ts";

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

/** Accepts calls whose token has the scope in some ecosystem: the call itself leaves out what the token may not see. */
export const requiresAnywhere =
  (scope: Scope): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    const grant = await callerOf(c, false);
    check(grant, scope, grant.ecosystems[0]);
    c.set("grant", grant);
    await once(c, grant, next);
  };

/** Accepts calls of whoever has a valid token or session. */
export const requiresAnyone: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const grant = await callerOf(c, false);
  c.set("grant", grant);
  await once(c, grant, next);
};

/** Who calls: a header counts before a cookie, which a browser sends with every request. */
async function callerOf(c: Context<ApiEnv>, afresh: boolean): Promise<Caller> {
  const address = c.req.header("cf-connecting-ip");
  const authorization = c.req.header("authorization");
  const secret = authorization === undefined ? sessionSecret(c.req.raw) : undefined;
  if (secret === undefined) return checkToken(authorization, c.env, address, afresh);
  refuseForeign(c.req.raw);
  return checkSession(secret, c.env, address, afresh);
}

/** @param scopesFor - of the queue in the path, if there is one */
function authorising(
  scopesFor: (queue: string | undefined) => readonly Scope[],
  afresh: boolean,
): MiddlewareHandler<ApiEnv> {
  return async (c, next) => once(c, await authorised(c, scopesFor(c.req.param("q")), afresh), next);
}

/**
 * Who calls, once it is known that the caller has all of `scopes` in the ecosystem of the path.
 *
 * @throws Refusal
 */
export async function authorised(c: Context<ApiEnv>, scopes: readonly Scope[], afresh = false): Promise<Caller> {
  const grant = await callerOf(c, afresh);
  const ecosystem = c.req.param("eco");
  if (ecosystem !== undefined) checkName(ecosystem);
  for (const scope of scopes) check(grant, scope, ecosystem);
  if (ecosystem !== undefined && mayBegin(c.req)) await enterEcosystem(c.env, ecosystem, grant);
  c.set("grant", grant);
  return grant;
}

/**
 * Who calls, once it is known that the caller's token is good for the ecosystem of the path, whatever its scopes. No session
 * is: what it may do follows from each call that is made with it.
 *
 * @throws Refusal
 */
export async function tokenInEcosystem(c: Context<ApiEnv>, afresh: boolean): Promise<Caller> {
  const grant = await checkToken(c.req.header("authorization"), c.env, c.req.header("cf-connecting-ip"), afresh);
  const ecosystem = c.req.param("eco") ?? "";
  checkName(ecosystem);
  refuse(admits(grant, ecosystem, Date.now()), undefined, ecosystem);
  return grant;
}

function checkName(ecosystem: string): void {
  if (ECOSYSTEM_NAME.test(ecosystem)) return;
  throw invalid("invalid-ecosystem", "Invalid name of an ecosystem", [
    { pointer: "/path/eco", message: ECOSYSTEM_RULE },
  ]);
}

/** Whether a call may make an ecosystem that does not exist yet: it changes something, or opens a socket. */
const mayBegin = (request: HonoRequest): boolean =>
  !["GET", "HEAD"].includes(request.method) || request.header("upgrade") !== undefined;

function check(grant: Caller, scope: Scope, ecosystem: string | undefined): void {
  refuse(authorise(grant, scope, ecosystem, Date.now()), scope, ecosystem);
}

function refuse(authorisation: Authorisation, scope: Scope | undefined, ecosystem: string | undefined): void {
  switch (authorisation) {
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
