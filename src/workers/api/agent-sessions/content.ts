import type { ContentSetting } from "../../../core/agent-sessions/record.ts";

export interface ContentVariable {
  /** `all`: the beginnings of prompts and of what tools are given are kept. Default: nothing of them. */
  readonly SESSION_CONTENT?: string;
}

/** Any other text than `all` keeps nothing: a misspelt setting must not store what people wrote. */
export const contentOf = ({ SESSION_CONTENT }: ContentVariable): ContentSetting =>
  SESSION_CONTENT === "all" ? "all" : "none";
