import * as z from "zod";
import { Ask } from "./ask.ts";
import { Duration } from "./duration.ts";
import { EffectSpec, Expression } from "./effect.ts";

/** A pattern of signal names, see core/signals/pattern.ts. */
const Pattern = z.string().regex(/^!?[A-Za-z0-9_.:*-]{1,128}$/, {
  message: "give a signal's name in which * stands for anything, such as Q_*; a ! in front excludes",
});
/** One pattern, or a list of them. */
const Patterns = z.union([Pattern.transform((pattern) => [pattern]), z.array(Pattern).min(1).max(64)], {
  error: "give a pattern of signal names, or a list of 1 to 64; * stands for anything, a ! in front excludes",
});
const Effects = z.array(EffectSpec).max(16);
const Times = z.int().min(1).max(1_000);

export const RuleId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
  message: "a rule's id starts with a letter or digit and holds a-z, 0-9 and - (63 at most)",
});

/**
 * A rule: when such a signal comes, and its facts say so, then do something (R23). Rules are data, so that they can be
 * read, kept, compared and tried out. Whatever says `by` is an expression: the rule keeps a separate account for each
 * of its values.
 */
const written = {
  id: RuleId,
  description: z.string().max(2_000).default(""),
  enabled: z.boolean().default(true),
  /** 1, asked first, to 10. Rules of one priority are asked in the order of their ids. */
  priority: z.int().min(1).max(10).default(5),
  /** When this rule fires, the rules after it are not asked about the signal. */
  final: z.boolean().optional(),
  when: Patterns,
  /** The rule fires where this is `true`; without it, always. */
  where: Expression.optional(),
  /** Fires with the nth such signal within the time, and then begins to count anew. */
  at_least: z.strictObject({ n: Times, within: Duration, by: Expression.optional() }).optional(),
  /** Once it has fired, it does not fire again for so long. */
  cooldown: Duration.optional(),
  /** Once it has fired for a value, it does not fire again for that value for so long. */
  once_per: z.strictObject({ by: Expression, within: Duration }).optional(),
  /**
   * What the rule starts is under way until a signal of `until` comes: meanwhile it does not fire again. `at_most` ends
   * it when that signal never comes, because what crashed must not hold everything back for ever.
   */
  while_in_flight: z
    .strictObject({
      by: Expression.optional(),
      until: Patterns,
      /** What an ending signal ends, over its own facts; without it, it ends all of the rule's. */
      until_by: Expression.optional(),
      at_most: Duration,
    })
    .optional(),
  /** A text that is like one of an earlier firing holds the rule back (R28), see core/similarity/. */
  near_duplicate: z
    .strictObject({
      text: Expression,
      /** Share of what two texts have in common from which they count as one question, 0 to 1. */
      threshold: z.number().gt(0).max(1),
      within: Duration,
      by: Expression.optional(),
      /** What this text is called when a later one is like it; default: the signal's id. */
      name: Expression.optional(),
      /** Where this is `true`, the text is let through whatever it is like. */
      override: Expression.optional(),
      /** What is done instead; `duplicate.of` and `duplicate.similarity` can be read. */
      else: Effects.optional(),
    })
    .optional(),
  /** Not in these times: each begins at the times of a cron expression, in a time zone, and lasts so long. */
  mute: z
    .array(z.strictObject({ from: z.string().max(128), lasts: Duration, zone: z.string().max(64).default("UTC") }))
    .max(16)
    .optional(),
  /** Kept from one signal of `when` to the next, whether or not the rule fires; read as `state.<name>`. */
  remember: z.record(z.string().regex(/^[a-z_][a-z0-9_]{0,31}$/i), Expression).optional(),
  remember_by: Expression.optional(),
  /** Loop guard: fires so often at most; what is beyond goes to the dead letters. */
  rate: z.strictObject({ n: z.int().min(1).max(1_000_000), per: Duration }).default({ n: 100, per: "1m" }),
  /** What the rule does, in order. */
  then: Effects.default([]),
  /** A language model chooses what else is done (R32). */
  ask: Ask.optional(),
  /** After the rule has fired, a signal is expected; where it does not come in time, something else is done (R24). */
  expect: z
    .strictObject({
      signal: Patterns,
      /** What belongs together: over the signal that fired the rule, and over the answer unless `answer_by` says other. */
      by: Expression.optional(),
      answer_by: Expression.optional(),
      /** Only an answer for which this is `true` counts. */
      where: Expression.optional(),
      within: Duration,
      /** An answer that came so short a time before counts too. */
      lookback: Duration.optional(),
      else: Effects.min(1),
    })
    .optional(),
};

const does = { message: "a rule that does nothing: give then, ask or expect", path: ["then"] };

/** A rule as people write it. */
export const RuleInput = z
  .strictObject({
    ...written,
    /** The version that is being changed: another one in force by then is a conflict. */
    version: z.int().nonnegative().optional(),
  })
  .refine(({ then, ask, expect }) => then.length > 0 || ask !== undefined || expect !== undefined, does);

/** A rule as it is in force. */
export const Rule = z.strictObject({ ...written, version: z.int().positive() });
export type Rule = z.output<typeof Rule>;

/** Every pattern that some rule has to see. */
export function watchedPatterns(rules: readonly Rule[]): string[] {
  const lists = rules.flatMap((rule) => [
    // What is under way when a rule is switched off must still be seen to end.
    ...(rule.while_in_flight === undefined ? [] : [rule.while_in_flight.until]),
    ...(rule.enabled ? [rule.when, ...(rule.expect === undefined ? [] : [rule.expect.signal])] : []),
  ]);
  // A list of exclusions starts from everything, and exclusions of one rule are not those of another.
  const named = lists.map((list) => list.filter((pattern) => !pattern.startsWith("!")));
  return named.some((list) => list.length === 0) ? ["*"] : [...new Set(named.flat())].sort();
}
