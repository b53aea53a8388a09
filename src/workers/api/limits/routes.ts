import { createRoute, z } from "@hono/zod-openapi";
import { CloseRequest, type Limit, ReserveRequest, SettleRequest } from "../../../core/limits/api.ts";
import { LIMIT_NAME, LIMIT_RULE } from "../../../core/limits/name.ts";
import { LimitInput } from "../../../core/limits/settings.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { Environment } from "../../bindings/environment.ts";
import { limits } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { notFound, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { withParked } from "./parked.ts";
import {
  CloseLimitSchema,
  LimitSchema,
  LimitsSchema,
  NewLimitSchema,
  ReservationSchema,
  ReserveSchema,
  SettlementSchema,
  SettleSchema,
} from "./schemas.ts";

const tags = ["limits"];
const LimitPath = EcosystemPath.extend({
  name: z
    .string()
    .regex(LIMIT_NAME, LIMIT_RULE)
    .openapi({ param: { description: "Name of the limit" }, example: "anthropic" }),
});

const bodyOf = (schema: z.ZodType, example: object) =>
  jsonBody({
    ...(z.toJSONSchema(schema, { io: "input", target: "draft-2020-12", unrepresentable: "any" }) as object),
    example,
  });

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/limits",
  operationId: "listLimits",
  summary: "List the limits by name, with what is used of them",
  tags,
  ...secured("tasks:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(LimitsSchema, "All limits"), ...problems() },
});

const show = createRoute({
  method: "get",
  path: "/v1/{eco}/limits/{name}",
  operationId: "getLimit",
  summary: "Get a limit with what is used of it",
  tags,
  ...secured("tasks:read"),
  request: { params: LimitPath },
  responses: { 200: json(LimitSchema, "The limit"), ...problems(404) },
});

