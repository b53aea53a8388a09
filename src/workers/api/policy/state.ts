import { createRoute } from "@hono/zod-openapi";
import { MAX_MARKS, StateImport } from "../../../core/policy/state-import.ts";
import { fieldErrors } from "../../../core/problem/field-errors.ts";
import { policyState } from "../../bindings/objects.ts";
import { readJson } from "../http/body.ts";
import { invalid } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { PolicyPath } from "./policy-path.ts";
import { StateImportedSchema } from "./schemas.ts";
import { unknownRule } from "./unknown-rule.ts";

const time = { type: "string", format: "date-time" } as const;
const marks = (field: "since" | "at", description: string) => ({
  type: "array" as const,
  description,
  items: {
    type: "object" as const,
    required: [field],
    properties: {
      key: { type: "string" as const, description: "Value of the rule's `by`, where it has one" },
      [field]: time,
      until: { ...time, description: "Where it ends before the rule's own time is over" },
    },
    additionalProperties: false,
  },
});

const importPolicyState = createRoute({
  method: "post",
  path: "/v1/{eco}/policies/{id}/state",
  operationId: "importPolicyState",
  summary: "Take over what an older system has begun, so that the rule does not begin it again",
  description:
    "Marks hold the rule back and never do anything else. `in_flight`: work that has not ended, for a rule with " +
    "`while_in_flight`; it is in flight until the signal that ends it comes, or `at_most` after `since` is over. `fired`: " +
    "firings, for a rule with `cooldown`, or, with a key, `once_per`. A mark counts once, however often it is imported, and " +
    `until it would have ended. ${MAX_MARKS} marks at most in a call. The decisions of the rule show the import, and so does ` +
    "the signal Q_POLICY_STATE_IMPORTED.",
  tags: ["policy"],
  ...secured("policy:write"),
  request: {
    params: PolicyPath,
    body: jsonBody({
      type: "object",
      properties: {
        in_flight: marks("since", "Work that has begun and not ended"),
        fired: marks("at", "When the rule would have fired"),
      },
      additionalProperties: false,
      example: { in_flight: [{ since: "2026-01-31T12:00:00.000Z" }] },
    }),
  },
  responses: { 200: json(StateImportedSchema, "What holds the rule back now"), ...problems(400, 404, 413, 415) },
});

export const policyStateImport = newApi().openapi(importPolicyState, async (c) => {
  const { eco, id } = c.req.valid("param");
  const request = StateImport.safeParse(await readJson(c.req.raw));
  if (!request.success) throw invalidState(fieldErrors(request.error.issues, "", StateImport));
  const { id: by, name } = c.get("grant");
  const answer = await policyState(c.env, eco).importState(id, request.data, { id: by, name });
  if (answer === null) throw unknownRule(id);
  if (!answer.ok) throw invalidState(answer.errors);
  const { ok: _, ...imported } = answer;
  return c.json(imported, 200);
});

const invalidState = (errors: Parameters<typeof invalid>[2]) => invalid("invalid-state", "Invalid state", errors);
