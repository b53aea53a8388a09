import type { NoAnswer } from "../../core/models/question.ts";
import type { Written } from "../../core/models/read-answer.ts";

/** What a model or its provider sent back. */
export type ModelReply =
  | ({ readonly ok: true } & Written)
  | { readonly ok: false; readonly why: NoAnswer; readonly detail: string };
