import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { AnswerText } from "./settings.ts";
import { QUESTION_STATES, WAYS } from "./state.ts";

const By = z.object({
  name: z.string().meta({ description: "Name of the token, of the endpoint whose link it was, or of the rule" }),
  way: z.enum(WAYS).meta({
    description: "token, session: of a caller; link: of a message; rule; timeout: the answer that silence is",
  }),
});

const Permission = z.object({
  tool_name: z.string().meta({ description: "The tool that is to be used" }),
  description: z.string().nullable().meta({ description: "What it is used for; null: not said" }),
  input_preview: z.string().nullable().meta({ description: "The beginning of what it is used with; null: not said" }),
  session: z.string().nullable().meta({ description: "Where the model works; null: not said" }),
});

/** A question as it is. */
export const Question = z.object({
  id: z.string().meta({ description: "Id of the question" }),
  question: z.string().meta({ description: "What is asked" }),
  recipient: z.string().meta({ description: "The person or role that is asked" }),
  options: z.array(z.string()).readonly().nullable().meta({ description: "null: any text is an answer" }),
  context: z.unknown().optional().meta({ description: "What the asker said beside it; any JSON" }),
  state: z.enum(QUESTION_STATES).meta({
    description: "open: it waits; expired: nobody answered in time, and silence was no answer; cancelled: taken back",
  }),
  answer: z.string().nullable().meta({ description: "null: there is none" }),
  comment: z.string().optional().meta({ description: "What was said beside the answer" }),
  answered_by: By.nullable().meta({ description: "Who answered; null: nobody did" }),
  answered_at: Timestamp.nullable().meta({ description: "When it was answered; null: it is not" }),
  asked_by: z.string().meta({ description: "Name of the token with which it was asked" }),
  asked_at: Timestamp.meta({ description: "When it was asked" }),
  expires_at: Timestamp.meta({ description: "Until when an answer counts" }),
  closed_at: Timestamp.nullable().meta({ description: "When it was over; null: it is not" }),
  on_timeout: z.string().nullable().meta({ description: "The answer that silence is; null: silence is none" }),
  reminders: z.int().meta({ description: "How often its recipient was reminded" }),
  escalate_to: z.string().nullable().meta({ description: "Who is asked too when nobody answers; null: nobody" }),
  escalated_at: Timestamp.nullable().meta({ description: "Since when `escalate_to` is asked too; null: not yet" }),
  cause: z.string().nullable().meta({ description: "Id of the signal that led to it" }),
  signal: z.string().nullable().meta({ description: "Id of the signal that tells that it was asked" }),
  permission: Permission.optional().meta({
    description: "The use of a tool that it asks permission for; absent: it is a question like any other",
  }),
});
export type Question = Readonly<z.infer<typeof Question>>;

export const QuestionPage = z.object({
  questions: z.array(Question).readonly().meta({ description: "The newest first" }),
  next: z.string().nullable().meta({ description: "Give this as `after` for the next page; null: there is none" }),
});
export type QuestionPage = Readonly<z.infer<typeof QuestionPage>>;

export const Asked = z.object({
  id: z.string().meta({ description: "Id of the question" }),
  state: z.enum(QUESTION_STATES).meta({ description: "Other than open where it was asked before under its id" }),
  expires_at: Timestamp,
});
export type Asked = Readonly<z.infer<typeof Asked>>;

export const AnswerRequest = z.strictObject({
  answer: AnswerText.meta({ description: "One of the options, where there are any" }),
  comment: z.string().max(2_000).optional().meta({ description: "What the asker should know beside it" }),
});
export type AnswerRequest = z.infer<typeof AnswerRequest>;

/** An open question, as attention shows it. */
export const QuestionFinding = Question.pick({
  id: true,
  question: true,
  recipient: true,
  options: true,
  asked_at: true,
  expires_at: true,
  escalated_at: true,
  escalate_to: true,
  signal: true,
  permission: true,
}).extend({ tasks: z.int().meta({ description: "Tasks that wait for it" }) });
export type QuestionFinding = Readonly<z.infer<typeof QuestionFinding>>;
