import { answerSchema, messagesOf, type Question } from "../../core/models/question.ts";
import { readCompletion } from "../../core/models/read-answer.ts";
import type { Model } from "../../core/models/settings.ts";
import type { Fetch } from "../shell/limited-fetch.ts";
import type { ModelReply } from "./model-reply.ts";
import { type AiBinding, askWorkersAi } from "./workers-ai.ts";

/** The maximum size of a completion; a usual one takes a few kilobytes. */
const MAX_BYTES = 256 * 1024;

/**
 * Asks one model. Never throws, and never passes on the body of an error: it may quote the key.
 *
 * @param ai - binding of Workers AI, where the deployment has one
 * @param fetch - of the object that asks
 */
export async function askModel(
  model: Model,
  question: Question,
  ai: AiBinding | undefined,
  fetch: Fetch,
): Promise<ModelReply> {
  try {
    return model.kind === "openai"
      ? await askEndpoint(model, question, fetch)
      : await askWorkersAi(model, question, ai);
  } catch (error) {
    if (error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError")) {
      return { ok: false, why: "timeout", detail: `no answer within ${question.timeoutMs} ms` };
    }
    return {
      ok: false,
      why: "unreachable",
      detail: "the model's endpoint could not be reached, or the connection was lost",
    };
  }
}

async function askEndpoint(
  model: Extract<Model, { kind: "openai" }>,
  question: Question,
  fetch: Fetch,
): Promise<ModelReply> {
  const signal = AbortSignal.timeout(question.timeoutMs);
  const response = await fetch(model.url, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(model.api_key === undefined ? {} : { Authorization: `Bearer ${model.api_key}` }),
      ...(question.trace === undefined ? {} : { traceparent: question.trace }),
    },
    body: JSON.stringify({
      model: model.model,
      messages: messagesOf(question),
      temperature: 0,
      max_tokens: model.max_tokens,
      response_format: {
        type: "json_schema",
        json_schema: { name: "choice", strict: true, schema: answerSchema(question) },
      },
    }),
    // A redirect that is followed would send the key and the prompt to another address.
    redirect: "manual",
    signal,
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    return { ok: false, why: "refused", detail: `the model's endpoint answered with status ${response.status}` };
  }
  const body = await readBounded(response, signal);
  if (body === undefined) return { ok: false, why: "nonsense", detail: `the answer has more than ${MAX_BYTES} bytes` };
  const completion = readCompletion(body);
  return completion === undefined
    ? { ok: false, why: "nonsense", detail: "the answer is not a chat completion" }
    : { ok: true, ...completion };
}

async function readBounded(response: Response, signal: AbortSignal): Promise<string | undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read();
    signal.throwIfAborted();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > MAX_BYTES) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}
