import { createRoute, z } from "@hono/zod-openapi";
import { admitRule } from "../../../core/policy/admit-rule.ts";
import type { ChangeAnswer, RuleChange } from "../../../core/policy/api.ts";
import type { FieldError } from "../../../core/problem/field-error.ts";
import { problem } from "../../../core/problem/problem.ts";
import { policyState } from "../../objects.ts";
import { readJson } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { invalid, notFound, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { PoliciesSchema, PolicyChangesSchema, PolicySchema, PolicyVersionsSchema } from "./schemas.ts";

const PolicyPath = EcosystemPath.extend({
  id: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{0,62}$/,
      "a rule's id starts with a letter or digit and holds a-z, 0-9 and - (63 at most)",
    )
    .openapi({ example: "promotions-to-dream" }),
});
const example = {
  when: "Q_HEALTH_ALERT",
  where: 'facts.severity == "critical"',
  cooldown: "10m",
  then: [{ webhook: { endpoint: "alerts" } }],
};
const ruleBody = jsonBody({ type: "object" as const, additionalProperties: true, example });

const listPolicies = createRoute({
  method: "get",
  path: "/v1/{eco}/policies",
  operationId: "listPolicies",
  summary: "The rules in force",
  tags: ["policy"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(PoliciesSchema, "Rules"), ...problems() },
});

const getPolicy = createRoute({
  method: "get",
  path: "/v1/{eco}/policies/{id}",
  operationId: "getPolicy",
  summary: "A rule and the versions it has had, newest first",
  tags: ["policy"],
  ...secured("signals:read"),
  request: { params: PolicyPath },
  responses: { 200: json(PolicyVersionsSchema, "The rule; null where it was deleted"), ...problems(404) },
});

const putPolicy = createRoute({
  method: "put",
  path: "/v1/{eco}/policies/{id}",
  operationId: "putPolicy",
  summary: "Put a rule in force",
  description:
    "It decides on every signal that the log takes after the answer. With `version`, only if that version is in force (0: " +
    "only if there is none). Recorded as the signal Q_POLICY_CHANGED. A rule of the pack is changed like any other.",
  tags: ["policy"],
  ...secured("policy:write"),
  request: { params: PolicyPath, body: ruleBody },
  responses: { 200: json(PolicySchema, "The rule as it is now"), ...problems(400, 409, 413, 415) },
});

const patchPolicy = createRoute({
  method: "patch",
  path: "/v1/{eco}/policies/{id}",
  operationId: "enablePolicy",
  summary: "Switch a rule on or off",
  tags: ["policy"],
  ...secured("policy:write"),
  request: {
    params: PolicyPath,
    body: jsonBody({
      type: "object",
      required: ["enabled"],
      properties: { enabled: { type: "boolean" } },
      additionalProperties: false,
      example: { enabled: false },
    }),
  },
  responses: { 200: json(PolicySchema, "The rule as it is now"), ...problems(400, 404, 409, 413, 415) },
});

const deletePolicy = createRoute({
  method: "delete",
  path: "/v1/{eco}/policies/{id}",
  operationId: "deletePolicy",
  summary: "Delete a rule; one of the pack that was changed is as it came again",
  tags: ["policy"],
  ...secured("policy:write"),
  request: { params: PolicyPath },
  responses: { 200: json(PolicyChangesSchema, "What changed"), ...problems(404, 409) },
});

/** A body that holds several rules. */
const policySet = (rule: Record<string, unknown>) =>
  jsonBody({
    type: "object",
    required: ["policies"],
    properties: { policies: { type: "array", items: { type: "object", additionalProperties: true } } },
    additionalProperties: false,
    example: { policies: [rule] },
  });

const replacePolicies = createRoute({
  method: "put",
  path: "/v1/{eco}/policies",
  operationId: "replacePolicies",
  summary: "Make the rules be these, all at one place of the log",
  description:
    "Rules that are not named go, and those of the pack are as they came. All or nothing: one that is wrong refuses the set.",
  tags: ["policy"],
  ...secured("policy:write"),
  request: {
    params: EcosystemPath,
    body: policySet({ id: "tell-of-critical", ...example }),
  },
  responses: { 200: json(PolicyChangesSchema, "What changed"), ...problems(400, 409, 413, 415) },
});

const changePolicies = createRoute({
  method: "patch",
  path: "/v1/{eco}/policies",
  operationId: "changePolicies",
  summary: "Put several rules in force, all at one place of the log",
  description:
    "Rules that are not named stay as they are. All or nothing: one that is wrong refuses the set, and so does one whose " +
    "`version` is not the one in force (0: there is none).",
  tags: ["policy"],
  ...secured("policy:write"),
  request: {
    params: EcosystemPath,
    body: policySet({ id: "tell-of-critical", version: 3, ...example }),
  },
  responses: { 200: json(PolicyChangesSchema, "What changed"), ...problems(400, 409, 413, 415) },
});

