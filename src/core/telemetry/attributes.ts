/**
 * Every name that leaves in a span. The conventions for generative AI are in development and change: their names stand here
 * and nowhere else.
 *
 * @see https://github.com/open-telemetry/semantic-conventions-genai
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/
 * @see https://langfuse.com/integrations/native/opentelemetry
 */
export const ATTRIBUTE = {
  serviceName: "service.name",
  serviceNamespace: "service.namespace",
  errorType: "error.type",
  exitCode: "process.exit.code",
  sessionId: "session.id",

  operation: "gen_ai.operation.name",
  agent: "gen_ai.agent.name",
  requestModel: "gen_ai.request.model",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",

  tool: "gen_ai.tool.name",
  mcpMethod: "mcp.method.name",
  mcpRevision: "mcp.protocol.version",

  messagingSystem: "messaging.system",
  messagingQueue: "messaging.destination.name",
  messagingOperation: "messaging.operation.name",
  messagingOperationType: "messaging.operation.type",
  messageId: "messaging.message.id",

  ecosystem: "ganglion.ecosystem",
  caller: "ganglion.caller",
  test: "ganglion.test",
  input: "ganglion.input",
  output: "ganglion.output",
  signalId: "ganglion.signal.id",
  signalName: "ganglion.signal.name",
  signalSeq: "ganglion.signal.seq",
  queue: "ganglion.task.queue",
  taskId: "ganglion.task.id",
  taskType: "ganglion.task.type",
  taskPriority: "ganglion.task.priority",
  taskSender: "ganglion.task.sender",
  taskOutcome: "ganglion.task.outcome",
  taskAttempt: "ganglion.task.attempt",
  taskAttempts: "ganglion.task.attempts",
  taskWaitedMs: "ganglion.task.waited_ms",
  taskRanMs: "ganglion.task.ran_ms",
  worker: "ganglion.worker",
  rule: "ganglion.rule.id",
  ruleVersion: "ganglion.rule.version",
  decisionId: "ganglion.decision.id",
  decisionOutcome: "ganglion.decision.outcome",
  decisionBy: "ganglion.decision.by",
  decisionReason: "ganglion.decision.reason",
  decisionEffects: "ganglion.decision.effects",
  choice: "ganglion.model.choice",
  costUsd: "ganglion.model.cost_usd",
  reaction: "ganglion.reaction.name",
  reactionHost: "ganglion.reaction.host",
  reactionAttempt: "ganglion.reaction.attempt",
} as const;

/** Names that one receiver reads and others ignore. They go to it alone. */
export const LANGFUSE = {
  environment: "langfuse.environment",
  traceName: "langfuse.trace.name",
  traceTags: "langfuse.trace.tags",
  observationType: "langfuse.observation.type",
  input: "langfuse.observation.input",
  output: "langfuse.observation.output",
  cost: "langfuse.observation.cost_details",
} as const;

/** Names of spans: few, so that receivers can group by them. */
export const SPAN_NAME = {
  task: (type: string) => `task ${type}`,
  receive: (queue: string) => `receive ${queue}`,
  agent: (name: string) => `invoke_agent ${name}`,
  command: (reaction: string) => `command ${reaction}`,
  decide: (rule: string) => `decide ${rule}`,
  chat: (model: string) => `chat ${model}`,
  toolCall: (tool: string) => `tools/call ${tool}`,
  test: "ganglion export test",
} as const;

/** Values of {@link ATTRIBUTE.operation}. */
export const OPERATION = { agent: "invoke_agent", chat: "chat", tool: "execute_tool" } as const;

/** The name of this system, as service and as messaging system. */
export const GANGLION = "ganglion";
/** The instrumentation scope of every span. */
export const SCOPE = { name: "ganglion.telemetry", version: "1" } as const;
