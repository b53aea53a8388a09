import { contextShare } from "./context-window.ts";
import { type Attributes, amountOf, textOf } from "./otlp/attributes.ts";
import type { ReadSpan } from "./otlp/export.ts";
import { MAX_NAME, type Reading } from "./record.ts";

/** Names of the conventions for generative AI; those of earlier versions stand behind the present ones. */
const OPERATION = "gen_ai.operation.name";
const INPUT = ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"] as const;
const OUTPUT = ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"] as const;
const CACHE_READ = ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"] as const;
const CACHE_WRITE = ["gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens"] as const;

/** Operations that ask a model. An agent's own span sums up what its requests have counted already. */
const ASKING = new Set(["chat", "text_completion", "generate_content", "embeddings"]);

/** Whether a span follows the conventions. */
export function isGenAi({ attributes }: ReadSpan): boolean {
  return attributes.has(OPERATION) || attributes.has("gen_ai.system") || attributes.has("gen_ai.provider.name");
}

/** The conversation to which a span belongs; without one, each trace is a session of its own. */
export function genAiSession({ attributes, resource, traceId }: ReadSpan): string {
  return (
    textOf(attributes, "gen_ai.conversation.id", MAX_NAME) ??
    textOf(attributes, "session.id", MAX_NAME) ??
    textOf(resource, "session.id", MAX_NAME) ??
    traceId
  );
}

/** Reads a span that follows the conventions. */
export function genAiSpan({ attributes, failed, startMs, endMs }: ReadSpan): Reading {
  const duration_ms = startMs === undefined || endMs === undefined ? undefined : Math.max(0, endMs - startMs);
  const operation = textOf(attributes, OPERATION) ?? (attributes.has(INPUT[0]) ? "chat" : "");
  const error = textOf(attributes, "error.type", MAX_NAME);
  const ok = !failed && error === undefined;
  if (operation === "execute_tool") {
    const tool = textOf(attributes, "gen_ai.tool.name", MAX_NAME);
    const call = textOf(attributes, "gen_ai.tool.call.id", MAX_NAME);
    return { signal: "Q_SESSION_TOOL_ENDED", facts: { tool, call, ok, duration_ms, error_type: error } };
  }
  if (operation === "invoke_agent") return { signal: "Q_SESSION_REPLIED", facts: { ok, duration_ms } };
  if (!ASKING.has(operation)) return operation === "create_agent" ? "known" : undefined;
  const model =
    textOf(attributes, "gen_ai.response.model", MAX_NAME) ?? textOf(attributes, "gen_ai.request.model", MAX_NAME);
  if (!ok && amountOf(attributes, ...INPUT) === undefined)
    return { signal: "Q_SESSION_API_FAILED", facts: { model, error, duration_ms } };
  return { signal: "Q_SESSION_USAGE", facts: { model, duration_ms, ...tokensOf(attributes, model) } };
}

/** By the conventions, the input counts those tokens too that were read from the cache and written into it. */
function tokensOf(attributes: Attributes, model: string | undefined) {
  const all = amountOf(attributes, ...INPUT) ?? 0;
  const read = amountOf(attributes, ...CACHE_READ) ?? 0;
  const written = amountOf(attributes, ...CACHE_WRITE) ?? 0;
  return {
    // Senders that leave the cached ones out of the input have fewer there than came out of the cache.
    input_tokens: all >= read + written ? all - read - written : all,
    output_tokens: amountOf(attributes, ...OUTPUT),
    cache_read_tokens: read,
    cache_write_tokens: written,
    cost_usd: amountOf(attributes, "gen_ai.usage.cost", "gen_ai.usage.cost_usd"),
    context_tokens: Math.max(all, read + written),
    context_share: contextShare(model, Math.max(all, read + written)),
  };
}
