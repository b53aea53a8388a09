import { isJsonObject } from "../json/is-json-object.ts";
import { CLAUDE_CODE } from "./claude-code.ts";
import {
  type ContentSetting,
  MAX_CONTENT,
  MAX_MESSAGE,
  MAX_NAME,
  type Meaning,
  type Reading,
  type SessionRecord,
} from "./record.ts";

/** What a caller says beside the input of a hook. */
export interface HookAround {
  readonly content: ContentSetting;
  readonly source: string | undefined;
  readonly task: string | undefined;
  /** W3C traceparent, which Claude Code gives to what it starts. */
  readonly traceparent: string | undefined;
}

/** What the input of a hook says: records, or the name of a hook that is not known. */
export type HookReading =
  | { readonly ok: true; readonly records: readonly SessionRecord[]; readonly unknown: undefined }
  | { readonly ok: true; readonly records: readonly []; readonly unknown: string }
  | { readonly ok: false; readonly pointer: string; readonly message: string };

type Input = Readonly<Record<string, unknown>>;

/** Reads the JSON that Claude Code gives to a hook. */
export function readHook(input: unknown, { content, source, task, traceparent }: HookAround): HookReading {
  if (!isJsonObject(input)) return { ok: false, pointer: "", message: "send the hook's input as a JSON object" };
  const session = text(input, "session_id");
  if (session === undefined)
    return { ok: false, pointer: "/session_id", message: "a hook's input names its session: send it unchanged" };
  const event = text(input, "hook_event_name");
  if (event === undefined)
    return { ok: false, pointer: "/hook_event_name", message: "a hook's input names its event: send it unchanged" };
  const reading = meaningOf(event, input, content);
  if (reading === undefined || reading === "known") return { ok: true, records: [], unknown: event };
  const call = text(input, "tool_use_id");
  const [, traceId, spanId] = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(traceparent ?? "") ?? [];
  const recordOf = (meaning: Meaning): SessionRecord => ({
    ...meaning,
    facts: { ...meaning.facts, thread: text(input, "agent_id") },
    session,
    agent: CLAUDE_CODE,
    from: "hooks",
    source,
    // A hook's input has no time: the hook runs when it happens.
    atMs: undefined,
    traceId,
    spanId,
    task,
    // A call of a tool begins once and ends once. Two prompts may be alike, and two replies are.
    identity: call === undefined ? undefined : `hook ${session} ${event} ${call}`,
  });
  const used = usageOf(event, input);
  return { ok: true, records: [...(used === undefined ? [] : [used]), reading].map(recordOf), unknown: undefined };
}

function meaningOf(event: string, input: Input, content: ContentSetting): Reading {
  const tool = text(input, "tool_name");
  const call = text(input, "tool_use_id");
  const given = content === "all" ? { input: contentOf(input.tool_input) } : {};
  switch (event) {
    case "SessionStart":
      return {
        signal: "Q_SESSION_BEGUN",
        facts: { how: text(input, "source"), model: text(input, "model"), directory: text(input, "cwd", 256) },
      };
    case "SessionEnd":
      return { signal: "Q_SESSION_ENDED", facts: { reason: text(input, "reason") } };
    case "UserPromptSubmit": {
      const prompt = typeof input.prompt === "string" ? input.prompt : undefined;
      return {
        signal: "Q_SESSION_PROMPTED",
        facts: {
          chars: prompt?.length,
          directory: text(input, "cwd", 256),
          ...(content === "all" ? { prompt: prompt?.slice(0, MAX_CONTENT) } : {}),
        },
      };
    }
    case "PreToolUse":
      // A tool whose only work is to ask a person.
      if (tool === "AskUserQuestion")
        return { signal: "Q_SESSION_PERMISSION_ASKED", facts: { tool, call, what: "question", ...given } };
      return { signal: "Q_SESSION_TOOL_STARTED", facts: { tool, call, ...given } };
    case "PostToolUse":
    case "PostToolUseFailure": {
      const duration_ms = typeof input.duration_ms === "number" ? Math.max(0, input.duration_ms) : undefined;
      const ok = event === "PostToolUse" && !failedOf(input.tool_response);
      return { signal: "Q_SESSION_TOOL_ENDED", facts: { tool, call, ok, duration_ms } };
    }
    case "PermissionRequest":
      return { signal: "Q_SESSION_PERMISSION_ASKED", facts: { tool, call, what: "permission", ...given } };
    case "PermissionDenied":
      return { signal: "Q_SESSION_PERMISSION_ANSWERED", facts: { tool, call, decision: "reject", by: "hook" } };
    case "Elicitation":
      return { signal: "Q_SESSION_PERMISSION_ASKED", facts: { what: "question" } };
    case "ElicitationResult":
      return { signal: "Q_SESSION_PERMISSION_ANSWERED", facts: { decision: "accept", by: "user" } };
    case "Notification":
      return notificationOf(input, content);
    case "Stop":
      return { signal: "Q_SESSION_REPLIED", facts: { ok: true } };
    case "StopFailure":
      return { signal: "Q_SESSION_REPLIED", facts: { ok: false, ...failureOf(input) } };
    case "SubagentStart":
    case "SubagentStop":
      return {
        signal: "Q_SESSION_ACTIVE",
        facts: { what: event === "SubagentStop" ? "subagent ended" : "subagent began" },
      };
    case "PreCompact":
    case "PostCompact":
      return { signal: "Q_SESSION_ACTIVE", facts: { what: event === "PreCompact" ? "compacting" : "compacted" } };
    default:
      return undefined;
  }
}

