import { z } from "@hono/zod-openapi";
import type { BulkAnswer } from "../../../core/dead-letters/api.ts";
import type { DeadLetter } from "../../../core/dead-letters/dead-letter.ts";
import { DEAD_LETTER_KINDS } from "../../../core/dead-letters/record.ts";
import { ProblemSchema } from "../http/problem-schema.ts";
import { describes, time } from "../http/schema-parts.ts";

export const DeadLetterSchema = z
  .object({
    id: z.string(),
    kind: z.enum(DEAD_LETTER_KINDS),
    signal: z.unknown().optional().openapi({ description: "As it came; it need not be valid" }),
    task: z.unknown().optional().openapi({ description: "As its queue last had it" }),
    intent: z.unknown().optional().openapi({ description: "The intent file as its host read it" }),
    webhook: z.unknown().optional().openapi({ description: "The delivery that no endpoint took" }),
    reaction: z.unknown().optional().openapi({ description: "The reaction that failed, and what it was run for" }),
    host: z.string().optional().openapi({ description: "The host on which it lies" }),
    lineage: z
      .array(z.string())
      .readonly()
      .optional()
      .openapi({ description: "Ids of the signal and its causes, nearest first, where a chain was ended" }),
    error: z.string(),
    daemon: z.string(),
    attempts: z.int(),
    first_failed_at: time,
    last_failed_at: time,
    replayed_at: time.optional().openapi({ description: "When it was last replayed" }),
    replay_outcome: z.string().optional().openapi({ description: "replayed, already, or why it failed" }),
  })
  .openapi("DeadLetter");
export const DeadLettersSchema = z
  .object({ dead_letters: z.array(DeadLetterSchema), next: z.string().nullable() })
  .openapi("DeadLetters");

export const ReplayedSchema = z
  .object({
    id: z.string(),
    outcome: z.enum(["replayed", "already"]).openapi({ description: "already: it has happened, or is under way" }),
  })
  .openapi("Replayed");
export const BulkAnswerSchema = z
  .object({
    dry_run: z.boolean(),
    matched: z.int().openapi({ description: "Letters of this page" }),
    done: z.int().openapi({ description: "Replayed, or discarded" }),
    failed: z.array(z.object({ id: z.string(), problem: ProblemSchema })).readonly(),
    dead_letters: z.array(DeadLetterSchema).openapi({ description: "What matched, in a dry run" }),
    next: z.string().nullable().openapi({ description: "Give it as `after` for the rest; null: there is none" }),
  })
  .openapi("DeadLettersHandled");

describes<DeadLetter>()(DeadLetterSchema);
describes<BulkAnswer>()(BulkAnswerSchema);
