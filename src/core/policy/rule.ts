import * as z from "zod";
import { Ask } from "./ask.ts";
import { Duration } from "./duration.ts";
import { EffectSpec, Expression } from "./effect.ts";
import { Patterns, RuleId } from "./names.ts";

const Effects = z.array(EffectSpec).max(16);
const Times = z.int().min(1).max(1_000);

/**
 * A rule: when a signal of this name comes, and its facts meet the conditions, carry out effects. Rules are data, so that
 * they can be read, stored, compared and simulated. Each field `by` is an expression: the rule keeps separate state for
 * each of its values.
 */
const fields = {
  id: RuleId,
  description: z.string().max(2_000).default(""),
  enabled: z.boolean().default(true),
  /** 1, evaluated first, to 10. Rules of one priority are evaluated in the order of their ids. */
  priority: z.int().min(1).max(10).default(5),
  /** When this rule fires, the rules after it are not evaluated on the signal. */
  final: z.boolean().optional(),
  when: Patterns,
  /** The rule fires only where this is `true`. Default: always. */
  where: Expression.optional(),
  /** Fires with the nth such signal within the time, and then counts from zero. */
  at_least: z.strictObject({ n: Times, within: Duration, by: Expression.optional() }).optional(),
  /** After the rule has fired, it does not fire again for so long. */
  cooldown: Duration.optional(),
  /** After the rule has fired for a value, it does not fire again for that value for so long. */
  once_per: z.strictObject({ by: Expression, within: Duration }).optional(),
  /**
   * The work that the rule starts is in flight until a signal of `until` comes: meanwhile the rule does not fire again.
   * `at_most` ends the wait when that signal never comes, because a crashed worker must not block the rule for ever.
   */
  while_in_flight: z
    .strictObject({
      by: Expression.optional(),
      until: Patterns,
      /** Key that the ending signal ends, evaluated on that signal. Default: it ends everything in flight. */
      until_by: Expression.optional(),
      at_most: Duration,
    })
    .optional(),
  /** A text that is similar to the text of an earlier firing suppresses the rule; similarity.ts compares them. */
  near_duplicate: z
    .strictObject({
      text: Expression,
      /** Similarity from which two texts count as the same question, 0 to 1. */
      threshold: z.number().gt(0).max(1),
      within: Duration,
      by: Expression.optional(),
      /** Name of this text in `duplicate.of` of a later, similar one. Default: the signal's id. */
      name: Expression.optional(),
      /** Where this is `true`, the text passes however similar it is. */
      override: Expression.optional(),
      /** Effects of a suppressed near-duplicate; they may read `duplicate.of` and `duplicate.similarity`. */
      else: Effects.optional(),
    })
    .optional(),
  /** The rule does not fire in these windows: each begins by a cron expression in a time zone and lasts so long. */
  mute: z
    .array(z.strictObject({ from: z.string().max(128), lasts: Duration, zone: z.string().max(64).default("UTC") }))
    .max(16)
    .optional(),
  /** Values kept from one signal of `when` to the next, whether or not the rule fires; read as `state.<name>`. */
  remember: z.record(z.string().regex(/^[a-z_][a-z0-9_]{0,31}$/i), Expression).optional(),
  remember_by: Expression.optional(),
  /** Loop guard: the maximum number of firings in a time; signals beyond it become dead letters. */
  rate: z.strictObject({ n: z.int().min(1).max(1_000_000), per: Duration }).default({ n: 100, per: "1m" }),
  /**
   * Firings in a time for the signals of one source; a token or host has twice that for all its sources together. The rule is
   * suppressed beyond it, so that nobody uses up its rate, or fills a queue, alone. Default: no limit.
   */
  share: z.strictObject({ n: z.int().min(1).max(1_000_000), per: Duration }).optional(),
  /** Effects of the rule, in order. */
  then: Effects.default([]),
  /** A language model chooses further effects. */
  ask: Ask.optional(),
  /** After the rule has fired, it expects a signal; if that does not come in time, `else` is carried out. */
  expect: z
    .strictObject({
      signal: Patterns,
      /** Key of the wait, evaluated on the signal that fired the rule and, without `answer_by`, on the answer. */
      by: Expression.optional(),
      answer_by: Expression.optional(),
      /** Only an answer for which this is `true` counts. */
      where: Expression.optional(),
      within: Duration,
      /** An answer that came at most so long before the question counts too. */
      lookback: Duration.optional(),
      else: Effects.min(1),
    })
    .optional(),
};

const hasEffects = { message: "a rule without effects: give then, ask or expect", path: ["then"] };

/** A rule as people write it. */
export const RuleInput = z
  .strictObject({
    ...fields,
    /** The version that is being changed: if another one is in force, the change is refused as a conflict. */
    version: z.int().nonnegative().optional(),
  })
  .refine(({ then, ask, expect }) => then.length > 0 || ask !== undefined || expect !== undefined, hasEffects);

/** A rule as it is in force. */
export const Rule = z.strictObject({ ...fields, version: z.int().positive() });
export type Rule = z.output<typeof Rule>;

/** The patterns of all signals that the rules must receive, sorted. */
export function watchedPatterns(rules: readonly Rule[]): string[] {
  const lists = rules.flatMap((rule) => [
    // A disabled rule must still see the end of the work that it started.
    ...(rule.while_in_flight === undefined ? [] : [rule.while_in_flight.until]),
    ...(rule.enabled ? [rule.when, ...(rule.expect === undefined ? [] : [rule.expect.signal])] : []),
  ]);
  // A list of exclusions alone starts from all signals, and the exclusions of one rule are not those of another.
  const named = lists.map((list) => list.filter((pattern) => !pattern.startsWith("!")));
  return named.some((list) => list.length === 0) ? ["*"] : [...new Set(named.flat())].sort();
}
