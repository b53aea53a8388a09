import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { NewToken } from "../../../core/access/new-token.ts";
import { NewSession, SessionStart } from "../../../core/access/session.ts";
import { BudgetInput } from "../../../core/billing/budget.ts";
import { DeadLetterFilter } from "../../../core/dead-letters/filter.ts";
import { BridgeInput } from "../../../core/federation/bridge.ts";
import { InboxSourceInput } from "../../../core/inbox/source.ts";
import { ContextRequest } from "../../../core/intelligence/context.ts";
import { OutcomeReport, RollbackRequest, RolloutChange } from "../../../core/intelligence/rollout/api.ts";
import { ActRequest, NewMail, ReceiveRequest } from "../../../core/mail/api.ts";
import { BulkTasksRequest } from "../../../core/queue/bulk.ts";
import { PauseRequest } from "../../../core/queue/pause.ts";
import { QueueSettings, QueueSettingsChange } from "../../../core/queue/queue-settings.ts";
import { CallInput, TaskInput } from "../../../core/queue/task-input.ts";
import { KNOWN_SIGNALS } from "../../../core/signals/known-signals.ts";
import { SignalInput } from "../../../core/signals/signal.ts";
import { EndpointChange, EndpointInput } from "../../../core/webhooks/endpoint.ts";
import type { ApiEnv } from "../http/api-env.ts";
import {
  CompleteRequest,
  ExtendRequest,
  FailRequest,
  LeaseRequest,
  ParkRequest,
  ReleaseRequest,
} from "../queue/requests.ts";
import { SCHEMA_EXAMPLES } from "./body-examples.ts";
import { describeOperations } from "./describe-operations.ts";
import { DEFAULT, describeProperties } from "./describe-properties.ts";
import { describeIdempotency } from "./idempotency-parameter.ts";
import { VERSION } from "./version.ts";

export type OpenApiDocument = ReturnType<OpenAPIHono<ApiEnv>["getOpenAPI31Document"]>;
type JsonSchema = Record<string, unknown>;
type Schemas = NonNullable<NonNullable<OpenApiDocument["components"]>["schemas"]>;

/** The OpenAPI 3.1 document of `api`, made from the same schemas that check requests. */
export function describeApi(api: OpenAPIHono<ApiEnv>): OpenApiDocument {
  const document = api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Ganglion",
      version: VERSION,
      description:
        "An edge nervous system for fleets of autonomous agents. JSON in and out; times are RFC 3339 in UTC with " +
        "milliseconds; every error is problem details (RFC 9457).",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }],
    tags: [
      { name: "signals", description: "Emit, read and follow signals" },
      { name: "observations", description: "The window of measurements, and the gaps found in it" },
      { name: "policy", description: "Rules and their decisions" },
      { name: "tasks", description: "Queues of work by priority, calls, and where their time goes" },
      { name: "mail", description: "Messages to agents, and how far each of them is" },
      {
        name: "dead letters",
        description: "Signals, intents and reactions that could not be processed, and their replay",
      },
      { name: "webhooks", description: "Messages to other services, signed and retried, and the webhooks of others" },
      { name: "questions", description: "Questions to people, and their answers" },
      { name: "limits", description: "What may be asked of providers: reservations, closings and budgets" },
      { name: "schedules", description: "Tasks and signals at certain times, and jobs elsewhere that report theirs" },
      { name: "coordination", description: "What agents share: notes that no two writers overwrite for each other" },
      { name: "locks", description: "Locks with fences: who holds what, and who waits" },
      { name: "federation", description: "Several ecosystems: bridges between them, and what needs somebody in any" },
      {
        name: "intelligence",
        description: "What is known about kinds of code, and the roll-out and figures of those who ask",
      },
      { name: "agents", description: "Hosts" },
      { name: "access", description: "Tokens, and the sessions of browsers" },
      { name: "operation", description: "Health and status" },
    ],
  });
  // Schemas of src/core are JSON Schema already, which OpenAPI 3.1 accepts unchanged. They are added here, because the
  // generator only sees schemas that were made after it had extended Zod, and that depends on the order of imports.
  const schemas = {
    ...signalSchemas(),
    NewToken: jsonSchema(NewToken),
    NewSession: jsonSchema(NewSession),
    SessionStart: jsonSchema(SessionStart),
    ...taskSchemas(),
    ...otherSchemas(),
  } as Schemas;
  return {
    ...document,
    paths: describeOperations(describeIdempotency(plainPaths(document.paths ?? {}))),
    components: {
      ...document.components,
      schemas: describeProperties(withExamples({ ...document.components?.schemas, ...schemas })),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "A token of this deployment, or ADMIN_TOKEN" },
      },
    },
  };
}

