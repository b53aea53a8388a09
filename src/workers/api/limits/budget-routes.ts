import { createRoute, z } from "@hono/zod-openapi";
import { BudgetInput, MAX_BUDGETS } from "../../../core/limits/budgets/settings.ts";
import { LIMIT_NAME } from "../../../core/limits/name.ts";
import { problem } from "../../../core/problem/problem.ts";
import { limits } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath, words } from "../http/query.ts";
import { notFound, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { NewSpendingBudgetSchema, SpendingBudgetSchema, SpendingBudgetsSchema } from "./schemas.ts";

const tags = ["limits"];
const BudgetPath = EcosystemPath.extend({
  name: z
    .string()
    .regex(
      LIMIT_NAME,
      "the name of a budget starts with a letter or digit and holds letters, digits and . _ - (63 at most)",
    )
    .openapi({ param: { description: "Name of the budget" }, example: "coders" }),
});

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/budgets",
  operationId: "listSpendingBudgets",
  summary: "List the budgets by name, with who has used most of each",
  tags,
  ...secured("tasks:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(SpendingBudgetsSchema, "All budgets"), ...problems() },
});

const show = createRoute({
  method: "get",
  path: "/v1/{eco}/budgets/{name}",
  operationId: "getSpendingBudget",
  summary: "Get a budget with who has used most of it, or what one has used",
  tags,
  ...secured("tasks:read"),
  request: {
    params: BudgetPath,
    query: z.strictObject({ subject: words("Only this agent, task or chain") }),
  },
  responses: { 200: json(SpendingBudgetSchema, "The budget"), ...problems(404) },
});

const put = createRoute({
  method: "put",
  path: "/v1/{eco}/budgets/{name}",
  operationId: "putSpendingBudget",
  summary: "Say what each agent, task or chain may use, or all together",
  description:
    "Counts what reservations of all limits hold and settlements say was used. At two thirds, and at the end, a signal and attention " +
    "tell of it; at the end nothing more is granted, unless `at_end` is `open`. What was used stays where a budget is changed, unless " +
    "`scope` or `per` is another.",
  tags,
  ...secured("policy:write"),
  request: {
    params: BudgetPath,
    body: jsonBody({
      ...(z.toJSONSchema(NewSpendingBudgetSchema, {
        io: "input",
        target: "draft-2020-12",
        unrepresentable: "any",
      }) as object),
      example: { scope: "agent", match: "coder-*", usd: 5, zone: "Europe/Berlin" },
    }),
  },
  responses: { 200: json(SpendingBudgetSchema, "The budget as it is now"), ...problems(400, 409, 413, 415) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/{eco}/budgets/{name}",
  operationId: "deleteSpendingBudget",
  summary: "Delete a budget; what was counted is forgotten",
  tags,
  ...secured("policy:write"),
  request: { params: BudgetPath },
  responses: { 204: { description: "The budget is gone" }, ...problems(404) },
});

export const budgetRoutes = newApi()
  .openapi(list, async (c) => c.json(await limits(c.env, c.req.valid("param").eco).budgets(), 200))
  .openapi(show, async (c) => {
    const { eco, name } = c.req.valid("param");
    const found = await limits(c.env, eco).budget(name, c.req.valid("query").subject);
    if (found === null) throw unknown(name);
    return c.json(found, 200);
  })
  .openapi(put, async (c) => {
    const { eco, name } = c.req.valid("param");
    const settings = await readDocument(c.req.raw, BudgetInput, "invalid-budget");
    const answer = await limits(c.env, eco).putBudget(name, settings);
    if ("full" in answer) throw tooMany();
    return c.json(answer, 200);
  })
  .openapi(remove, async (c) => {
    const { eco, name } = c.req.valid("param");
    if (!(await limits(c.env, eco).removeBudget(name))) throw unknown(name);
    return c.body(null, 204);
  });

const unknown = (name: string) =>
  notFound(`No budget "${name}". List the budgets: GET /v1/{eco}/budgets. Make it: PUT /v1/{eco}/budgets/${name}`);

const tooMany = () =>
  new Refusal(
    problem(
      "too-many-budgets",
      409,
      "Too many budgets",
      `An ecosystem has ${MAX_BUDGETS} budgets at most: delete one.`,
    ),
  );
