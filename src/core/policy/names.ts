import * as z from "zod";

/** A pattern of signal names; src/core/signals/pattern.ts matches it. */
const Pattern = z.string().regex(/^!?[A-Za-z0-9_.:*-]{1,128}$/, {
  message: "give a signal's name in which * stands for anything, such as Q_*; a ! in front excludes",
});
/** One pattern, or a list of them. */
export const Patterns = z.union([Pattern.transform((pattern) => [pattern]), z.array(Pattern).min(1).max(64)], {
  error: "give a pattern of signal names, or a list of 1 to 64; * stands for anything, a ! in front excludes",
});
export const RuleId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
  message: "a rule's id starts with a letter or digit and holds a-z, 0-9 and - (63 at most)",
});
