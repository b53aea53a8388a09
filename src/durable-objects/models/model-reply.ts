import type { AnswerFailure } from "../../core/models/question.ts";
import type { CompletionText } from "../../core/models/read-answer.ts";

/** The reply of a model, or why there is none. */
export type ModelReply =
  | ({ readonly ok: true } & CompletionText)
  | { readonly ok: false; readonly why: AnswerFailure; readonly detail: string };