const Switch = z.strictObject({ enabled: z.boolean({ error: "give true or false" }) });

export const policies = newApi()
  .openapi(listPolicies, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json({ policies: await policyState(c.env, eco).policies() }, 200);
  })
  .openapi(getPolicy, async (c) => {
    const { eco, id } = c.req.valid("param");
    const found = await policyState(c.env, eco).policy(id);
    if (found.policy === null && found.versions.length === 0) throw unknown();
    return c.json(found, 200);
  })
  .openapi(putPolicy, async (c) => {
    const { eco, id } = c.req.valid("param");
    const change = admit(await readJson(c.req.raw), "", id);
    if ("errors" in change) throw invalidRule(change.errors);
    const { id: by, name } = c.get("grant");
    accepted(await policyState(c.env, eco).changePolicies([change], { id: by, name }));
    return c.json((await policyState(c.env, eco).policy(id)).policy, 200);
  })
  .openapi(patchPolicy, async (c) => {
    const { eco, id } = c.req.valid("param");
    const change = Switch.safeParse(await readJson(c.req.raw));
    if (!change.success) {
      throw invalidRule([{ pointer: "/enabled", message: "give true or false, and nothing else; PUT changes a rule" }]);
    }
    const { id: by, name } = c.get("grant");
    const answer = await policyState(c.env, eco).enablePolicy(id, change.data.enabled, { id: by, name });
    if (answer === null) throw unknown();
    accepted(answer);
    return c.json((await policyState(c.env, eco).policy(id)).policy, 200);
  })
  .openapi(deletePolicy, async (c) => {
    const { eco, id } = c.req.valid("param");
    const { id: by, name } = c.get("grant");
    return c.json(accepted(await policyState(c.env, eco).deletePolicy(id, undefined, { id: by, name })), 200);
  })
  .openapi(changePolicies, async (c) => {
    const { eco } = c.req.valid("param");
    const wanted = admitSet(await readJson(c.req.raw));
    const { id: by, name } = c.get("grant");
    return c.json(accepted(await policyState(c.env, eco).changePolicies(wanted, { id: by, name })), 200);
  })
  .openapi(replacePolicies, async (c) => {
    const { eco } = c.req.valid("param");
    const wanted = admitSet(await readJson(c.req.raw));
    const { id: by, name } = c.get("grant");
    return c.json(accepted(await policyState(c.env, eco).replacePolicies(wanted, { id: by, name })), 200);
  });

function admitSet(body: unknown): RuleChange[] {
  const list = (body as { policies?: unknown } | null)?.policies;
  if (!Array.isArray(list) || Object.keys(body as object).length !== 1) {
    throw invalidRule([{ pointer: "/policies", message: "give {policies: [rules]}, and nothing else" }]);
  }
  const changes: RuleChange[] = [];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [place, rule] of list.entries()) {
    const change = admit(rule, `/policies/${place}`);
    if ("errors" in change) errors.push(...change.errors);
    else if (seen.has(change.id)) errors.push({ pointer: `/policies/${place}/id`, message: "another has this id" });
    else changes.push(change);
    if (!("errors" in change)) seen.add(change.id);
  }
  if (errors.length > 0) throw invalidRule(errors);
  return changes;
}

/** @param id - where it stands in the path; in the body it may be left out then */
function admit(body: unknown, at: string, id?: string): RuleChange | { errors: readonly FieldError[] } {
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  const admitted = admitRule(isObject && id !== undefined && !("id" in body) ? { ...body, id } : body, at);
  if (!admitted.ok) return { errors: admitted.errors };
  if (id !== undefined && admitted.rule.id !== id) {
    return { errors: [{ pointer: `${at}/id`, message: "the path names another rule" }] };
  }
  return { id: admitted.rule.id, rule: admitted.rule, expected: admitted.expected };
}

/** What the rules' object refused, as a problem. */
function accepted(answer: ChangeAnswer) {
  if (answer.ok) {
    const { ok: _, ...changes } = answer;
    return changes;
  }
  if ("kept" in answer) {
    if (answer.kept === "unknown") throw unknown();
    const detail = "It came with Ganglion and is as it came. Switch it off instead: PATCH with {enabled: false}.";
    throw new Refusal(problem("built-in", 409, "A rule of the pack cannot be deleted", detail));
  }
  if ("too_many" in answer) {
    const detail = `An ecosystem may have ${answer.too_many} rules.`;
    throw new Refusal(problem("too-many-rules", 409, "There are too many rules", detail));
  }
  const { id, version } = answer.conflict;
  const detail =
    version === 0
      ? `There is no rule ${id}; leave version out, or give 0.`
      : `Version ${version} of ${id} is in force.`;
  throw new Refusal(problem("version-conflict", 409, "Another version is in force", detail, { policy: id, version }));
}

const invalidRule = (errors: readonly FieldError[]) => invalid("invalid-policy", "The rule is not valid", errors);
const unknown = () => notFound("There is no rule of this id; GET /v1/{eco}/policies lists them.");
