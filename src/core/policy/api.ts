import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { Rule } from "./rule.ts";
import { RuleWarning } from "./rule-warning.ts";

/** A rule before it has a version. */
export type RuleBody = Omit<Rule, "version">;

const Seq = z.int().meta({ example: 42 });

/** A rule in force, and where it comes from. */
export const Policy = Rule.extend({
  built_in: z.boolean().meta({ description: "One of the built-in rules that every ecosystem starts with" }),
  modified: z
    .boolean()
    .meta({ description: "A built-in rule that was changed in this ecosystem; DELETE undoes the change" }),
  changed_at: Timestamp,
  changed_by: z
    .string()
    .nullable()
    .meta({ description: "Name of the token that changed the rule last; null: the rule came with Ganglion" }),
  changed_by_id: z.string().optional().meta({
    description: "Id of that token, whose rights count where the rule reaches into other ecosystems",
  }),
  quarantined: z
    .object({
      since: Timestamp,
      signal: z.object({ seq: Seq, id: z.string() }),
      reason: z.string(),
    })
    .optional()
    .meta({
      description:
        "The rule took more steps on this signal than its expressions may take, and is not evaluated until it is edited",
    }),
});
export type Policy = Readonly<z.output<typeof Policy>>;

const Warnings = z.array(RuleWarning).optional().meta({
  description: "What is allowed in the rules that were put and probably not meant; absent: nothing",
});

/** The answer to putting one rule. */
export const PolicyPut = Policy.extend({ warnings: Warnings });

export const Policies = z.object({ policies: z.array(Policy) });

/** One version that a rule has had. */
export const PolicyVersion = z.object({
  version: z.int(),
  changed_at: Timestamp,
  changed_by: z.string().nullable(),
  after_seq: Seq.meta({ description: "This version decided on the signals after this sequence number" }),
  rule: Rule.nullable().meta({ description: "null: the rule was deleted" }),
});
export type PolicyVersion = Readonly<z.output<typeof PolicyVersion>>;

/** A rule with its versions, newest first. */
export const PolicyHistory = z.object({ policy: Policy.nullable(), versions: z.array(PolicyVersion) });
export type PolicyHistory = Readonly<z.output<typeof PolicyHistory>>;

const Ids = z.array(z.string()).readonly();

/** The rules of an ecosystem at a glance. */
export const PolicyOverview = z.object({
  rules: z.int(),
  quarantined: Ids.meta({ description: "Rules that took too many steps and are not evaluated until they are edited" }),
  unheard: z
    .array(z.object({ endpoint: z.string(), messages: z.int().meta({ description: "How many messages" }) }))
    .optional()
    .meta({
      description: "Messages that rules send only where their endpoint exists, and that reached nobody; absent: none",
    }),
});
export type PolicyOverview = Readonly<z.output<typeof PolicyOverview>>;

/** Which rules a request changed, by their ids. */
export const PolicyChanges = z.object({
  created: Ids,
  changed: Ids,
  unchanged: Ids,
  deleted: Ids,
  after_seq: Seq.meta({ description: "The rules decide on the signals after this sequence number" }),
  warnings: Warnings,
});
export type PolicyChanges = Readonly<z.output<typeof PolicyChanges>>;

/** A request to put one rule, or to delete one; deleting a changed built-in rule brings its original back. */
export interface RuleEdit {
  readonly id: string;
  /** `null`: delete. */
  readonly rule: RuleBody | null;
  /** Only if this version is in force; 0: only if the rule does not exist. */
  readonly expected?: number | undefined;
}

/** The answer to edits of rules. Where it is not `ok`, nothing has changed. */
export type EditAnswer =
  | ({ readonly ok: true } & PolicyChanges)
  | { readonly ok: false; readonly conflict: { readonly id: string; readonly version: number } }
  | { readonly ok: false; readonly too_many: number };

/** The answer to a deletion. `kept`: the rule does not exist, or is an unchanged built-in rule. */
export type DeletionAnswer = EditAnswer | { readonly ok: false; readonly kept: "unknown" | "built_in" };

/** A signal that a rule waits for. */
export const Expectation = z.object({
  rule: z.string(),
  by: z.string().meta({ description: "Value of `by`, which the awaited signal must have too" }),
  signal: z.array(z.string()).readonly().meta({ description: "Names or patterns of the awaited signal" }),
  since: Timestamp,
  due: Timestamp.meta({ description: "A signal that the log receives after this is too late" }),
  cause: z.object({ seq: Seq, id: z.string(), signal: z.string() }),
});
export type Expectation = Readonly<z.output<typeof Expectation>>;

/** One page of expectations, the next to be due first. */
export const ExpectationPage = z.object({
  expectations: z.array(Expectation).readonly(),
  total: z.int(),
  next: z.string().nullable(),
});
export type ExpectationPage = Readonly<z.output<typeof ExpectationPage>>;
