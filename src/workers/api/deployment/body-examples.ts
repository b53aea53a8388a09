type JsonSchema = Record<string, unknown>;

const LEASE = { lease_id: "the-lease-of-the-task" };

/** What a caller may send, by the name of the schema. */
export const SCHEMA_EXAMPLES: Readonly<Record<string, unknown>> = {
  NewToken: { name: "ci", scopes: ["signals:write"], ecosystems: ["default"] },
  NewSession: { act: false },
  SessionStart: { code: "the-code-of-ganglion-open" },
  NewCall: { recipient: "coder", type: "REVIEW", payload: { branch: "main" }, timeout_ms: 5_000 },
  QueueSettingsChange: { max_attempts: 5 },
  PauseRequest: { reason: "the model is being replaced" },
  BulkTasksRequest: { filter: {}, dry_run: true },
  LeaseRequest: { recipient: "coder", max: 1, wait_ms: 10_000 },
  CompleteRequest: { ...LEASE, result: { merged: true } },
  FailRequest: { ...LEASE, error: "the tests fail" },
  ExtendRequest: { ...LEASE, lease_ms: 60_000 },
  ReleaseRequest: LEASE,
  ParkRequest: { ...LEASE, question: "deploy-42" },
  ReceiveRequest: { max: 10, wait_ms: 10_000 },
  ActRequest: { result: { merged: true } },
  NewWebhook: { url: "https://hooks.example.org/ganglion", format: "slack" },
  WebhookChange: { enabled: false },
  NewInboxSource: { verify: { kind: "github" }, signal: "REPOSITORY_PUSHED" },
  NewBridge: { to: "fleet", signals: "CAPABILITY_GAP" },
  NewBudget: { monthly_usd: 20 },
  DeadLetterFilter: { kind: "task" },
  RolloutChange: { share: 10, note: "ten of a hundred askers" },
  RollbackRequest: { note: "answers are mixed up" },
  OutcomeReport: { reporter: "gpu-01", number: 1, version: 1 },
};

/** What a caller may send whose schema is the call's own, by the id of the operation. */
const OPERATION_EXAMPLES: Readonly<Record<string, unknown>> = {
  emitFacts: { promotion_count: 3 },
  takeClaudeCodeHook: { session_id: "s-1", hook_event_name: "Stop" },
  replayDeadLetters: { filter: { kind: "task" }, dry_run: true },
  discardDeadLetters: { filter: { kind: "task" }, dry_run: true },
  replayDeadLetter: { signal: { signal: "X_BUILD_COMPLETE", source: "ci", facts: { build: 17 } } },
  answerQuestion: { answer: "yes" },
  askPermission: {
    tool_name: "Bash",
    description: "Publish the package",
    input_preview: "npm publish",
    recipient: "ops",
  },
  answerPermission: { behavior: "allow" },
  reportScheduleRun: { state: "started", run: "night-17" },
  mcp: { jsonrpc: "2.0", id: 1, method: "tools/list" },
  eraseSource: { source: "team/alice", dry_run: true },
};

/** The schema of a body with an example: its own, else that of the operation. */
export function withBodyExample(operationId: string | undefined, schema: JsonSchema): JsonSchema {
  const example = OPERATION_EXAMPLES[operationId ?? ""];
  return example === undefined || "example" in schema || "examples" in schema ? schema : { ...schema, example };
}

/** What may stand in a body, as text: the example of the schema, or of what the schema names, else what it requires. */
export function bodyExample(schema: unknown, schemas: Readonly<Record<string, unknown>>): string | undefined {
  if (!isSchema(schema)) return undefined;
  const { $ref, example, examples, oneOf, items } = schema;
  if (example !== undefined) return JSON.stringify(example, null, 2);
  if (Array.isArray(examples) && examples.length > 0) return JSON.stringify(examples[0], null, 2);
  if (typeof $ref === "string") return bodyExample(schemas[nameIn($ref)], schemas);
  if (Array.isArray(oneOf)) return bodyExample(oneOf[0], schemas);
  const one = bodyExample(items, schemas);
  if (one !== undefined) return JSON.stringify([JSON.parse(one)], null, 2);
  return isSchema(schema.properties)
    ? JSON.stringify(skeleton(schema.properties, schema.required), null, 2)
    : undefined;
}

/** What must be there, with values to be replaced. */
function skeleton(properties: JsonSchema, required: unknown): JsonSchema {
  const names = Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
  return Object.fromEntries(names.map((name) => [name, placeholder(properties[name])]));
}

function placeholder(schema: unknown): unknown {
  if (!isSchema(schema)) return "…";
  const { example, type } = schema;
  if (example !== undefined) return example;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  return type === "integer" || type === "number" ? 0 : type === "boolean" ? false : "…";
}

/** The schemas that a body names, directly or as one of several. */
export function namesOf(schema: unknown): string[] {
  if (!isSchema(schema)) return [];
  const { $ref, oneOf, items } = schema;
  if (typeof $ref === "string") return [nameIn($ref)];
  return [...new Set([...(Array.isArray(oneOf) ? oneOf : []), items].flatMap(namesOf))];
}

const nameIn = (reference: string) => reference.slice(reference.lastIndexOf("/") + 1);

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
