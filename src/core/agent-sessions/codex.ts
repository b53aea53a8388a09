import { contextShare } from "./context-window.ts";
import { type Attributes, amountOf, flagOf, textOf } from "./otlp/attributes.ts";
import { type ContentSetting, MAX_CONTENT, MAX_MESSAGE, MAX_NAME, type Reading, STREAMING } from "./record.ts";

export const CODEX = "codex";

/** Reads an event of Codex. @param event - its name, without the program's */
export function codexEvent(event: string, attributes: Attributes, content: ContentSetting): Reading {
  const tool = textOf(attributes, "tool_name", MAX_NAME);
  const call = textOf(attributes, "call_id", MAX_NAME);
  switch (event) {
    case "conversation_starts":
      return { signal: "Q_SESSION_BEGUN", facts: { model: textOf(attributes, "model", MAX_NAME) } };
    case "user_prompt":
      return {
        signal: "Q_SESSION_PROMPTED",
        facts: {
          chars: amountOf(attributes, "prompt_length"),
          ...(content === "all" ? { prompt: textOf(attributes, "prompt", MAX_CONTENT) } : {}),
        },
      };
    case "tool_decision": {
      const said = textOf(attributes, "decision") ?? "";
      const decision = /denied|abort|reject/i.test(said) ? "reject" : "accept";
      const by = textOf(attributes, "source", MAX_NAME);
      return { signal: "Q_SESSION_PERMISSION_ANSWERED", facts: { tool, call, decision, by } };
    }
    case "tool_result":
      return {
        signal: "Q_SESSION_TOOL_ENDED",
        facts: {
          tool,
          call,
          ok: flagOf(attributes, "success") ?? true,
          duration_ms: amountOf(attributes, "duration_ms"),
          ...(content === "all" ? { input: textOf(attributes, "arguments", MAX_CONTENT) } : {}),
        },
      };
    case "sse_event":
    case "websocket_event":
      return streamEvent(attributes);
    case "api_request":
    case "websocket_request":
      return requestOf(attributes);
    default:
      return undefined;
  }
}

/** A request that failed. One that went well is counted by its last event, which has the tokens. */
function requestOf(attributes: Attributes): Reading {
  const status = textOf(attributes, "http.response.status_code", MAX_NAME);
  const error = textOf(attributes, "error.message", MAX_MESSAGE);
  if (error === undefined && (status === undefined || /^[123]/.test(status))) return "known";
  const [model, attempt] = [textOf(attributes, "model", MAX_NAME), amountOf(attributes, "attempt")];
  return { signal: "Q_SESSION_API_FAILED", facts: { model, status, error, attempt } };
}

/** The last event of a response holds its tokens. Its input counts those that came out of the cache, too. */
function streamEvent(attributes: Attributes): Reading {
  const model = textOf(attributes, "model", MAX_NAME);
  const kind = textOf(attributes, "event.kind");
  if (kind === "response.failed")
    return {
      signal: "Q_SESSION_API_FAILED",
      facts: { model, error: textOf(attributes, "error.message", MAX_MESSAGE) },
    };
  const all = amountOf(attributes, "input_token_count");
  if (all === undefined) return { signal: "Q_SESSION_ACTIVE", facts: { what: STREAMING } };
  const cached = Math.min(all, amountOf(attributes, "cached_token_count") ?? 0);
  return {
    signal: "Q_SESSION_USAGE",
    facts: {
      model,
      input_tokens: all - cached,
      output_tokens: amountOf(attributes, "output_token_count"),
      cache_read_tokens: cached,
      duration_ms: amountOf(attributes, "duration_ms"),
      context_tokens: all,
      context_share: contextShare(model, all),
    },
  };
}
