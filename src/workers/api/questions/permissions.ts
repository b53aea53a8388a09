import { createRoute, z } from "@hono/zod-openapi";
import { notBound } from "../../../core/access/bindings.ts";
import { admitPermission, PermissionDecision } from "../../../core/questions/permission.ts";
import { questions } from "../../bindings/objects.ts";
import { readDocument, readJson } from "../http/body.ts";
import { repeatable } from "../http/once.ts";
import { EcosystemPath } from "../http/query.ts";
import { invalid, notFound, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { actorOf } from "./actor.ts";
import { anotherQuestion, answerRefused, tooManyQuestions } from "./refusals.ts";
import { AskedSchema, NewPermissionSchema, PermissionDecisionSchema, QuestionPath, QuestionSchema } from "./schemas.ts";

const tags = ["questions"];
const INVALID = "Invalid request of permission";
const inputOf = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input", target: "draft-2020-12" }) as object;

const ask = createRoute({
  method: "post",
  path: "/v1/{eco}/permissions",
  operationId: "askPermission",
  summary: "Ask a person for permission to use a tool",
  description:
    "It is a question of its own kind, shown with the others: `GET /v1/{eco}/questions?kind=permission`. No link, no rule and no " +
    "silence answers it, and no token without the scope `permissions:answer`. Sent again under its `id` it is the same request.",
  tags,
  ...secured("tasks:write"),
  request: { body: jsonBody(inputOf(NewPermissionSchema)), params: EcosystemPath },
  responses: { 201: json(AskedSchema, "The request is durable"), ...problems(400, 409, 413, 415) },
});

const answer = createRoute({
  method: "post",
  path: "/v1/{eco}/permissions/{id}/answer",
  operationId: "answerPermission",
  summary: "Allow or deny the use of a tool",
  description:
    "The first decision counts, and is recorded. The token that has asked does not decide; one that is bound to recipients " +
    "decides for them alone.",
  tags,
  ...secured("permissions:answer"),
  request: { params: QuestionPath, body: jsonBody(inputOf(PermissionDecisionSchema)) },
  responses: { 200: json(QuestionSchema, "The request with the decision"), ...problems(400, 404, 409, 413, 415) },
});

export const permissionRoutes = newApi()
  .openapi(ask, async (c) => {
    const { eco } = c.req.valid("param");
    const sent = await readJson(c.req.raw, { kind: "invalid-permission", title: INVALID });
    const admitted = admitPermission(sent, Date.now());
    if (!admitted.ok) throw invalid("invalid-permission", INVALID, admitted.errors);
    const id = admitted.id ?? repeatable(c) ?? `perm-${crypto.randomUUID()}`;
    const asked = await questions(c.env, eco).ask(id, admitted.terms, actorOf(c));
    if ("full" in asked) throw tooManyQuestions(asked.full);
    if ("other" in asked) throw anotherQuestion(id);
    const { state, expires_at } = asked.question;
    return c.json({ id, state, expires_at }, 201);
  })
  .openapi(answer, async (c) => {
    const { eco, id } = c.req.valid("param");
    const { behavior, comment = null } = await readDocument(c.req.raw, PermissionDecision, "invalid-decision");
    const { recipients } = c.get("grant");
    const given = { answer: behavior, comment, by: actorOf(c), key: repeatable(c) ?? null, permits: true as const };
    const reply = await questions(c.env, eco).answer(id, given, recipients);
    if (reply === null)
      throw notFound(`No request of permission "${id}". List them: GET /v1/{eco}/questions?kind=permission`);
    if ("foreign" in reply) throw new Refusal(notBound("recipients", recipients, reply.foreign));
    if ("refused" in reply) throw new Refusal(answerRefused(reply.refused, reply.question, reply.state));
    return c.json(reply.question, 200);
  });
