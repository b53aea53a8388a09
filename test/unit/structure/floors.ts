/**
 * Which folder may import which. The first entry whose prefix a file has counts; imports that stay inside of that prefix
 * are always allowed. `test/` may import everything, and nothing may import `test/`.
 */
export const FLOORS: readonly { readonly in: string; readonly mayImport: readonly string[] }[] = [
  { in: "src/core/", mayImport: [] },
  { in: "src/durable-objects/", mayImport: ["src/core/"] },
  { in: "src/workers/", mayImport: ["src/core/", "src/durable-objects/"] },
  { in: "src/client/", mayImport: ["src/core/"] },
  { in: "dashboard/", mayImport: ["src/core/", "src/client/"] },
  { in: "cli/", mayImport: ["src/core/", "src/client/", ...ofTheAgent()] },
  { in: "local-agent/", mayImport: ["src/core/", "src/client/"] },
  // It runs the built bundle, and reads no source of the Worker. As a service it is installed as the agent is.
  { in: "local-edge/", mayImport: ["local-agent/base/"] },
  { in: "examples/", mayImport: ["src/client/", "src/core/"] },
  { in: "scripts/", mayImport: ["src/", "cli/", "local-agent/", "local-edge/"] },
  { in: "bench/", mayImport: ["src/", "cli/", "local-agent/", "local-edge/", "scripts/"] },
];

/** The command line reaches the agent through its socket alone, and starts as the agent does. */
function ofTheAgent(): string[] {
  return ["local-agent/commands/ask-agent.ts", "local-agent/commands/protocol.ts", "local-agent/base/run-command.mjs"];
}

/** Floors of the agent, the lowest first: a file imports from its own floor and from those below. */
export const AGENT_FLOORS: readonly (readonly string[])[] = [
  ["base"],
  ["store"],
  ["feature"],
  [
    "agent-sessions",
    "bus",
    "checks",
    "commands",
    "file-tasks",
    "intelligence",
    "intents",
    "limits",
    "link",
    "metric-files",
    "monitors",
    "reactions",
    "sampler",
    "supervisor",
    "telemetry",
  ],
  // The document of all settings is made of the features' sections.
  ["config"],
  ["install"],
  ["app"],
  ["main.ts", "ganglion-agent.mjs"],
];

/** What every concept of the core may build on. Among themselves these import only those that stand before them. */
export const CORE_BASE = [
  "problem",
  "json",
  "numbers",
  "collections",
  "billing",
  "group-commit",
  "signals",
  "times",
  "quotas",
  "wire",
] as const;

/** What a concept of the core may import beside {@link CORE_BASE}. Lineage and deployment look at others, and nothing imports them. */
export const CORE_NEIGHBOURS: Readonly<Record<string, readonly string[]>> = {
  "agent-sessions": ["limits"],
  attention: [
    "agent-sessions",
    "dead-letters",
    "hosts",
    "introspection",
    "locks",
    "limits",
    "models",
    "policy",
    "questions",
    "queue",
    "schedules",
    "telemetry",
    "webhooks",
  ],
  "dead-letters": ["projection", "queue", "webhooks"],
  deployment: ["policy", "projection", "telemetry"],
  erasure: ["projection"],
  federation: ["access", "hosts", "policy", "queue"],
  inbox: ["cloudevents", "policy", "webhooks"],
  metrics: ["hosts", "introspection", "locks", "models", "questions", "queue"],
  lineage: ["dead-letters", "policy", "queue"],
  mail: ["queue"],
  overview: ["attention", "hosts", "introspection", "queue"],
  policy: ["models", "queue"],
  queue: ["limits", "notes"],
  reactions: ["queue"],
  questions: ["policy", "queue"],
  schedules: ["policy", "queue"],
  telemetry: ["policy", "queue", "webhooks"],
  webhooks: ["cloudevents", "policy"],
};
