import * as z from "zod";
import { readJson, readJsonKeeping, refusalText } from "../json/read-json.ts";
import type { Question, TokenCount } from "./question.ts";

/** The longest answer that is read, in characters. The name of a choice and a sentence take a few hundred. */
const ANSWER_CHARS = 16_000;
const REASON_CHARS = 500;

const ChosenOption = z.strictObject({ choice: z.string(), reason: z.string().optional() });

export type ParsedAnswer =
  | { readonly ok: true; readonly choice: string; readonly reason: string | undefined }
  | { readonly ok: false; readonly detail: string };

/**
 * Reads the text of a model. Only one of the choices is accepted, character for character: a model that was talked into
 * something else, or that invents an option, has not answered.
 */
export function readAnswer(text: string, { choices }: Pick<Question, "choices">): ParsedAnswer {
  if (text.length > ANSWER_CHARS) return { ok: false, detail: `the answer has more than ${ANSWER_CHARS} characters` };
  const reading = readJson(unwrap(text));
  if (!reading.ok) {
    // Two choices in one answer are none.
    const refused = reading.malformed === undefined ? `refused: ${refusalText(reading)}` : "not JSON";
    return { ok: false, detail: `the answer is ${refused}` };
  }
  const parsed = ChosenOption.safeParse(reading.value);
  if (!parsed.success) return { ok: false, detail: "the answer is not an object with a choice and a reason" };
  const { choice, reason } = parsed.data;
  if (!choices.some(({ name }) => name === choice)) {
    return { ok: false, detail: "the answer is none of the choices" };
  }
  return { ok: true, choice, reason: reason?.slice(0, REASON_CHARS) };
}

/**
 * Removes the text that models without a schema put around their answer: a block of reasoning before it, and a Markdown
 * fence. The rest must be the answer and nothing else.
 */
function unwrap(text: string): string {
  const answer = text.replace(/^\s*<think>[\s\S]*?<\/think>/, "");
  return /^\s*```(?:json)?\s*\n([^`]*)```\s*$/.exec(answer)?.[1] ?? answer;
}

const Count = z.number().nonnegative();
/** Token counts that cannot be read are ignored; the answer stays valid. */
export const Usage = z.object({ prompt_tokens: Count, completion_tokens: Count }).nullish().catch(null);

export const ChatCompletion = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
  usage: Usage,
});

/** The text that a model wrote. */
export interface CompletionText {
  readonly text: string;
  /** `undefined`: the provider did not count them. */
  readonly tokens: TokenCount | undefined;
}

/** Reads a chat completion of OpenAI's API. @returns `undefined` where `body` is none */
export function readCompletion(body: string): CompletionText | undefined {
  // Of the provider's own fields, none but the text and the counts matter.
  const reading = readJsonKeeping(body);
  const parsed = reading.ok ? ChatCompletion.safeParse(reading.value) : undefined;
  if (parsed?.success !== true) return undefined;
  const { choices, usage } = parsed.data;
  return { text: choices[0]?.message.content ?? "", tokens: tokensOf(usage) };
}

export function tokensOf(usage: z.infer<typeof Usage>): TokenCount | undefined {
  return usage === null || usage === undefined ? undefined : { in: usage.prompt_tokens, out: usage.completion_tokens };
}