/** Older versions give no type: then the message says what it is about. */
function notificationOf(input: Input, content: ContentSetting): Reading {
  const message = text(input, "message", MAX_CONTENT);
  const type =
    text(input, "notification_type") ?? (/permission/i.test(message ?? "") ? "permission_prompt" : "idle_prompt");
  const said = content === "all" ? { message } : {};
  if (type === "permission_prompt")
    return { signal: "Q_SESSION_PERMISSION_ASKED", facts: { what: "permission", ...said } };
  if (type === "elicitation_dialog")
    return { signal: "Q_SESSION_PERMISSION_ASKED", facts: { what: "question", ...said } };
  // The session has replied, and nobody has asked it anything since.
  return { signal: "Q_SESSION_ACTIVE", facts: { what: type, ...said } };
}

/** Why a turn ended with a failure of the model's API. Older versions of the program, and other ones, name the fields otherwise. */
function failureOf(input: Input) {
  const error_type = text(input, "error_type") ?? text(input, "error");
  // The reply that is shown is the message of the failure here, and names the reset of a limit; the details name the status.
  const said = ["last_assistant_message", "error_message", "error_details"].map((key) => text(input, key, MAX_MESSAGE));
  const error = [...new Set(said.filter((one) => one !== undefined))].join("; ");
  const named = /\b[45]\d\d\b/.exec(`${text(input, "error_details") ?? ""} ${error_type ?? ""} ${error}`)?.[0];
  const status = error_type === "rate_limit" && named !== "529" ? "429" : named;
  return { error_type, status, error: error === "" ? undefined : error };
}

const TOKENS = [
  ["input_tokens", "input_tokens"],
  ["output_tokens", "output_tokens"],
  ["cache_read_tokens", "cache_read_input_tokens"],
  ["cache_write_tokens", "cache_creation_input_tokens"],
] as const;

/** What the turn has used that ends, where somebody says so: Claude Code itself does not, and its events do. */
function usageOf(event: string, input: Input): Meaning | undefined {
  if ((event !== "Stop" && event !== "StopFailure") || !isJsonObject(input.usage)) return undefined;
  const { usage } = input;
  const amount = (value: unknown) => (typeof value === "number" && value >= 0 && value <= 1e12 ? value : undefined);
  const tokens = TOKENS.map(([fact, field]) => [fact, amount(usage[field])] as const);
  const cost_usd = amount(input.total_cost_usd);
  if (cost_usd === undefined && tokens.every(([, value]) => value === undefined)) return undefined;
  return { signal: "Q_SESSION_USAGE", facts: { model: text(input, "model"), ...Object.fromEntries(tokens), cost_usd } };
}

/** Some tools answer that they failed, in a hook of a tool that was used. */
function failedOf(response: unknown): boolean {
  return isJsonObject(response) && (response.success === false || response.is_error === true);
}

function text(input: Input, key: string, most = MAX_NAME): string | undefined {
  const value = input[key];
  return typeof value === "string" && value !== "" ? value.slice(0, most) : undefined;
}

function contentOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value).slice(0, MAX_CONTENT);
}
