import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { SESSION_VERDICTS } from "./verdict.ts";

const Count = z.int().nonnegative();

/** What a session, or a chain of it, has used. */
const SessionUsage = z.object({
  input_tokens: z.number().meta({ description: "Without those that came out of the cache" }),
  output_tokens: z.number(),
  cache_read_tokens: z.number(),
  cache_write_tokens: z.number(),
  cost_usd: z.number().meta({ description: "By the program's own estimate; 0 where the program gives none" }),
  requests: z.number().meta({ description: "Answered by a model" }),
  api_failures: z.number(),
  tool_calls: z.number(),
  tool_failures: z.number(),
  prompts: z.number(),
  active_seconds: z.number().meta({ description: "As the program counts them; 0 where it does not" }),
});

/** A session of an agent that reports by telemetry or hooks. */
export const AgentSession = z.object({
  session: z.string(),
  agent: z.string().meta({ example: "claude-code", description: "The program" }),
  source: z.string().meta({ description: "Of its first signal" }),
  verdict: z.enum(SESSION_VERDICTS).meta({
    description: "waiting: for a person; idle: for its next prompt; frozen: it owes a sign of life",
  }),
  since: Timestamp.meta({ description: "Since when the verdict holds" }),
  in_words: z.string().meta({ example: "in a tool call (Bash) for 12 min" }),
  tool: z.string().nullable().meta({ description: "The tool that is used, or that waits for a permission" }),
  told: z.boolean().meta({ description: "Q_SESSION_WAITING or Q_SESSION_FROZEN was emitted, and still holds" }),
  model: z.string().nullable(),
  version: z.string().nullable(),
  directory: z.string().nullable(),
  task: z.string().nullable().meta({ description: "As ganglion.task says" }),
  started_at: Timestamp,
  last_seen_at: Timestamp,
  ended_at: Timestamp.nullable(),
  usage: SessionUsage,
  context_tokens: z.number().nullable().meta({ description: "Of the last request" }),
  context_share: z
    .number()
    .nullable()
    .meta({ description: "How full the model's context is, 0 to 1, where it is known" }),
  chains: z.array(z.object({ chain: z.string(), usage: SessionUsage })).meta({
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

/** The answer to an export: how much of it was refused, and why. Nothing was, where it is empty. */
export const PartialSuccess = z.object({
  partialSuccess: z
    .object({
      rejectedLogRecords: z.string().optional(),
      rejectedDataPoints: z.string().optional(),
      rejectedSpans: z.string().optional(),
      errorMessage: z.string(),
    })
    .optional(),
});
export type PartialSuccess = Readonly<z.infer<typeof PartialSuccess>>;