const put = createRoute({
  method: "put",
  path: "/v1/{eco}/limits/{name}",
  operationId: "putLimit",
  summary: "Say what may be asked of a provider, by all together",
  description:
    "What is used and held stays. Fields that are left out have their defaults; what is not named is not limited.",
  tags,
  ...secured("policy:write"),
  request: {
    params: LimitPath,
    body: bodyOf(NewLimitSchema, { requests_per_minute: 50, input_tokens_per_minute: 40_000, usd_per_day: 20 }),
  },
  responses: { 200: json(LimitSchema, "The limit as it is now"), ...problems(400, 409, 413, 415) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/{eco}/limits/{name}",
  operationId: "deleteLimit",
  summary: "Delete a limit; tasks that name it are given out again",
  tags,
  ...secured("policy:write"),
  request: { params: LimitPath },
  responses: { 204: { description: "The limit is gone" }, ...problems(404) },
});

const reserve = createRoute({
  method: "post",
  path: "/v1/{eco}/limits/{name}/reserve",
  operationId: "reserveLimit",
  summary: "Ask for a part of a limit, before a provider is called",
  description:
    "What is granted is held until it is settled or expires. Name the most that the call may use: settling gives back the rest. " +
    "`wait_ms` waits for the limit in the place of asking again and again.",
  tags,
  ...secured("tasks:work"),
  request: {
    params: LimitPath,
    body: bodyOf(ReserveSchema, { amounts: { requests: 1, input_tokens: 2_000, usd: 0.05 } }),
  },
  responses: { 200: json(ReservationSchema, "Whether it is granted"), ...problems(400, 404, 413, 415) },
});

const settle = createRoute({
  method: "post",
  path: "/v1/{eco}/limits/{name}/settle",
  operationId: "settleLimit",
  summary: "Say what a reservation has really used, and how the provider answered",
  description:
    "What was reserved and not used comes back, what was used beyond it is charged. The same settlement again changes nothing. " +
    "Of a reservation that is unknown or has expired the use counts all the same. An outcome with the status 429 closes the limit " +
    "for all, until the provider's reset.",
  tags,
  ...secured("tasks:work"),
  request: {
    params: LimitPath,
    body: bodyOf(SettleSchema, {
      reservation: "r-0b9f3c3e-52a4-4c7e-9c1e-5d1f0a6a1b2c",
      amounts: { input_tokens: 1_200, output_tokens: 300 },
    }),
  },
  responses: { 200: json(SettlementSchema, "What the settlement met"), ...problems(400, 404, 409, 413, 415) },
});

const close = createRoute({
  method: "post",
  path: "/v1/{eco}/limits/{name}/close",
  operationId: "closeLimit",
  summary: "Close a limit for all, because a provider takes no more for now",
  description: "Where it is closed already, the later end counts. Tasks that name the limit are parked until then.",
  tags,
  ...secured("tasks:work"),
  request: { params: LimitPath, body: bodyOf(CloseLimitSchema, { retry_after_seconds: 60, reason: "usage limit" }) },
  responses: { 200: json(LimitSchema, "The limit as it is now"), ...problems(400, 404, 413, 415) },
});

const open = createRoute({
  method: "post",
  path: "/v1/{eco}/limits/{name}/open",
  operationId: "openLimit",
  summary: "Open a closed limit at once, and wholly",
  tags,
  ...secured("policy:write"),
  request: { params: LimitPath },
  responses: { 200: json(LimitSchema, "The limit as it is now"), ...problems(404) },
});

export const limitRoutes = newApi()
  .openapi(list, async (c) => {
    const { eco } = c.req.valid("param");
    const page = await limits(c.env, eco).list();
    return c.json({ limits: await withParked(c.env, eco, page.limits) }, 200);
  })
  .openapi(show, async (c) => {
    const { eco, name } = c.req.valid("param");
    return c.json(await shown(c.env, eco, await limits(c.env, eco).show(name), name), 200);
  })
  .openapi(put, async (c) => {
    const { eco, name } = c.req.valid("param");
    const settings = await readDocument(c.req.raw, LimitInput, "invalid-limit");
    const answer = await limits(c.env, eco).put(name, settings);
    if ("full" in answer) throw tooMany(answer.full);
    return c.json(answer, 200);
  })
  .openapi(remove, async (c) => {
    const { eco, name } = c.req.valid("param");
    if (!(await limits(c.env, eco).remove(name))) throw unknown(name);
    return c.body(null, 204);
  })
  .openapi(reserve, async (c) => {
    const { eco, name } = c.req.valid("param");
    const request = await readDocument(c.req.raw, ReserveRequest, "invalid-reservation");
    return c.json(found(await limits(c.env, eco).reserve(name, request), name), 200);
  })
  .openapi(settle, async (c) => {
    const { eco, name } = c.req.valid("param");
    const request = await readDocument(c.req.raw, SettleRequest, "invalid-settlement");
    const answer = found(await limits(c.env, eco).settle(name, request), name);
    if ("limit" in answer) throw otherLimit(request.reservation, answer.limit);
    return c.json(answer, 200);
  })
  .openapi(close, async (c) => {
    const { eco, name } = c.req.valid("param");
    const request = await readDocument(c.req.raw, CloseRequest, "invalid-closing");
    return c.json(await shown(c.env, eco, await limits(c.env, eco).close(name, request), name), 200);
  })
  .openapi(open, async (c) => {
    const { eco, name } = c.req.valid("param");
    return c.json(found(await limits(c.env, eco).open(name), name), 200);
  });

/** A limit, with the tasks that are parked for it. */
async function shown(env: Environment, ecosystem: string, limit: Limit | null, name: string): Promise<Limit> {
  const one = found(limit, name);
  return (await withParked(env, ecosystem, [one]))[0] ?? one;
}

function found<Answer>(answer: Answer | null, name: string): Answer {
  if (answer === null) throw unknown(name);
  return answer;
}

const unknown = (name: string) =>
  notFound(`No limit "${name}". List the limits: GET /v1/{eco}/limits. Make it: PUT /v1/{eco}/limits/${name}`);

const otherLimit = (reservation: string, limit: string) =>
  new Refusal(
    problem(
      "other-limit",
      409,
      "The reservation is of another limit",
      `"${reservation}" is of the limit "${limit}": settle it there.`,
    ),
  );

const tooMany = (most: number) =>
  new Refusal(
    problem("too-many-limits", 409, "Too many limits", `An ecosystem has ${most} limits at most: delete one.`),
  );
