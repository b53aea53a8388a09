import { createRoute, z } from "@hono/zod-openapi";
import { authorise, type Caller } from "../../../core/access/grant.ts";
import {
  CODE_MS,
  currentSession,
  MAX_CODES,
  NewSession,
  SessionStart,
  sessionScopes,
} from "../../../core/access/session.ts";
import { setCookie } from "../../../core/access/session-cookie.ts";
import { problem } from "../../../core/problem/problem.ts";
import { formatTimestamp } from "../../../core/signals/timestamp.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory } from "../../bindings/objects.ts";
import { closeSocketsOf } from "../access/close-sockets.ts";
import { countFailure } from "../http/attempt-limits.ts";
import { readDocument } from "../http/body.ts";
import { forgetSessions, ownCopy, placeOf, refuseForeign, secretDigest } from "../http/check-session.ts";
import { checkToken } from "../http/check-token.ts";
import { notFound, Refusal, unauthenticated } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, securedAnywhere, signedIn } from "../http/route.ts";
import { CurrentSessionSchema, SessionCodeSchema, SessionsSchema } from "./schemas.ts";
import { newSecret } from "./secrets.ts";

const createCode = createRoute({
  method: "post",
  path: "/v1/sessions",
  operationId: "createSessionCode",
  summary: "Make a code with which a browser begins a session",
  description:
    "The code is good for a minute, and once. Open `path` in a browser: the page exchanges the code for a session of the token " +
    "that made it. The session only reads, unless `act` is set; it ends after 12 hours without a call, after 7 days, and with " +
    "the token. A session makes no codes.",
  tags: ["access"],
  ...securedAnywhere("signals:read"),
  request: { body: jsonBody({ $ref: "#/components/schemas/NewSession" }) },
  responses: { 201: json(SessionCodeSchema, "The code"), ...problems(400, 413, 415) },
});

const listSessions = createRoute({
  method: "get",
  path: "/v1/sessions",
  operationId: "listSessions",
  summary: "List the sessions of browsers",
  description: "Those of the caller's token; an administrator of all ecosystems sees those of every token.",
  tags: ["access"],
  ...securedAnywhere("signals:read"),
  responses: { 200: json(SessionsSchema, "Sessions, the latest used first"), ...problems() },
});

const endSession = createRoute({
  method: "delete",
  path: "/v1/sessions/{id}",
  operationId: "endSession",
  summary: "End the session of a browser",
  description:
    "One of the caller's token; an administrator of all ecosystems ends any. Its streams and channels are closed. Calls of " +
    "the session may be accepted for up to 30 seconds more. A session that only reads ends no other.",
  tags: ["access"],
  ...securedAnywhere("signals:read"),
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: "The session is over" }, ...problems(404) },
});

const beginSession = createRoute({
  method: "post",
  path: "/v1/sessions/current",
  operationId: "beginSession",
  summary: "Begin a session in this browser",
  description:
    "For the sign-in page: exchanges a code, or a token, for a cookie that no script can read. Needs " +
    "`Sec-Fetch-Site: same-origin` or the edge's own `Origin`, and the header `Ganglion-Session`.",
  tags: ["access"],
  security: [],
  request: { body: jsonBody({ $ref: "#/components/schemas/SessionStart" }) },
  responses: { 201: json(CurrentSessionSchema, "The session has begun"), ...problems(400, 413, 415) },
});

const current = createRoute({
  method: "get",
  path: "/v1/sessions/current",
  operationId: "getCurrentSession",
  summary: "Who calls, and what the caller may do",
  tags: ["access"],
  ...signedIn(),
  responses: { 200: json(CurrentSessionSchema, "The caller"), ...problems() },
});

const endCurrent = createRoute({
  method: "delete",
  path: "/v1/sessions/current",
  operationId: "endCurrentSession",
  summary: "End the session of this browser",
  tags: ["access"],
  ...signedIn(),
  responses: { 204: { description: "The session is over, and the cookie is taken away" }, ...problems(404) },
});

