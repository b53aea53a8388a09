import { answerSchema, messagesOf, type Question } from "../../core/models/question.ts";
import { readFault, readWorkersAi } from "../../core/models/read-workers-ai.ts";
import type { Model } from "../../core/models/settings.ts";
import type { ModelReply } from "./model-reply.ts";

/** What Workers AI's binding is to us. */
export interface AiBinding {
  run(model: string, input: Record<string, unknown>, options?: { signal?: AbortSignal }): Promise<unknown>;
}

/**
 * Asks a model of Workers AI, held to the schema of the answer where it can be. Not all models can: one that says so is
 * asked once more without, since the question says what the answer has to look like, and the answer is checked anyway.
 *
 * @param ai - the binding, where the deployment has one
 * @throws `TimeoutError` when there is no answer within the question's time
 */
export async function askWorkersAi(model: Model, question: Question, ai: AiBinding | undefined): Promise<ModelReply> {
  if (ai === undefined) return { ok: false, why: "unreachable", detail: "this deployment has no binding AI" };
  const schema = { response_format: { type: "json_schema", json_schema: answerSchema(question) } };
  const signal = AbortSignal.timeout(question.timeoutMs);
  const { promise: late, reject } = Promise.withResolvers<never>();
  // An older runtime does not know the signal.
  signal.addEventListener("abort", () => reject(signal.reason));
  const ask = async (form: object): Promise<ModelReply & { noSchema?: true }> => {
    const input = { messages: messagesOf(question), temperature: 0, max_tokens: model.max_tokens, ...form };
    try {
      const written = readWorkersAi(await Promise.race([ai.run(model.model, input, { signal }), late]));
      return written === undefined
        ? { ok: false, why: "nonsense", detail: "the answer is not what Workers AI gives" }
        : { ok: true, ...written };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      return { ok: false, ...readFault(error) };
    }
  };
  const { noSchema, ...heard } = await ask(schema);
  if (noSchema !== true) return heard;
  const { noSchema: _, ...again } = await ask({});
  return again;
}
