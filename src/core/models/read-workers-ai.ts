import * as z from "zod";
import { Completion, tokensOf, Usage, type Written } from "./read-answer.ts";

/** Of most models; held to a schema, an object instead of a text. */
const Native = z.object({ response: z.union([z.string(), z.record(z.string(), z.unknown())]), usage: Usage });
/** Of models that speak OpenAI's Responses. */
const Count = z.number().nonnegative();
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
 * Reads what the binding of Workers AI gives: its own form, a chat completion, or a response in OpenAI's newer form,
 * depending on the model.
 *
 * @returns `undefined` where it is none of them
 * @see https://developers.cloudflare.com/workers-ai/features/json-mode/
 */
export function readWorkersAi(result: unknown): Written | undefined {
  const native = Native.safeParse(result);
  if (native.success) {
    const { response, usage } = native.data;
    return { text: typeof response === "string" ? response : JSON.stringify(response), tokens: tokensOf(usage) };
  }
  const completion = Completion.safeParse(result);
  if (completion.success) {
    const { choices, usage } = completion.data;
    return { text: choices[0]?.message.content ?? "", tokens: tokensOf(usage) };
  }
  const responses = Responses.safeParse(result);
  if (!responses.success) return undefined;
  const { output, usage } = responses.data;
  const said = output.filter(({ type }) => type === "message").flatMap(({ content }) => content ?? []);
  if (said.length === 0) return undefined;
  return {
    text: said.map(({ text = "" }) => text).join(""),
    tokens: usage === null || usage === undefined ? undefined : { in: usage.input_tokens, out: usage.output_tokens },
  };
}

/** What an error of the binding means. Its words are not told: they may quote what was asked. */
export interface WorkersAiFault {
  readonly why: "timeout" | "refused" | "nonsense" | "unreachable";
  readonly detail: string;
  /** The model cannot be held to a schema, but may be asked without. */
  readonly noSchema?: true;
}

/** By Workers AI's codes. @see https://developers.cloudflare.com/workers-ai/platform/errors/ */
const MEANING: Readonly<Record<string, string>> = {
  3036: "the account's free allocation of the day is used up",
  3040: "it has no capacity left at the moment",
  3041: "the account may not use this model",
  3042: "there is no such model",
  5007: "there is no such model",
  5016: "the terms of the model have not been agreed to",
  5018: "the account may not use this model",
  5025: "the model cannot be held to a schema",
};

/** @param error - what `env.AI.run` threw: its message begins with the code, as in `5007: No such model …` */
export function readFault(error: unknown): WorkersAiFault {
  const message = error instanceof Error ? error.message : String(error);
  if (/JSON Mode couldn't be met/i.test(message)) {
    return { why: "nonsense", detail: "the model could not keep to the form of the answer" };
  }
  const code = /^(?:\w*Error: )?(\d{4}):/.exec(message)?.[1];
  if (code === undefined) return { why: "unreachable", detail: "Workers AI could not be reached, or broke off" };
  if (code === "3007" || code === "3008") return { why: "timeout", detail: `Workers AI gave up (${code})` };
  const detail = `Workers AI refused it: ${MEANING[code] ?? "see its list of errors"} (${code})`;
  return { why: "refused", detail, ...(code === "5025" ? { noSchema: true } : {}) };
}
