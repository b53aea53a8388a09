import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";

/** A call of the API that changed something, or tried to. */
export const AuditEntry = z.object({
  number: z.int().meta({ description: "Counts the entries of this log" }),
  at: Timestamp.meta({ description: "When the call was answered" }),
  by: z.string().meta({ description: "Name of the token that called" }),
  by_id: z.string().meta({ description: "Id of the token, the part that is no secret" }),
  session: z.string().nullable().optional().meta({
    description:
      "Id of the browser's session that was begun with the token; null: a program, or a person at a command line",
  }),
  method: z.string().meta({ description: "Method of the call", example: "PUT" }),
  operation: z.string().meta({
    description: "Template of the path: what was done",
    example: "/v1/{eco}/policies/{id}",
  }),
  target: z
    .string()
    .meta({ description: "The path itself: to what it was done", example: "/v1/default/policies/disk" }),
  status: z.int().meta({ description: "HTTP status of the answer", example: 200 }),
  outcome: z
    .enum(["done", "refused", "failed"])
    .meta({ description: "refused: the state did not allow it (4xx); failed: the edge could not do it (5xx)" }),
});
export type AuditEntry = Readonly<z.infer<typeof AuditEntry>>;

export type NewAuditEntry = Omit<AuditEntry, "number" | "at" | "outcome">;

export interface AuditQuery {
  readonly limit: number;
  /** Only entries before this number. */
  readonly before?: number | undefined;
  /** Name or id of the token. */
  readonly by?: string | undefined;
  /** Text in the path. */
  readonly target?: string | undefined;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

export const AuditPage = z.object({
  entries: z.array(AuditEntry).readonly().meta({ description: "The newest first" }),
  next: z.int().nullable().meta({ description: "Give this as `after` for the next page; null: there is none" }),
});
export type AuditPage = Readonly<z.infer<typeof AuditPage>>;

/**
 * What programs send all the time, by method and template of the path. The log and the queues hold it already, with who sent
 * it; a row more for each would cost as much as the call, and hide what people do.
 */
const TRAFFIC: ReadonlySet<string> = new Set([
  "POST /v1/{eco}/signals",
  "POST /v1/{eco}/signals/{id}",
  "POST /v1/{eco}/inbox/{source}",
  "POST /v1/{eco}/otlp/v1/logs",
  "POST /v1/{eco}/otlp/v1/metrics",
  "POST /v1/{eco}/otlp/v1/traces",
  "POST /v1/{eco}/hooks/claude-code",
  "POST /v1/{eco}/queues/{q}/tasks",
  "POST /v1/{eco}/queues/{q}/tasks/bulk",
  "POST /v1/{eco}/queues/{q}/calls",
  "POST /v1/{eco}/queues/{q}/lease",
  "POST /v1/{eco}/queues/{q}/tasks/{id}/complete",
  "POST /v1/{eco}/queues/{q}/tasks/{id}/fail",
  "POST /v1/{eco}/queues/{q}/tasks/{id}/extend",
  "POST /v1/{eco}/queues/{q}/tasks/{id}/release",
  "POST /v1/{eco}/queues/{q}/tasks/{id}/park",
  "POST /v1/{eco}/questions",
  "POST /v1/{eco}/permissions",
  "POST /v1/{eco}/mail",
  "POST /v1/{eco}/mail/{id}/read",
  "POST /v1/{eco}/mail/{id}/act",
  "POST /v1/{eco}/mailboxes/{recipient}/receive",
  "POST /v1/{eco}/intelligence/context",
  "POST /v1/{eco}/intelligence/outcomes",
  "POST /v1/{eco}/policies/{id}/simulate",
  "PUT /v1/{eco}/notes/{key}",
  "DELETE /v1/{eco}/notes/{key}",
  "POST /v1/{eco}/limits/{name}/reserve",
  "POST /v1/{eco}/limits/{name}/settle",
  "POST /v1/{eco}/schedules/{name}/runs",
  "POST /v1/{eco}/schedules/{name}/heartbeat",
  "POST /v1/{eco}/locks/{name}/acquire",
  "POST /v1/{eco}/locks/{name}/renew",
  "POST /v1/{eco}/locks/{name}/release",
]);
/** Of the traffic, what is a command where its queue is that of the commands for hosts. */
const COMMANDS: ReadonlySet<string> = new Set([
  "POST /v1/{eco}/queues/{q}/tasks",
  "POST /v1/{eco}/queues/{q}/tasks/bulk",
  "POST /v1/{eco}/queues/{q}/calls",
]);

/** What was wrong with the request itself, or came too often: nothing was tried. */
const NOT_TRIED: ReadonlySet<number> = new Set([400, 401, 413, 415, 422, 426, 429]);

/** What else of a call decides whether it is kept. */
export interface CallKind {
  /** Its queue is that of the commands for hosts. */
  readonly commands: boolean;
  /** It came from the session of a browser: a person made it, whatever it was. */
  readonly bySession: boolean;
}

/** Whether a call may belong into the audit, by what costs nothing to know: most calls do not. */
export const mayBeAudited = (method: string, status: number): boolean => mayChange(method) && !NOT_TRIED.has(status);

/** Whether calls of a method change anything. */
export const mayChange = (method: string): boolean => !["GET", "HEAD", "OPTIONS"].includes(method);

/** Whether a call belongs into the audit. */
export function isAudited(
  method: string,
  operation: string,
  status: number,
  { commands, bySession }: CallKind,
): boolean {
  if (!mayBeAudited(method, status)) return false;
  const key = `${method} ${operation}`;
  return !TRAFFIC.has(key) || bySession || (commands && COMMANDS.has(key));
}

/** Calls that the log of the deployment holds: the ecosystem begins or ends with them, and its own log too. */
const OF_DEPLOYMENT: ReadonlySet<string> = new Set(["DELETE /v1/{eco}", "POST /v1/{eco}/import"]);

export const isOfDeployment = (method: string, operation: string): boolean =>
  !operation.startsWith("/v1/{eco}") || OF_DEPLOYMENT.has(`${method} ${operation}`);

export const outcomeOf = (status: number): AuditEntry["outcome"] =>
  status < 400 ? "done" : status < 500 ? "refused" : "failed";
