import { createRoute } from "@hono/zod-openapi";
import { BudgetInput } from "../../../core/billing/budget.ts";
import { directory, signalLog } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { countSpent } from "./account.ts";
import { BudgetSchema } from "./schemas.ts";

const get = createRoute({
  method: "get",
  path: "/v1/{eco}/budget",
  operationId: "getBudget",
  summary: "The monthly budget of an ecosystem, and how far it is used",
  tags: ["operation"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(BudgetSchema, "The budget, as what is spent was last counted"), ...problems() },
});

const put = createRoute({
  method: "put",
  path: "/v1/{eco}/budget",
  operationId: "putBudget",
  summary: "Set the monthly budget of an ecosystem, or take it away",
  description:
    "What is spent is counted now, and every ten minutes. At 80 % the signal `ganglion.budget.warned` is emitted, once a month. " +
    "Above the budget observations are sampled: those of one in ten spans of ten seconds are taken, the others are confirmed, " +
    "counted and left out. Other signals and tasks are never dropped. The change is recorded as the signal `ganglion.budget.changed`.",
  tags: ["operation"],
  ...secured("policy:write"),
  request: { params: EcosystemPath, body: jsonBody({ $ref: "#/components/schemas/NewBudget" }) },
  responses: { 200: json(BudgetSchema, "The budget as it is now"), ...problems(400, 413, 415) },
});

export const budgets = newApi()
  .openapi(get, async (c) => c.json(await signalLog(c.env, c.req.valid("param").eco).budget(), 200))
  .openapi(put, async (c) => {
    const { eco } = c.req.valid("param");
    const { monthly_usd } = await readDocument(c.req.raw, BudgetInput, "invalid-budget", "Invalid budget");
    const { id, name } = c.get("grant");
    // First the list of those whose budget is looked at: where the next step fails, somebody looks for nothing.
    if (monthly_usd !== null) await directory(c.env).setBudgeted(eco, true);
    const budget = await signalLog(c.env, eco).budget({ monthly_usd, by: { id, name } });
    if (monthly_usd !== null) return c.json(await countSpent(c.env, eco, Date.now()), 200);
    await directory(c.env).setBudgeted(eco, false);
    return c.json(budget, 200);
  });