export const sessions = newApi()
  .openapi(createCode, async (c) => {
    const caller = c.get("grant");
    if (caller.session !== undefined) throw new Refusal(OF_A_SESSION);
    const { act } = await readDocument(c.req.raw, NewSession, "invalid-session");
    const { secret, stored } = await newSecret(c.env, "gnc");
    if (!(await directory(c.env).addCode(stored, caller.id, act))) throw tooManyCodes();
    c.header("Cache-Control", "no-store");
    const expires_at = formatTimestamp(Date.now() + CODE_MS);
    return c.json({ code: secret, path: `/login#${secret}`, act, expires_at }, 201);
  })
  .openapi(listSessions, async (c) => {
    const list = await directory(c.env).sessions(whose(c.get("grant")));
    return c.json({ sessions: list }, 200);
  })
  // Before those of any id: `current` is none.
  .openapi(beginSession, async (c) => {
    refuseForeign(c.req.raw);
    const start = await readDocument(c.req.raw, SessionStart, "invalid-session");
    const address = c.req.header("cf-connecting-ip");
    const { secret, stored } = await newSecret(c.env, "gns");
    const begun = ownCopy(
      start.code === undefined
        ? await withToken(c.env, start.token ?? "", start.act === true, stored, address)
        : await withCode(c.env, start.code, stored, address),
    );
    // Who signed in is audited, as what a caller does is.
    c.set("grant", begun);
    c.header("Set-Cookie", setCookie(placeOf(c.req.raw), secret));
    c.header("Cache-Control", "no-store");
    return c.json(currentSession(begun), 201);
  })
  .openapi(current, (c) => {
    c.header("Cache-Control", "no-store");
    return c.json(currentSession(c.get("grant")), 200);
  })
  .openapi(endCurrent, async (c) => {
    const { session, id } = c.get("grant");
    if (session === undefined)
      throw notFound("The call carries a token and no session. List sessions: GET /v1/sessions");
    await end(c.env, session.id, id);
    c.header("Set-Cookie", setCookie(placeOf(c.req.raw), ""));
    return c.body(null, 204);
  })
  .openapi(endSession, async (c) => {
    const { id } = c.req.valid("param");
    const caller = c.get("grant");
    if (caller.session?.act === false && caller.session.id !== id) throw new Refusal(ONLY_READS);
    await end(c.env, id, whose(caller));
    return c.body(null, 204);
  });

type Stored = Awaited<ReturnType<typeof newSecret>>["stored"];

async function withCode(env: Environment, code: string, session: Stored, address: string | undefined): Promise<Caller> {
  const stored = await secretDigest(env, code, "gnc");
  const begun = stored === undefined ? null : await directory(env).beginSession(stored, session);
  if (begun !== null) return begun;
  const refusal = await countFailure(env, address, Date.now());
  throw refusal.problem.status === 401 ? new Refusal(NO_CODE) : refusal;
}

async function withToken(
  env: Environment,
  token: string,
  act: boolean,
  session: Stored,
  address: string | undefined,
): Promise<Caller> {
  const grant = await checkToken(`Bearer ${token}`, env, address, true);
  if (!sessionScopes(grant, act).includes("signals:read") && !grant.scopes.includes("admin"))
    throw new Refusal(
      problem(
        "no-scope",
        403,
        "The token lacks the scope",
        "The dashboard needs a token with the scope signals:read.",
        {
          scope: "signals:read",
        },
      ),
    );
  const begun = await directory(env).beginSessionOf(grant.id, act, session);
  if (begun === null) throw unauthenticated();
  return begun;
}

async function end(env: Environment, id: string, token: string | undefined): Promise<void> {
  const ended = id.length > 64 ? null : await directory(env).endSession(id, token);
  if (ended === null) throw notFound(`No session "${id.slice(0, 64)}". List sessions: GET /v1/sessions`);
  forgetSessions(({ session }) => session?.id === id);
  await closeSocketsOf(env, ended);
}

/** Whose sessions a caller sees and ends; `undefined`: everybody's. */
const whose = (caller: Caller): string | undefined =>
  authorise(caller, "admin", undefined, Date.now()) === "allowed" ? undefined : caller.id;

const OF_A_SESSION = problem(
  "of-a-session",
  403,
  "A session makes no codes",
  "Make the code with a token: `ganglion open`, or POST /v1/sessions with Authorization: Bearer <token>.",
);

const ONLY_READS = problem(
  "only-reads",
  403,
  "The session only reads",
  "This session may end itself, and no other. Open one that may act: `ganglion open --act`.",
);

const NO_CODE = problem(
  "no-such-code",
  403,
  "The code is not valid",
  "The code was used already, or is older than a minute. Make another: `ganglion open`.",
);

const tooManyCodes = () =>
  new Refusal(
    problem(
      "too-many-attempts",
      429,
      "Too many attempts",
      `The token has ${MAX_CODES} codes that nobody has used. Wait until they are too old, a minute at most.`,
      { retry_after_ms: CODE_MS },
    ),
    { "Retry-After": String(CODE_MS / 1_000) },
  );
