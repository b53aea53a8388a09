import { contextShare } from "./context-window.ts";
import { type Attributes, amountOf, flagOf, textOf } from "./otlp/attributes.ts";
import type { ReadPoint } from "./otlp/export.ts";
import { type ContentSetting, MAX_CONTENT, MAX_MESSAGE, MAX_NAME, type Reading } from "./record.ts";
import type { Counter } from "./usage.ts";

export const CLAUDE_CODE = "claude-code";

/** Events that say nothing about the state of a session. */
const OF_NO_USE = new Set([
  "mcp_server_connection",
  "plugin_installed",
  "plugin_loaded",
  "skill_activated",
  "at_mention",
  "auth",
  "permission_mode_changed",
  "hook_registered",
  "hook_execution_start",
  "hook_execution_complete",
  "internal_error",
  "assistant_response",
  "api_request_body",
  "api_response_body",
  "feedback_survey",
]);

/** Reads an event of Claude Code. @param event - its name, without the program's */
export function claudeCodeEvent(event: string, attributes: Attributes, content: ContentSetting): Reading {
  const tool = textOf(attributes, "tool_name", MAX_NAME);
  const call = textOf(attributes, "tool_use_id", MAX_NAME);
  const model = textOf(attributes, "model", MAX_NAME);
  switch (event) {
    case "user_prompt":
      return {
        signal: "Q_SESSION_PROMPTED",
        facts: {
          chars: amountOf(attributes, "prompt_length"),
          ...(content === "all" ? { prompt: textOf(attributes, "prompt", MAX_CONTENT) } : {}),
        },
      };
    case "tool_decision":
      return {
        signal: "Q_SESSION_PERMISSION_ANSWERED",
        facts: { tool, call, decision: decisionOf(attributes), by: textOf(attributes, "source", MAX_NAME) },
      };
    case "tool_result":
      return {
        signal: "Q_SESSION_TOOL_ENDED",
        facts: {
          tool,
          call,
          ok: flagOf(attributes, "success") ?? true,
          duration_ms: amountOf(attributes, "duration_ms"),
          error_type: textOf(attributes, "error_type", MAX_NAME),
          ...(content === "all" ? { input: textOf(attributes, "tool_input", MAX_CONTENT) } : {}),
        },
      };
    case "api_request":
      return { signal: "Q_SESSION_USAGE", facts: usageOfRequest(attributes, model) };
    case "api_error":
      return {
        signal: "Q_SESSION_API_FAILED",
        facts: {
          model,
          status: textOf(attributes, "status_code", MAX_NAME),
          error: textOf(attributes, "error", MAX_MESSAGE),
          attempt: amountOf(attributes, "attempt"),
          duration_ms: amountOf(attributes, "duration_ms"),
        },
      };
    case "api_retries_exhausted":
      return { signal: "Q_SESSION_ACTIVE", facts: { what: event } };
    case "compaction":
      return { signal: "Q_SESSION_ACTIVE", facts: { what: "compacting" } };
    default:
      return OF_NO_USE.has(event) ? "known" : undefined;
  }
}

function usageOfRequest(attributes: Attributes, model: string | undefined) {
  const input_tokens = amountOf(attributes, "input_tokens");
  const cache_read_tokens = amountOf(attributes, "cache_read_tokens");
  const cache_write_tokens = amountOf(attributes, "cache_creation_tokens");
  const context_tokens = (input_tokens ?? 0) + (cache_read_tokens ?? 0) + (cache_write_tokens ?? 0);
  return {
    model,
    input_tokens,
    output_tokens: amountOf(attributes, "output_tokens"),
    cache_read_tokens,
    cache_write_tokens,
    cost_usd: amountOf(attributes, "cost_usd"),
    duration_ms: amountOf(attributes, "duration_ms"),
    context_tokens,
    context_share: contextShare(model, context_tokens),
  };
}

function decisionOf(attributes: Attributes): "accept" | "reject" {
  return textOf(attributes, "decision") === "reject" ? "reject" : "accept";
}

const TOKENS: ReadonlyMap<string, Counter> = new Map([
  ["input", "input_tokens"],
  ["output", "output_tokens"],
  ["cacheRead", "cache_read_tokens"],
  ["cacheCreation", "cache_write_tokens"],
]);
/** Counters of Claude Code that say nothing about the use of a model. */
const METRICS_OF_NO_USE = new Set([
  "claude_code.session.count",
  "claude_code.lines_of_code.count",
  "claude_code.pull_request.count",
  "claude_code.commit.count",
  "claude_code.code_edit_tool.decision",
]);

/** Which counter a point of a metric of Claude Code adds to; `undefined`: an unknown metric. */
export function claudeCodeCounter({ name, attributes }: ReadPoint): Counter | "known" | undefined {
  switch (name) {
    case "claude_code.token.usage":
      return TOKENS.get(textOf(attributes, "type") ?? "");
    case "claude_code.cost.usage":
      return "cost_usd";
    case "claude_code.active_time.total":
      return "active_seconds";
    default:
      return METRICS_OF_NO_USE.has(name) ? "known" : undefined;
  }
}

/** Reads a span of Claude Code: usage and tool calls, which its events hold too. */
export function claudeCodeSpan(
  name: string,
  attributes: Attributes,
  failed: boolean,
  durationMs: number | undefined,
): Reading {
  switch (name) {
    case "claude_code.llm_request":
      return {
        signal: "Q_SESSION_USAGE",
        facts: { ...usageOfRequest(attributes, textOf(attributes, "model", MAX_NAME)), duration_ms: durationMs },
      };
    case "claude_code.tool":
      return {
        signal: "Q_SESSION_TOOL_ENDED",
        facts: {
          tool: textOf(attributes, "tool_name", MAX_NAME),
          call: textOf(attributes, "tool_use_id", MAX_NAME),
          ok: !failed,
          duration_ms: durationMs,
        },
      };
    default:
      return /^claude_code\.(interaction|hook|tool\.(blocked_on_user|execution))$/.test(name) ? "known" : undefined;
  }
}
