import * as z from "zod";
import type { Question, TokenCount } from "./question.ts";

/** Longest answer that is looked at, in characters. A chosen name and a sentence take a few hundred. */
const ANSWER_CHARS = 16_000;
const REASON_CHARS = 500;

const Chosen = z.strictObject({ choice: z.string(), reason: z.string().optional() });

export type Reading =
  | { readonly ok: true; readonly choice: string; readonly reason: string | undefined }
  | { readonly ok: false; readonly detail: string };

/**
 * Reads what a model wrote. Only one of the choices comes out, letter for letter: a model that was talked into
 * something, or that invents an option, has not answered.
 */
export function readAnswer(text: string, { choices }: Pick<Question, "choices">): Reading {
  if (text.length > ANSWER_CHARS) return { ok: false, detail: `the answer has more than ${ANSWER_CHARS} characters` };
  let value: unknown;
  try {
    value = JSON.parse(unwrap(text));
  } catch {
    return { ok: false, detail: "the answer is not JSON" };
  }
  const parsed = Chosen.safeParse(value);
  if (!parsed.success) return { ok: false, detail: "the answer is not an object with a choice and a reason" };
  const { choice, reason } = parsed.data;
  if (!choices.some(({ name }) => name === choice)) {
    return { ok: false, detail: "the answer is none of the choices" };
  }
  return { ok: true, choice, reason: reason?.slice(0, REASON_CHARS) };
}

/**
 * Takes away what models that are not held to a schema put around their answer: what they thought before it, and a fence
 * of Markdown. What is left has to be the answer and nothing else.
 */
function unwrap(text: string): string {
  const said = text.replace(/^\s*<think>[\s\S]*?<\/think>/, "");
  return /^\s*```(?:json)?\s*\n([^`]*)```\s*$/.exec(said)?.[1] ?? said;
}

const Count = z.number().nonnegative();
/** Counts that cannot be read are no counts: the answer is one all the same. */
export const Usage = z.object({ prompt_tokens: Count, completion_tokens: Count }).nullish().catch(null);

export const Completion = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
  usage: Usage,
});

/** What a model wrote, and what it cost; `undefined`: the provider did not say. */
export interface Written {
  readonly text: string;
  readonly tokens: TokenCount | undefined;
}

/** Reads a chat completion as OpenAI's API gives it. @returns `undefined` where it is none */
export function readCompletion(body: string): Written | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const parsed = Completion.safeParse(value);
  if (!parsed.success) return undefined;
  const { choices, usage } = parsed.data;
  return { text: choices[0]?.message.content ?? "", tokens: tokensOf(usage) };
}

export function tokensOf(usage: z.infer<typeof Usage>): TokenCount | undefined {
  return usage === null || usage === undefined ? undefined : { in: usage.prompt_tokens, out: usage.completion_tokens };
}
