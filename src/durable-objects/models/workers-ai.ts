import { answerSchema, messagesOf, type Question } from "../../core/models/question.ts";
import { readFault, readWorkersAi } from "../../core/models/read-workers-ai.ts";
import type { Model } from "../../core/models/settings.ts";
import type { ModelReply } from "./model-reply.ts";

/** The call of the Workers AI binding. */
export interface AiBinding {
  run(model: string, input: Record<string, unknown>, options?: { signal?: AbortSignal }): Promise<unknown>;
}

/**
 * Asks a model of Workers AI, with the schema of the answer where the model supports one. A model that reports that it
 * does not is asked once more without a schema: the prompt describes the answer, and the answer is checked anyway.
 *
 * @param ai - the binding, where the deployment has one
 * @throws `TimeoutError` when there is no answer within the question's time
 */
export async function askWorkersAi(model: Model, question: Question, ai: AiBinding | undefined): Promise<ModelReply> {
  if (ai === undefined) return { ok: false, why: "unreachable", detail: "this deployment has no binding AI" };
  const schema = { response_format: { type: "json_schema", json_schema: answerSchema(question) } };
  const signal = AbortSignal.timeout(question.timeoutMs);
  const { promise: timedOut, reject } = Promise.withResolvers<never>();
  // An older runtime ignores the signal.
  signal.addEventListener("abort", () => reject(signal.reason));
  const ask = async (form: object): Promise<ModelReply & { noSchema?: true }> => {
    const input = { messages: messagesOf(question), temperature: 0, max_tokens: model.max_tokens, ...form };
    try {
      const completion = readWorkersAi(await Promise.race([ai.run(model.model, input, { signal }), timedOut]));
      return completion === undefined
        ? { ok: false, why: "nonsense", detail: "the answer has no form of Workers AI" }
        : { ok: true, ...completion };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      return { ok: false, ...readFault(error) };
    }
  };
  const { noSchema, ...reply } = await ask(schema);
  if (noSchema !== true) return reply;
  const { noSchema: _, ...secondReply } = await ask({});
  return secondReply;
}
