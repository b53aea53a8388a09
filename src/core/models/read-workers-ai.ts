import * as z from "zod";
import { ChatCompletion, type CompletionText, tokensOf, Usage } from "./read-answer.ts";

/** The form of most models. With a schema, `response` is an object instead of a text. */
const Native = z.object({ response: z.union([z.string(), z.record(z.string(), z.unknown())]), usage: Usage });
const Count = z.number().nonnegative();
/** The form of models that answer as OpenAI's Responses API does. */
const Responses = z.object({
  output: z.array(
    z.object({
      type: z.string(),
      content: z
        .array(z.object({ text: z.string().optional() }))
        .nullish()
        .catch(null),
    }),
  ),
  usage: z.object({ input_tokens: Count, output_tokens: Count }).nullish().catch(null),
});

/**
 * Reads a result of the Workers AI binding: its own form, a chat completion, or a response in OpenAI's newer form,
 * depending on the model.
 *
 * @returns `undefined` where the result has none of these forms
 * @see https://developers.cloudflare.com/workers-ai/features/json-mode/
 */
export function readWorkersAi(result: unknown): CompletionText | undefined {
  const native = Native.safeParse(result);
  if (native.success) {
    const { response, usage } = native.data;
    return { text: typeof response === "string" ? response : JSON.stringify(response), tokens: tokensOf(usage) };
  }
  const completion = ChatCompletion.safeParse(result);
  if (completion.success) {
    const { choices, usage } = completion.data;
    return { text: choices[0]?.message.content ?? "", tokens: tokensOf(usage) };
  }
  const responses = Responses.safeParse(result);
  if (!responses.success) return undefined;
  const { output, usage } = responses.data;
  const parts = output.filter(({ type }) => type === "message").flatMap(({ content }) => content ?? []);
  if (parts.length === 0) return undefined;
  return {
    text: parts.map(({ text = "" }) => text).join(""),
    tokens: usage === null || usage === undefined ? undefined : { in: usage.input_tokens, out: usage.output_tokens },
  };
}

/** What an error of the binding means. The message of the error is not passed on: it may quote the prompt. */
export interface WorkersAiFault {
  readonly why: "timeout" | "refused" | "nonsense" | "unreachable";
  readonly detail: string;
  /** The model does not support a schema, but can be asked without one. */
  readonly noSchema?: true;
}

/** Meaning of the error codes of Workers AI. @see https://developers.cloudflare.com/workers-ai/platform/errors/ */
const MEANING: Readonly<Record<string, string>> = {
  3036: "the account's free allocation for today is used up",
  3040: "no capacity left at the moment",
  3041: "the account may not use this model",
  3042: "unknown model",
  5007: "unknown model",
  5016: "the account has not agreed to the terms of the model",
  5018: "the account may not use this model",
  5025: "the model does not support a schema",
};

/** @param error - thrown by `env.AI.run`; its message begins with the code, as in `5007: No such model …` */
export function readFault(error: unknown): WorkersAiFault {
  const message = error instanceof Error ? error.message : String(error);
  if (/JSON Mode couldn't be met/i.test(message)) {
    return { why: "nonsense", detail: "the model could not keep to the form of the answer" };
  }
  const code = /^(?:\w*Error: )?(\d{4}):/.exec(message)?.[1];
  if (code === undefined)
    return { why: "unreachable", detail: "Workers AI could not be reached, or the connection was lost" };
  if (code === "3007" || code === "3008") return { why: "timeout", detail: `Workers AI timed out (${code})` };
  const detail = `Workers AI refused the question: ${MEANING[code] ?? "see its list of errors"} (${code})`;
  return { why: "refused", detail, ...(code === "5025" ? { noSchema: true } : {}) };
}
