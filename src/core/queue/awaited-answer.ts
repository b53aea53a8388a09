import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";

/** How a question ended that a task waited for. */
export const AwaitedAnswer = z.object({
  question: z.string().meta({ description: "Id of the question" }),
  state: z.enum(["answered", "expired", "cancelled"]).meta({ description: "How the question ended" }),
  answer: z.string().nullable().meta({ description: "null: there is none" }),
  answered_by: z.string().nullable().meta({ description: "Who answered, or took the question back; null: nobody did" }),
  comment: z.string().optional().meta({ description: "What was said beside the answer; absent: nothing" }),
  at: Timestamp.meta({ description: "When the question was over" }),
});
export type AwaitedAnswer = Readonly<z.infer<typeof AwaitedAnswer>>;

/** Answers that a task keeps, at most: the last ones. */
const MAX_ANSWERS = 20;

/** What a parked task waits for. */
export const TaskWait = z.object({
  why: z.string().meta({ description: "What the task waits for, for people" }),
  question: z.string().optional().meta({ description: "Id of the question whose answer it waits for" }),
});
export type TaskWait = Readonly<z.infer<typeof TaskWait>>;

export function withAnswer(answers: readonly AwaitedAnswer[] | undefined, answer: AwaitedAnswer): AwaitedAnswer[] {
  return [...(answers ?? []), answer].slice(-MAX_ANSWERS);
}

export const hasAnswer = (answers: readonly AwaitedAnswer[] | undefined, question: string | undefined): boolean =>
  answers?.some((answer) => answer.question === question) === true;
