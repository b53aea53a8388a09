import { createRoute, z } from "@hono/zod-openapi";
import { admitRule } from "../../../core/policy/admit-rule.ts";
import type { Policy, RuleEdit } from "../../../core/policy/api.ts";
import type { FieldError } from "../../../core/problem/field-error.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { Environment } from "../../bindings/environment.ts";
import { policyState } from "../../bindings/objects.ts";
import { readJson } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { invalid, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { accepted } from "./accepted.ts";
import { mustBeAllowed } from "./commanding-rules.ts";
import { mustKnowEndpoints } from "./known-endpoints.ts";
import { PolicyPath } from "./policy-path.ts";
import { PoliciesSchema, PolicyChangesSchema, PolicyPutSchema, PolicySchema, PolicyVersionsSchema } from "./schemas.ts";
import { unknownRule } from "./unknown-rule.ts";
import { warningsOf } from "./warnings.ts";

const example = {
  when: "Q_HEALTH_ALERT",
  where: 'facts.kind == "disk" && facts.state == "raised"',
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
  summary: "A rule and its versions, newest first",
  tags: ["policy"],
  ...secured("signals:read"),
  request: { params: PolicyPath },
  responses: { 200: json(PolicyVersionsSchema, "The rule; null if it was deleted"), ...problems(404) },
});

const putPolicy = createRoute({
  method: "put",
  path: "/v1/{eco}/policies/{id}",
  operationId: "putPolicy",
  summary: "Put a rule in force",
  description:
    "The rule decides on every signal that the log receives after the answer. With `version`, only if that version is in " +
    "force (0: only if the rule does not exist). Recorded as the signal Q_POLICY_CHANGED. A built-in rule is changed like any other.",
  tags: ["policy"],
  ...secured("policy:write"),
  request: { params: PolicyPath, body: ruleBody },
  responses: { 200: json(PolicyPutSchema, "The rule as it is now"), ...problems(400, 409, 413, 415) },
});

const patchPolicy = createRoute({
  method: "patch",
  path: "/v1/{eco}/policies/{id}",
  operationId: "enablePolicy",
  summary: "Enable or disable a rule",
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
  summary: "Delete a rule. A changed built-in rule goes back to its original",
  tags: ["policy"],
  ...secured("policy:write"),
  request: { params: PolicyPath },
  responses: { 200: json(PolicyChangesSchema, "What changed"), ...problems(404, 409) },
});

/** The OpenAPI description of a body with several rules. */
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
  summary: "Replace all rules, at one sequence number of the log",
  description:
    "Rules that are not named are deleted; built-in rules that are not named go back to their originals. All or nothing: " +
    "one invalid rule refuses the set.",
  tags: ["policy"],
  ...secured("policy:write"),
  request: {
    params: EcosystemPath,
    body: policySet({ id: "tell-of-full-disks", ...example }),
  },
  responses: { 200: json(PolicyChangesSchema, "What changed"), ...problems(400, 409, 413, 415) },
});

const changePolicies = createRoute({
  method: "patch",
  path: "/v1/{eco}/policies",
  operationId: "changePolicies",
  summary: "Put several rules in force, at one sequence number of the log",
  description:
    "Rules that are not named stay as they are. All or nothing: one invalid rule refuses the set, and so does one whose " +
    "`version` is not in force (0: the rule does not exist).",
  tags: ["policy"],
  ...secured("policy:write"),
  request: {
    params: EcosystemPath,
    body: policySet({ id: "tell-of-full-disks", version: 3, ...example }),
  },
  responses: { 200: json(PolicyChangesSchema, "What changed"), ...problems(400, 409, 413, 415) },
});

const EnabledChange = z.strictObject({ enabled: z.boolean({ error: "give true or false" }) });

