import { createRoute, z } from "@hono/zod-openapi";
import {
  BRIDGE_NAME,
  BRIDGE_RULE,
  BridgeInput,
  bridgeOf,
  ruleIdOf,
  ruleOfBridge,
} from "../../../core/federation/bridge.ts";
import { admitRule } from "../../../core/policy/admit-rule.ts";
import type { Environment } from "../../bindings/environment.ts";
import { policyState } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { invalid, notFound } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { accepted } from "../policy/accepted.ts";
import { mustBeAllowed } from "../policy/commanding-rules.ts";
import { BridgeSchema, BridgesSchema } from "./schemas.ts";

const BridgePath = EcosystemPath.extend({
  name: z
    .string()
    .regex(BRIDGE_NAME, BRIDGE_RULE)
    .openapi({ param: { description: "Name of the bridge" }, example: "alerts" }),
});

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/bridges",
  operationId: "listBridges",
  summary: "List the bridges to other ecosystems",
  tags: ["federation"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(BridgesSchema, "Bridges by name"), ...problems() },
});

const put = createRoute({
  method: "put",
  path: "/v1/{eco}/bridges/{name}",
  operationId: "putBridge",
  summary: "Forward signals to another ecosystem",
  description:
    "Each signal is appended to the log of `to` once. The bridge is the rule `bridge-<name>`, whose decisions show what was " +
    "forwarded. The token needs `signals:write` in `to`, now and whenever a signal is forwarded.",
  tags: ["federation"],
  ...secured("policy:write"),
  request: { params: BridgePath, body: jsonBody({ $ref: "#/components/schemas/NewBridge" }) },
  responses: { 200: json(BridgeSchema, "The bridge as it is now"), ...problems(400, 404, 409, 413, 415) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/{eco}/bridges/{name}",
  operationId: "deleteBridge",
  summary: "Delete a bridge; what it has decided to forward still arrives",
  tags: ["federation"],
  ...secured("policy:write"),
  request: { params: BridgePath },
  responses: { 204: { description: "The bridge is deleted" }, ...problems(404) },
});

export const bridges = newApi()
  .openapi(list, async (c) => c.json({ bridges: await bridgesOf(c.env, c.req.valid("param").eco) }, 200))
  .openapi(put, async (c) => {
    const { eco, name } = c.req.valid("param");
    const input = await readDocument(c.req.raw, BridgeInput, "invalid-bridge", "Invalid bridge");
    if (input.to === eco) {
      const message = "signals are forwarded to other ecosystems: name another than the bridge's own";
      throw invalid("invalid-bridge", "Invalid bridge", [{ pointer: "/to", message }]);
    }
    const admitted = admitRule(ruleOfBridge(name, input));
    if (!admitted.ok) throw invalid("invalid-bridge", "Invalid bridge", admitted.errors);
    const { rule } = admitted;
    const grant = c.get("grant");
    mustBeAllowed(grant, eco, [{ id: rule.id, rule }]);
    const by = { id: grant.id, name: grant.name };
    accepted(await policyState(c.env, eco).changePolicies([{ id: rule.id, rule }], by));
    const bridge = (await bridgesOf(c.env, eco)).find((one) => one.name === name);
    if (bridge === undefined) throw unknown(name);
    return c.json(bridge, 200);
  })
  .openapi(remove, async (c) => {
    const { eco, name } = c.req.valid("param");
    if (!(await bridgesOf(c.env, eco)).some((one) => one.name === name)) throw unknown(name);
    const { id: by, name: of } = c.get("grant");
    const answer = await policyState(c.env, eco).deletePolicy(ruleIdOf(name), undefined, { id: by, name: of });
    if ("kept" in answer) throw unknown(name);
    accepted(answer);
    return c.body(null, 204);
  });

async function bridgesOf(env: Environment, eco: string) {
  const state = policyState(env, eco);
  const [policies, waiting] = await Promise.all([state.policies(), state.forwardsWaiting()]);
  return policies.flatMap((policy) => bridgeOf(policy, (ecosystem) => waiting[ecosystem] ?? 0) ?? []);
}

const unknown = (name: string) => notFound(`No bridge "${name}". List bridges: GET /v1/{eco}/bridges.`);
