import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { SESSION_VERDICTS } from "./verdict.ts";

const Count = z.int().nonnegative();
const amount = (description: string) => z.number().meta({ description });

/** What a session, or a chain of it, has used. */
const SessionUsage = z.object({
  input_tokens: z.number().meta({ description: "Without those that came out of the cache" }),
  output_tokens: amount("Tokens that the model wrote"),
  cache_read_tokens: amount("Tokens of the input that came out of the cache"),
  cache_write_tokens: amount("Tokens of the input that were written into the cache"),
  cost_usd: z.number().meta({ description: "By the program's own estimate; 0 where the program gives none" }),
  requests: z.number().meta({ description: "Answered by a model" }),
  api_failures: amount("Requests that the model's API refused or failed"),
  tool_calls: amount("Calls of tools that have ended"),
  tool_failures: amount("Of these, those that failed"),
  prompts: amount("Prompts that people or programs gave it"),
  active_seconds: z.number().meta({ description: "As the program counts them; 0 where it does not" }),
});

const Chain = z.object({
  chain: z.string().meta({ description: "A trace id, or a task" }),
  usage: SessionUsage.meta({ description: "What the session used for it" }),
});

/** A session of an agent that reports by telemetry or hooks. */
export const AgentSession = z.object({
  session: z.string().meta({ description: "The program's own id of the session" }),
  agent: z.string().meta({ example: "claude-code", description: "The program" }),
  source: z.string().meta({ description: "Of its first signal" }),
  verdict: z.enum(SESSION_VERDICTS).meta({
    description: "waiting: for a person; idle: for its next prompt; frozen: it owes a sign of life",
  }),
  since: Timestamp.meta({ description: "Since when the verdict holds" }),
  in_words: z.string().meta({ example: "in a tool call (Bash) for 12 min", description: "The verdict for people" }),
  tool: z.string().nullable().meta({ description: "The tool that is used, or that waits for a permission" }),
  notified: z.boolean().meta({ description: "Q_SESSION_WAITING or Q_SESSION_FROZEN was emitted, and still holds" }),
  model: z.string().nullable().meta({ description: "The model that answered last" }),
  version: z.string().nullable().meta({ description: "Version of the program" }),
  directory: z.string().nullable().meta({ description: "Where it works, as its hooks say" }),
  task: z.string().nullable().meta({ description: "As ganglion.task says" }),
  started_at: Timestamp,
  last_seen_at: Timestamp,
  ended_at: Timestamp.nullable().meta({ description: "null: it has not ended, as far as is known" }),
  usage: SessionUsage.meta({ description: "Of all its requests and tools" }),
  context_tokens: z.number().nullable().meta({ description: "Of the last request" }),
  context_share: z
    .number()
    .nullable()
    .meta({ description: "How full the model's context is, 0 to 1, where it is known" }),
  chains: z.array(Chain).meta({
    description: "By trace and by task; the oldest of more than 20 stand together as others",
  }),
});
export type AgentSession = Readonly<z.infer<typeof AgentSession>>;

/** Sessions, the one that was seen last first, with what they used together: of a chain, what the chain used in them. */
export const AgentSessions = z.object({ sessions: z.array(AgentSession), total: Count, usage: SessionUsage });
export type AgentSessions = Readonly<z.infer<typeof AgentSessions>>;

export interface SessionsQuery {
  readonly agent?: string | undefined;
  readonly session?: string | undefined;
  readonly verdict?: AgentSession["verdict"] | undefined;
  /** A trace id, or a task. */
  readonly chain?: string | undefined;
  readonly limit: number;
}

const rejected = (kind: string) =>
  z
    .string()
    .optional()
    .meta({ description: `Records of an export of ${kind} that were refused` });

/** The answer to an export: how much of it was refused, and why. Nothing was, where it is empty. */
export const PartialSuccess = z.object({
  partialSuccess: z
    .object({
      rejectedLogRecords: rejected("logs"),
      rejectedDataPoints: rejected("metrics"),
      rejectedSpans: rejected("traces"),
      errorMessage: z.string().meta({ description: "Why" }),
    })
    .optional()
    .meta({ description: "What was refused; absent: nothing" }),
});
