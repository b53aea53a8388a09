import { z } from "@hono/zod-openapi";
import { BulkAnswer, DeadLettersPage, Replayed } from "../../../core/dead-letters/api.ts";
import { DeadLetter } from "../../../core/dead-letters/dead-letter.ts";
import { ProblemSchema } from "../http/problem-schema.ts";
import { named } from "../http/schema-parts.ts";

export const DeadLetterSchema = named("DeadLetter", DeadLetter);
export const DeadLettersSchema = named(
  "DeadLetters",
  DeadLettersPage.extend({ dead_letters: DeadLetterSchema.array() }),
);
export const ReplayedSchema = named("Replayed", Replayed);
export const BulkAnswerSchema = z
  .object({
    ...BulkAnswer.shape,
    // The same schemas, by their names in the document.
    failed: z.array(z.object({ id: z.string(), problem: ProblemSchema })).readonly(),
    dead_letters: z.array(DeadLetterSchema).openapi({ description: "The dead letters that match, in a dry run" }),
  })
  .openapi("DeadLettersHandled");
