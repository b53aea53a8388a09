import { INTELLIGENCE_QUEUE } from "../../../core/intelligence/call-types.ts";
import type { ContextRequest } from "../../../core/intelligence/context.ts";
import { writeEvent } from "../../../core/intelligence/envelope.ts";
import { type LiveOutcome, patternsIn } from "../../../core/intelligence/live-patterns.ts";
import { filePatternOf, type NodeType } from "../../../core/intelligence/node-types.ts";
import type { CallAnswer } from "../../../core/queue/api.ts";
import { problemOfCall } from "../../../core/queue/call-problems.ts";
import type { NewTask } from "../../../core/queue/task.ts";
import type { Environment } from "../../bindings/environment.ts";
import { findQueue } from "../queue/existing-queue.ts";

/** Most patterns that one context holds. */
const PATTERNS = 10;
const SERVICE = "ganglion/context";

export interface Discovery {
  readonly env: Environment;
  readonly ecosystem: string;
  /** Type of the calls that the responders answer. */
  readonly topic: string;
  readonly correlationId: string;
  readonly timeoutMs: number;
}

/** Asks whichever host has code for nodes of a type, as any caller does: first for those of the domain, then for all. */
export async function discover(
  discovery: Discovery,
  type: NodeType,
  { domain }: Pick<ContextRequest, "domain">,
): Promise<LiveOutcome> {
  const endMs = Date.now() + discovery.timeoutMs;
  const own = await ask(discovery, type, domain, discovery.timeoutMs);
  if (!("patterns" in own) || own.patterns.length > 0 || domain === "") return own;
  // Nodes of the same kind for other domains show the kind all the same.
  return ask(discovery, type, "", Math.max(1, endMs - Date.now()));
}

async function ask(
  { env, ecosystem, topic, correlationId }: Discovery,
  type: NodeType,
  domain: string,
  timeoutMs: number,
): Promise<LiveOutcome> {
  const queue = await findQueue(env, ecosystem, INTELLIGENCE_QUEUE);
  if (queue === undefined) return NO_RESPONDER;
  const options = { limit: PATTERNS, ...(domain === "" ? {} : { domain }) };
  const payload = {
    source_path: filePatternOf(type),
    language: "python",
    operation_type: "PATTERN_EXTRACTION",
    options,
  };
  const event = writeEvent(
    "requested",
    { correlationId, payload },
    { eventId: crypto.randomUUID(), service: SERVICE, instanceId: SERVICE, nowMs: Date.now() },
  );
  const task: NewTask = {
    taskId: `c${event.event_id}`,
    recipient: "*",
    type: topic,
    payloadJson: JSON.stringify(event),
    sender: SERVICE,
    priority: 5,
    delayMs: 0,
    maxAttempts: 3,
    timeoutMs: null,
    deadlineMs: timeoutMs,
    caller: "http",
    cause: null,
  };
  return outcomeOf(await queue.call(task, timeoutMs, true), correlationId, timeoutMs);
}

const NO_RESPONDER: LiveOutcome = { reason: "no_responder", message: "no host that has code is connected" };

function outcomeOf(answer: CallAnswer, correlationId: string, timeoutMs: number): LiveOutcome {
  if ("overloaded" in answer) return { reason: "connection_failed", message: "the queue is overloaded" };
  if ("pending" in answer) return { reason: "timeout", message: `no answer within ${timeoutMs} ms` };
  if ("refused" in answer) return refused(answer);
  if (answer.outcome === "complete") return patternsIn(JSON.parse(answer.resultJson ?? "null"), correlationId);
  if (answer.outcome === "expired") return { reason: "timeout", message: `nobody took the request in time` };
  const { outcome, error, responder } = answer;
  const { title, detail } = problemOfCall({ taskId: answer.correlation_id, outcome, error, worker: responder });
  return { reason: "failed_answer", message: detail === undefined ? title : `${title}: ${detail}` };
}

function refused(answer: Extract<CallAnswer, { refused: unknown }>): LiveOutcome {
  switch (answer.refused) {
    case "no_responder":
      return NO_RESPONDER;
    case "breaker_open":
      return { reason: "breaker_open", message: answer.reason };
    case "full":
    case "not_a_call":
      return { reason: "connection_failed", message: "the queue takes no more requests" };
  }
}
