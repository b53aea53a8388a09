import * as z from "zod";

/** Something in a rule that is allowed and probably not meant. */
export const RuleWarning = z.object({
  policy: z.string().meta({ description: "Id of the rule" }),
  pointer: z.string().meta({ description: "JSON pointer in the rule", example: "/then/0/webhook/endpoint" }),
  message: z.string(),
});
export type RuleWarning = Readonly<z.infer<typeof RuleWarning>>;