/** Paths with the names of their parameters alone: that one of them takes slashes too, is the router's matter. */
function plainPaths(paths: NonNullable<OpenApiDocument["paths"]>): NonNullable<OpenApiDocument["paths"]> {
  return Object.fromEntries(Object.entries(paths).map(([path, item]) => [path.replaceAll("{.+}", ""), item]));
}

function withExamples(schemas: Schemas): Schemas {
  const shown = Object.entries(SCHEMA_EXAMPLES).flatMap(([name, example]) => {
    const schema = schemas[name];
    return schema === undefined ? [] : [[name, { ...schema, examples: [example] }] as [string, Schemas[string]]];
  });
  return { ...schemas, ...Object.fromEntries(shown) };
}

function signalSchemas(): Record<string, JsonSchema> {
  const known = Object.entries(KNOWN_SIGNALS);
  const facts = known.map(([name, { kind, facts, ...more }]) => {
    const reserved = "reserved" in more ? ", reserved: Ganglion does not act on it yet" : "";
    return [factsName(name), { ...jsonSchema(facts), description: `Facts of ${name} (${kind}${reserved})` }] as const;
  });
  return {
    ...Object.fromEntries(facts),
    [factsName("OBSERVATION")]: {
      ...Object.fromEntries(facts)[factsName("OBSERVATION")],
      // The schema requires one of them in a refinement, which JSON Schema cannot express.
      anyOf: [{ required: ["zooid"] }, { required: ["zooid_name"] }],
    },
    NewSignal: {
      ...jsonSchema(SignalInput),
      description:
        "A signal as a caller sends it. Facts of known signals are checked; a signal of any other name may have any object.",
      allOf: known.map(([name]) => ({
        if: { properties: { signal: { const: name } } },
        then: { properties: { facts: { $ref: `#/components/schemas/${factsName(name)}` } } },
      })),
      examples: [{ signal: "OBSERVATION", source: "gpu-01", facts: { zooid: "resources", cpu_percent: 41.5 } }],
    },
  };
}

function taskSchemas(): Record<string, JsonSchema> {
  return {
    NewTask: {
      ...jsonSchema(TaskInput),
      examples: [{ recipient: "coder", type: "TASK_DELEGATE", payload: { module: "window" }, priority: 2 }],
    },
    NewCall: jsonSchema(CallInput),
    QueueSettings: jsonSchema(QueueSettings),
    QueueSettingsChange: jsonSchema(QueueSettingsChange),
    LeaseRequest: jsonSchema(LeaseRequest),
    CompleteRequest: jsonSchema(CompleteRequest),
    FailRequest: jsonSchema(FailRequest),
    ExtendRequest: jsonSchema(ExtendRequest),
    ReleaseRequest: jsonSchema(ReleaseRequest),
    ParkRequest: jsonSchema(ParkRequest),
    NewMail: {
      ...jsonSchema(NewMail),
      examples: [{ to: "coder", subject: "Review", body: "Please look at change 4711" }],
    },
    ReceiveRequest: jsonSchema(ReceiveRequest),
    ActRequest: jsonSchema(ActRequest),
    PauseRequest: jsonSchema(PauseRequest),
    BulkTasksRequest: jsonSchema(BulkTasksRequest),
  };
}

function otherSchemas(): Record<string, JsonSchema> {
  return {
    NewWebhook: jsonSchema(EndpointInput),
    NewInboxSource: jsonSchema(InboxSourceInput),
    NewBridge: jsonSchema(BridgeInput),
    NewBudget: jsonSchema(BudgetInput),
    WebhookChange: jsonSchema(EndpointChange),
    DeadLetterFilter: jsonSchema(DeadLetterFilter),
    NewContext: {
      ...jsonSchema(ContextRequest),
      examples: [{ node_type: "EFFECT", domain: "database", service_name: "writer", operations: ["create", "update"] }],
    },
    RolloutChange: jsonSchema(RolloutChange),
    RollbackRequest: jsonSchema(RollbackRequest),
    OutcomeReport: jsonSchema(OutcomeReport),
  };
}

const factsName = (signal: string) => `Facts.${signal}`;

function jsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", target: "draft-2020-12", override: optional });
  return rest;
}

/**
 * States a default in words: generators of clients take a property with the keyword `default` for one that is always
 * there, and then require it of callers.
 */
function optional({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  if (!("default" in jsonSchema)) return;
  const { default: value, description } = jsonSchema;
  delete jsonSchema.default;
  jsonSchema.description = `${typeof description === "string" ? `${description}. ` : ""}${DEFAULT}${JSON.stringify(value)}`;
}
