import * as z from "zod";
import { SignalName } from "../signals/signal.ts";

/** A pattern of signal names, see core/signals/pattern.ts. */
const Pattern = z.string().min(1).max(129);
/** An expression of the Common Expression Language over `signal`, `id`, `source` and `facts`. */
const Expression = z.string().min(1).max(4_096);

/**
 * A rule: when such a signal comes, and its facts say so, then emit another (R23). Rules are data, so that they can be
 * read, kept, compared and tried out.
 */
export const Rule = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { message: "a rule's id holds a-z, 0-9 and -, 63 at most" }),
  version: z.int().positive(),
  description: z.string(),
  enabled: z.boolean(),
  when: z.array(Pattern).min(1),
  /** The rule fires where this is `true`; without it, always. */
  where: Expression.optional(),
  /**
   * What the rule starts is under way until a signal of `until` comes: meanwhile it does not fire again for the same
   * key. `at_most_ms` ends it when that signal never comes, because what crashed must not hold everything back for
   * ever.
   */
  while_in_flight: z
    .strictObject({
      key: Expression,
      until: z.array(Pattern).min(1),
      /** Key that an ending signal ends, over its own facts; without it, it ends all of the rule's. */
      until_key: Expression.optional(),
      at_most_ms: z.int().positive(),
    })
    .optional(),
  /** What the rule does, in order. Values of `facts` are expressions. */
  then: z
    .array(z.strictObject({ emit: z.strictObject({ signal: SignalName, facts: z.record(z.string(), Expression) }) }))
    .min(1),
});
export type Rule = z.infer<typeof Rule>;

/** Every pattern that some rule has to see. */
export function watchedPatterns(rules: readonly Rule[]): string[] {
  return [...new Set(rules.flatMap((rule) => [...rule.when, ...(rule.while_in_flight?.until ?? [])]))];
}
