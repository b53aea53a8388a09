import type { Problem } from "../../../core/problem/problem.ts";

/** A result as the protocol has it, but for its frame. */
export interface ToolResult {
  readonly content: readonly { readonly type: "text"; readonly text: string }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly isError?: true;
}

/** A refusal is a result, too: whoever called can read what is wrong, and do better. */
export const refusedResult = (found: Problem): ToolResult => ({
  content: [{ type: "text", text: JSON.stringify(found) }],
  isError: true,
});
