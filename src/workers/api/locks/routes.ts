import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { LockAcquisition, LockRelease, LockRenewal, type OwnerProcess } from "../../../core/locks/api.ts";
import { checkLockName } from "../../../core/locks/lock-frames.ts";
import { LOCK_NAME_RULE, lockNameProblem, MAX_NAME_CHARS } from "../../../core/locks/lock-name.ts";
import type { Claim } from "../../../core/locks/outcomes.ts";
import type { AcquireAnswer, ClaimAnswer } from "../../../durable-objects/locks/calls.ts";
import type { Locks } from "../../../durable-objects/locks/object.ts";
import { foreignOwner, refusalOf } from "../../../durable-objects/locks/refusals.ts";
import { locks } from "../../bindings/objects.ts";
import type { ApiEnv } from "../http/api-env.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath, pageCursor, wholeNumber, words } from "../http/query.ts";
import { invalid, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import {
  LockAcquisitionSchema,
  LockAnswerSchema,
  LockHeldSchema,
  LockReleasedSchema,
  LockReleaseSchema,
  LockRenewalSchema,
  LocksSchema,
} from "./schemas.ts";

const tags = ["locks"];

const LockPath = EcosystemPath.extend({
  // Made here: a schema that was made before the library for the document was loaded lacks its method.
  name: z
    .string()
    .superRefine(checkLockName)
    .openapi({
      param: { description: `Name of the lock, percent-encoded: ${LOCK_NAME_RULE}` },
      minLength: 1,
      maxLength: MAX_NAME_CHARS,
      example: "tree:/srv/app/**",
    }),
});
const schemaOf = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input", target: "draft-2020-12" }) as object;

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/locks",
  operationId: "listLocks",
  summary: "List the locks that are held, and who waits",
  tags,
  ...secured("tasks:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      limit: wholeNumber(1, 1_000, 100, "Locks in a page"),
      after: pageCursor,
      name: words("Only locks that meet this name, which may have wildcards"),
      owner: words("Only locks of this owner"),
    }),
  },
  responses: { 200: json(LocksSchema, "One page"), ...problems() },
});

const acquire = createRoute({
  method: "post",
  path: "/v1/{eco}/locks/{name}/acquire",
  operationId: "acquireLock",
  summary: "Acquire a lock, or wait for it",
  description:
    "Names with wildcards exclude every name that they match, such as `tree:/srv/app/**`. Whoever waits is served in order; " +
    "shared locks do not pass an exclusive one that waits. `held` says whether the lock is held: not to get it is no error.",
  tags,
  ...secured("tasks:work"),
  request: {
    params: LockPath,
    body: jsonBody({
      ...schemaOf(LockAcquisitionSchema),
      example: { owner: "coder/7", ttl_ms: 30_000, wait_ms: 10_000 },
    }),
  },
  responses: { 200: json(LockAnswerSchema, "Whether the lock is held"), ...problems(400, 409, 413, 415) },
});

const renew = createRoute({
  method: "post",
  path: "/v1/{eco}/locks/{name}/renew",
  operationId: "renewLock",
  summary: "Hold a lock for longer",
  tags,
  ...secured("tasks:work"),
  request: { params: LockPath, body: jsonBody(schemaOf(LockRenewalSchema)) },
  responses: { 200: json(LockHeldSchema, "The lock is held on"), ...problems(400, 409, 413, 415) },
});

const release = createRoute({
  method: "post",
  path: "/v1/{eco}/locks/{name}/release",
  operationId: "releaseLock",
  summary: "Release a lock",
  description: "By the token that acquired it, or by an administrator. The first of those who wait has it at once.",
  tags,
  ...secured("tasks:work"),
  request: { params: LockPath, body: jsonBody(schemaOf(LockReleaseSchema)) },
  responses: { 200: json(LockReleasedSchema, "The lock is released"), ...problems(400, 409, 413, 415) },
});

