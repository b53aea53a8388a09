import type { Scope } from "../../../src/core/access/scopes.ts";
import { openApiDocument } from "../../../src/workers/app.ts";
import { call } from "../api/calls.ts";
import { aTask } from "../queue/queue-under-test.ts";
import { NAME } from "./channel-rows.ts";

/** Begins a session: open to the sign-in page, and to nothing else. */
export const BEGIN = "POST /v1/sessions/current";

/** Takes webhooks by the signature of their source: whoever has none is told that the source is not known. */
export const INBOX = "POST /v1/{eco}/inbox/{source}";

/** Takes tokens, and no sessions. */
export const MCP = "POST /v1/{eco}/mcp";

/** A route of the API's document, and for queues whether it is called for that of commands. */
export interface Route {
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly scopes: readonly Scope[];
  readonly inEcosystem: boolean;
  /** About all ecosystems that the token may see. */
  readonly anywhere: boolean;
  /** Of whoever has a valid token or session. */
  readonly anyone: boolean;
  /** Of any token of the ecosystem, whatever its scopes: what they allow is told apart inside. */
  readonly anyScope: boolean;
  /** The queue `hosts`, whose tasks are commands. */
  readonly commands: boolean;
}

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });

/** An export in the name of {@link NAME}. */
function anExport(groups: string, scopes: string, items: string, item: object): object {
  const resource = { attributes: [attribute("service.name", "claude-code"), attribute("ganglion.source", NAME)] };
  return { [groups]: [{ resource, [scopes]: [{ [items]: [item] }] }] };
}

/** Bodies that are valid, where a binding is looked at after the body. Any other body is empty. */
export const BODIES: Readonly<Record<string, object>> = {
  "POST /v1/{eco}/signals": { signal: "X", source: NAME, facts: {} },
  "POST /v1/{eco}/otlp/v1/logs": anExport("resourceLogs", "scopeLogs", "logRecords", {
    attributes: [attribute("event.name", "user_prompt"), attribute("session.id", "s")],
  }),
  "POST /v1/{eco}/otlp/v1/metrics": anExport("resourceMetrics", "scopeMetrics", "metrics", {
    name: "claude_code.cost.usage",
    sum: { aggregationTemporality: 1, dataPoints: [{ asDouble: 1, attributes: [attribute("session.id", "s")] }] },
  }),
  "POST /v1/{eco}/otlp/v1/traces": anExport("resourceSpans", "scopeSpans", "spans", {
    traceId: "a".repeat(32),
    spanId: "b".repeat(16),
    attributes: [attribute("gen_ai.operation.name", "chat")],
  }),
  "POST /v1/{eco}/hooks/claude-code": { session_id: "s", hook_event_name: "Stop" },
  "POST /v1/{eco}/queues/{q}/tasks": aTask({ recipient: NAME }),
  "POST /v1/{eco}/queues/{q}/calls": {
    recipient: NAME,
    type: "ASK",
    payload: 1,
    timeout_ms: 1,
    require_responder: true,
  },
  "POST /v1/{eco}/queues/{q}/lease": { recipient: NAME },
  "POST /v1/{eco}/mail": { to: NAME, from: NAME, body: 1 },
};

interface Operation {
  readonly "x-scopes"?: Scope[];
  readonly "x-scopes-for-commands"?: Scope[];
  readonly "x-anywhere"?: boolean;
  readonly "x-anyone"?: boolean;
  readonly "x-any-scope"?: boolean;
}

/** A row for each route of the document, and for each queue that it treats differently. */
export function routes(): Route[] {
  return Object.entries(openApiDocument().paths ?? {}).flatMap(([path, operations]) =>
    Object.entries(operations as Record<string, Operation>).flatMap(([verb, operation]) => {
      const method = verb.toUpperCase();
      const key = `${method} ${path}`;
      const scopes = operation["x-scopes"] ?? [];
      const anywhere = operation["x-anywhere"] === true;
      const anyone = operation["x-anyone"] === true;
      const anyScope = operation["x-any-scope"] === true;
      const route = { key, method, path, inEcosystem: path.includes("{eco}"), anywhere, anyone, anyScope };
      if (!path.includes("{q}")) return [{ ...route, scopes, commands: false }];
      const forCommands = operation["x-scopes-for-commands"] ?? scopes;
      return [
        { ...route, scopes, commands: false },
        { ...route, scopes: forCommands, commands: true },
      ];
    }),
  );
}

/** Calls a route with names that nothing has. @returns the status */
export async function askRoute(
  { key, method, path, commands }: Route,
  ecosystem: string,
  given: HeadersInit,
): Promise<number> {
  const filled = path
    .replace("{eco}", ecosystem)
    .replace("{q}", commands ? "hosts" : "work")
    .replaceAll(/\{\w+\}/g, "nothing");
  const headers = new Headers(given);
  const hasBody = method !== "GET" && method !== "DELETE";
  if (hasBody && !headers.has("Content-Type")) headers.set("Content-Type", "application/json");
  const body = hasBody ? JSON.stringify(BODIES[key] ?? {}) : null;
  const answer = await call(filled, { method, headers, body, token: null });
  answer.webSocket?.accept();
  answer.webSocket?.close(1000);
  await answer.body?.cancel();
  return answer.status;
}
