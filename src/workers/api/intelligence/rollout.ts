import { createRoute } from "@hono/zod-openapi";
import { OutcomeReport, RollbackRequest, RolloutChange } from "../../../core/intelligence/rollout/api.ts";
import { problem } from "../../../core/problem/problem.ts";
import { intelligence } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { IntelligenceHealthSchema, RolloutSchema, RolloutStateSchema } from "./rollout-schemas.ts";

const show = createRoute({
  method: "get",
  path: "/v1/{eco}/intelligence/rollout",
  operationId: "getRollout",
  summary: "Which share of the requests asks live hosts, and how both arms fare",
  tags: ["intelligence"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(RolloutSchema, "The roll-out"), ...problems() },
});

const set = createRoute({
  method: "put",
  path: "/v1/{eco}/intelligence/rollout",
  operationId: "setRollout",
  summary: "Set the share of the keys that asks live hosts",
  description:
    "The same keys are chosen while the share stays, and those of 10 % are among those of 50 %. Askers are told by the " +
    "signal Q_ROLLOUT_CHANGED and by the answer to their next report. Ends a rollback: what was decided before the share " +
    "rose from 0 is not judged any more. With `version`, only if that version is in force.",
  tags: ["intelligence"],
  ...secured("policy:write"),
  request: { params: EcosystemPath, body: jsonBody({ $ref: "#/components/schemas/RolloutChange" }) },
  responses: { 200: json(RolloutStateSchema, "The roll-out as it is now"), ...problems(400, 409, 413, 415) },
});

const rollBack = createRoute({
  method: "post",
  path: "/v1/{eco}/intelligence/rollout/rollback",
  operationId: "rollBack",
  summary: "Roll live discovery back: no request asks live hosts until the share is raised",
  description: "Recorded as the signal Q_ROLLOUT_ROLLED_BACK with the rule `by_hand`. The body may be {}.",
  tags: ["intelligence"],
  ...secured("policy:write"),
  request: { params: EcosystemPath, body: jsonBody({ $ref: "#/components/schemas/RollbackRequest" }) },
  responses: { 200: json(RolloutStateSchema, "The roll-out as it is now"), ...problems(400, 413, 415) },
});

const report = createRoute({
  method: "post",
  path: "/v1/{eco}/intelligence/outcomes",
  operationId: "reportOutcomes",
  summary: "Report what an asker measured, and learn by which share it decides from now on",
  description:
    "The report of an asker since its report before, for both arms; without arms it only asks for the state. A report that is " +
    "sent again under its number counts once. Rolls back at once where an answer belonged to another request or could not be " +
    "read, and where the rates of the last five minutes are beyond their limits.",
  tags: ["intelligence"],
  ...secured("tasks:write"),
  request: { params: EcosystemPath, body: jsonBody({ $ref: "#/components/schemas/OutcomeReport" }) },
  responses: { 200: json(RolloutStateSchema, "The roll-out as it is now"), ...problems(400, 413, 415) },
});

const health = createRoute({
  method: "get",
  path: "/v1/{eco}/intelligence/health",
  operationId: "getIntelligenceHealth",
  summary:
    "Event Intelligence Health: the figures that all askers reported, of the last hour and of the last five minutes",
  tags: ["intelligence"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(IntelligenceHealthSchema, "The figures, and what is beyond its target"), ...problems() },
});

export const rollout = newApi()
  .openapi(show, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json(await intelligence(c.env, eco).rollout(), 200);
  })
  .openapi(set, async (c) => {
    const { eco } = c.req.valid("param");
    const change = await readDocument(c.req.raw, RolloutChange, "invalid-rollout", "Invalid roll-out");
    const { id, name } = c.get("grant");
    const answer = await intelligence(c.env, eco).setRollout(change, { id, name });
    if (answer.ok) return c.json(answer.state, 200);
    const detail = `Version ${answer.conflict} of the roll-out is in force. Read it again, and repeat the change.`;
    throw new Refusal(
      problem("version-conflict", 409, "Another version is in force", detail, { version: answer.conflict }),
    );
  })
  .openapi(rollBack, async (c) => {
    const { eco } = c.req.valid("param");
    const request = await readDocument(c.req.raw, RollbackRequest, "invalid-rollback", "Invalid rollback");
    const { id, name } = c.get("grant");
    return c.json(await intelligence(c.env, eco).rollBack(request, { id, name }), 200);
  })
  .openapi(report, async (c) => {
    const { eco } = c.req.valid("param");
    const outcomes = await readDocument(c.req.raw, OutcomeReport, "invalid-outcomes", "Invalid report of outcomes");
    return c.json(await intelligence(c.env, eco).report(outcomes), 200);
  })
  .openapi(health, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json(await intelligence(c.env, eco).health(), 200);
  });