export const lockRoutes = newApi()
  .openapi(list, async (c) => {
    const { limit, after, name, owner } = c.req.valid("query");
    if (after !== undefined && !/^\d{1,16}$/.test(after)) throw invalidQuery("after", "give `next` of an earlier page");
    const unfit = name === undefined ? undefined : lockNameProblem(name);
    if (unfit !== undefined) throw invalidQuery("name", unfit);
    const query = { limit, after: Number(after ?? 0), name, owner };
    return c.json(await locks(c.env, c.req.valid("param").eco).list(query), 200);
  })
  .openapi(acquire, async (c) => {
    const { eco, name } = c.req.valid("param");
    const input = await readDocument(c.req.raw, LockAcquisition, "invalid-lock");
    const { owner, mode, ttl_ms: ttlMs, wait_ms: waitMs, owner_process, task = null } = input;
    mayOwn(c, owner, owner_process);
    const { id: token, scopes } = c.get("grant");
    const [id, admin] = [crypto.randomUUID(), scopes.includes("admin")];
    const object = locks(c.env, eco);
    const call = { id, name, mode, owner, token, admin, ttlMs, waitMs, task, process: owner_process ?? null };
    const answer = await waited(await object.acquire(call));
    return c.json(granted(answer, name), 200);
  })
  .openapi(renew, async (c) => {
    const { eco, name } = c.req.valid("param");
    const { fence, owner, ttl_ms } = await readDocument(c.req.raw, LockRenewal, "invalid-lock");
    const answer = await locks(c.env, eco).renew(claimOf(c, name, fence, owner), ttl_ms);
    const held = granted(answer, name);
    if ("released" in held) throw new Error("a renewal that releases");
    return c.json(held, 200);
  })
  .openapi(release, async (c) => {
    const { eco, name } = c.req.valid("param");
    const { fence, owner } = await readDocument(c.req.raw, LockRelease, "invalid-lock");
    const answer = await locks(c.env, eco).release(claimOf(c, name, fence, owner));
    granted(answer, name);
    return c.json({ released: true as const }, 200);
  });

function claimOf(c: Context<ApiEnv>, name: string, fence: number, owner: string | undefined): Claim {
  const grant = c.get("grant");
  mayOwn(c, owner);
  return { name, fence, owner, token: grant.id, admin: grant.scopes.includes("admin") };
}

/** @throws Refusal, where the token may not lock in this name */
function mayOwn(c: Context<ApiEnv>, owner: string | undefined, process?: OwnerProcess): void {
  const foreign = foreignOwner(c.get("grant"), owner, process);
  if (foreign !== undefined) throw new Refusal(foreign);
}

type Refusing =
  | { readonly full: unknown }
  | { readonly notRunning: unknown }
  | { readonly lost: true }
  | { readonly refused: string };

/** @throws Refusal, where the answer is one */
function granted<Answer extends AcquireAnswer | ClaimAnswer>(answer: Answer, name: string): Exclude<Answer, Refusing> {
  const refusal = refusalOf(answer, name);
  if (refusal === undefined) return answer as Exclude<Answer, Refusing>;
  const { problem, retryAfterMs } = refusal;
  throw new Refusal(problem, retryAfterMs === undefined ? {} : { "Retry-After": String(retryAfterMs / 1_000) });
}

/** Waits for the turn of a request. Where the runtime learns that its caller has gone, it lets the turn go, and nobody waits. */
async function waited(answer: Awaited<ReturnType<Locks["acquire"]>>): Promise<AcquireAnswer> {
  if (!("turn" in answer)) return answer;
  const { turn } = answer;
  try {
    return await turn.ended();
  } finally {
    turn[Symbol.dispose]();
  }
}

const invalidQuery = (parameter: string, message: string) =>
  invalid("invalid-query", "The request is not valid", [{ pointer: `/query/${parameter}`, message }]);