export const policies = newApi()
  .openapi(listPolicies, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json({ policies: await policyState(c.env, eco).policies() }, 200);
  })
  .openapi(getPolicy, async (c) => {
    const { eco, id } = c.req.valid("param");
    const found = await policyState(c.env, eco).policy(id);
    if (found.policy === null && found.versions.length === 0) throw unknownRule(id);
    return c.json(found, 200);
  })
  .openapi(putPolicy, async (c) => {
    const { eco, id } = c.req.valid("param");
    const edit = admit(await readJson(c.req.raw), "", id);
    if ("errors" in edit) throw invalidRule(edit.errors);
    mustBeAllowed(c.get("grant"), eco, [edit]);
    await mustKnowEndpoints(c.env, eco, [edit]);
    const { id: by, name } = c.get("grant");
    accepted(await policyState(c.env, eco).changePolicies([edit], { id: by, name }));
    const [inForce, warned] = await Promise.all([policyInForce(c.env, eco, id), warningsOf(c.env, eco, [edit])]);
    return c.json({ ...inForce, ...warned }, 200);
  })
  .openapi(patchPolicy, async (c) => {
    const { eco, id } = c.req.valid("param");
    const change = EnabledChange.safeParse(await readJson(c.req.raw));
    if (!change.success) {
      throw invalidRule([
        { pointer: "/enabled", message: "give true or false, and no other field; use PUT to change a rule" },
      ]);
    }
    const { policy } = await policyState(c.env, eco).policy(id);
    if (change.data.enabled && policy !== null) mustBeAllowed(c.get("grant"), eco, [{ id, rule: policy }]);
    const { id: by, name } = c.get("grant");
    const answer = await policyState(c.env, eco).enablePolicy(id, change.data.enabled, { id: by, name });
    if (answer === null) throw unknownRule(id);
    accepted(answer);
    return c.json(await policyInForce(c.env, eco, id), 200);
  })
  .openapi(deletePolicy, async (c) => {
    const { eco, id } = c.req.valid("param");
    const { id: by, name } = c.get("grant");
    const answer = await policyState(c.env, eco).deletePolicy(id, undefined, { id: by, name });
    if ("kept" in answer) throw answer.kept === "unknown" ? unknownRule(id) : unchangedBuiltIn(id);
    return c.json(accepted(answer), 200);
  })
  .openapi(changePolicies, async (c) => {
    const { eco } = c.req.valid("param");
    const edits = admitSet(await readJson(c.req.raw));
    mustBeAllowed(c.get("grant"), eco, edits, inSet);
    await mustKnowEndpoints(c.env, eco, edits, inSet);
    const { id: by, name } = c.get("grant");
    const changes = accepted(await policyState(c.env, eco).changePolicies(edits, { id: by, name }));
    return c.json({ ...changes, ...(await warningsOf(c.env, eco, edits)) }, 200);
  })
  .openapi(replacePolicies, async (c) => {
    const { eco } = c.req.valid("param");
    const edits = admitSet(await readJson(c.req.raw));
    mustBeAllowed(c.get("grant"), eco, edits, inSet);
    await mustKnowEndpoints(c.env, eco, edits, inSet);
    const { id: by, name } = c.get("grant");
    const changes = accepted(await policyState(c.env, eco).replacePolicies(edits, { id: by, name }));
    return c.json({ ...changes, ...(await warningsOf(c.env, eco, edits)) }, 200);
  });

/** The rule as it is now; somebody else may have deleted it since it was changed. */
async function policyInForce(env: Environment, ecosystem: string, id: string): Promise<Policy> {
  const { policy } = await policyState(env, ecosystem).policy(id);
  if (policy === null) throw unknownRule(id);
  return policy;
}

const inSet = (place: number) => `/policies/${place}`;

function admitSet(body: unknown): RuleEdit[] {
  const list = (body as { policies?: unknown } | null)?.policies;
  if (!Array.isArray(list) || Object.keys(body as object).length !== 1) {
    throw invalidRule([{ pointer: "/policies", message: "give {policies: [rules]}, and no other field" }]);
  }
  const edits: RuleEdit[] = [];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, rule] of list.entries()) {
    const edit = admit(rule, inSet(index));
    if ("errors" in edit) errors.push(...edit.errors);
    else if (seen.has(edit.id)) {
      errors.push({ pointer: `/policies/${index}/id`, message: `another rule of the list has the id "${edit.id}"` });
    } else edits.push(edit);
    if (!("errors" in edit)) seen.add(edit.id);
  }
  if (errors.length > 0) throw invalidRule(errors);
  return edits;
}

/** @param id - the id in the path, where there is one; the body may then leave it out */
function admit(body: unknown, at: string, id?: string): RuleEdit | { errors: readonly FieldError[] } {
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  const admitted = admitRule(isObject && id !== undefined && !("id" in body) ? { ...body, id } : body, at);
  if (!admitted.ok) return { errors: admitted.errors };
  if (id !== undefined && admitted.rule.id !== id) {
    return { errors: [{ pointer: `${at}/id`, message: `the path names another rule: "${id}"` }] };
  }
  return { id: admitted.rule.id, rule: admitted.rule, expected: admitted.expected };
}

const invalidRule = (errors: readonly FieldError[]) => invalid("invalid-policy", "Invalid rule", errors);

function unchangedBuiltIn(id: string): Refusal {
  const detail = `The built-in rule "${id}" is unchanged. Disable it instead: PATCH with {"enabled": false}.`;
  return new Refusal(problem("built-in", 409, "A built-in rule cannot be deleted", detail));
}
