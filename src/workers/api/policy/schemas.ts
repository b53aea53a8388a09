import {
  Expectation,
  ExpectationPage,
  Policies,
  Policy,
  PolicyChanges,
  PolicyHistory,
  PolicyPut,
  PolicyVersion,
} from "../../../core/policy/api.ts";
import { Asked, Decision, DecisionsPage } from "../../../core/policy/decision.ts";
import { DecisionDifference, Simulated, SimulatedDecision } from "../../../core/policy/simulated.ts";
import { StateImported } from "../../../core/policy/state-import.ts";

// `meta` and not `openapi`: the latter exists only on schemas that were made after the library had extended Zod, and
// whether that came first depends on the order of imports.
const AskedSchema = Asked.meta({ id: "Asked", description: "A question to a language model, and how it was settled" });
export const DecisionSchema = Decision.extend({ asked: AskedSchema.optional() }).meta({ id: "Decision" });
export const DecisionsSchema = DecisionsPage.extend({ decisions: DecisionSchema.array().readonly() }).meta({
  id: "Decisions",
});

/** The fields of a rule are documented in docs/policies.md; here only the fields that the edge adds are listed. */
export const PolicySchema = Policy.meta({
  id: "Policy",
  type: "object",
  properties: {
    id: { type: "string" },
    version: { type: "integer" },
    enabled: { type: "boolean" },
    built_in: { type: "boolean", description: "One of the built-in rules that every ecosystem starts with" },
    modified: { type: "boolean", description: "A built-in rule that was changed in this ecosystem" },
    changed_at: { type: "string", format: "date-time" },
    changed_by: { type: ["string", "null"] },
  },
  required: ["id", "version", "enabled", "built_in", "modified", "changed_at", "changed_by"],
  additionalProperties: true,
});
export const PolicyPutSchema = PolicyPut.meta({
  id: "PolicyPut",
  type: "object",
  properties: {
    id: { type: "string" },
    version: { type: "integer" },
    warnings: {
      type: "array",
      description: "What is allowed in the rule and probably not meant; absent: nothing",
      items: {
        type: "object",
        properties: {
          policy: { type: "string", description: "Id of the rule" },
          pointer: { type: "string", description: "JSON pointer in the rule" },
          message: { type: "string" },
        },
        required: ["policy", "pointer", "message"],
      },
    },
  },
  required: ["id", "version"],
  additionalProperties: true,
});
export const PoliciesSchema = Policies.extend({ policies: PolicySchema.array() }).meta({ id: "Policies" });
export const PolicyVersionsSchema = PolicyHistory.extend({
  policy: PolicySchema.nullable(),
  versions: PolicyVersion.extend({
    rule: PolicyVersion.shape.rule.meta({ type: ["object", "null"], description: "null: the rule was deleted" }),
  }).array(),
}).meta({ id: "PolicyVersions" });
export const StateImportedSchema = StateImported.meta({ id: "PolicyStateImported" });
export const PolicyChangesSchema = PolicyChanges.meta({ id: "PolicyChanges" });
export const ExpectationsSchema = ExpectationPage.extend({ expectations: Expectation.array().readonly() }).meta({
  id: "Expectations",
});

/** The answer of a simulation. Decisions are described where they are made. */
export const SimulatedSchema = Simulated.extend({
  decisions: SimulatedDecision.meta({ type: "object", properties: {}, additionalProperties: {} })
    .array()
    .meta({ description: "What the rule would have decided, 500 at most" }),
  differences: DecisionDifference.meta({ type: "object", properties: {}, additionalProperties: {} })
    .array()
    .meta({ description: "Decisions of any rule that would have been different, 500 at most" }),
}).meta({ id: "Simulated" });
