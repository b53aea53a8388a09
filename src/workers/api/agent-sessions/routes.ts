import { createRoute, z } from "@hono/zod-openapi";
import { CLAUDE_CODE } from "../../../core/agent-sessions/claude-code.ts";
import { readHook } from "../../../core/agent-sessions/claude-hooks.ts";
import { SessionSettingsChange } from "../../../core/agent-sessions/settings.ts";
import { signalsOf, unknownSignal } from "../../../core/agent-sessions/to-signals.ts";
import { SESSION_VERDICTS } from "../../../core/agent-sessions/verdict.ts";
import { JSON_LIMITS } from "../../../core/json/limits.ts";
import { readFaultyJson } from "../../../core/json/read-json.ts";
import { workerBoard } from "../../bindings/objects.ts";
import { malformed, readBody, readDocument } from "../http/body.ts";
import { choice, EcosystemPath, wholeNumber, words } from "../http/query.ts";
import { invalid } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { contentOf } from "./content.ts";
import { AgentSessionsSchema, SessionSettingsSchema } from "./schemas.ts";
import { admitAll, append, makingFor } from "./take-signals.ts";

/** A hook's input holds what a tool read or wrote, which may be a large file. */
const MAX_HOOK_BYTES = 8 * 1024 * 1024;

const hook = createRoute({
  method: "post",
  path: "/v1/{eco}/hooks/claude-code",
  operationId: "takeClaudeCodeHook",
  summary: "Take in the input of a hook of Claude Code",
  description:
    "The answer is an empty object, which lets the session go on as it would. Prompts, inputs and outputs of tools are not " +
    "stored, unless the deployment says so (`SESSION_CONTENT`). A header `traceparent` says to which trace the session belongs.",
  tags: ["agents"],
  ...secured("signals:write"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      source: words("In whose name the signals are. Default: the source to which the token is bound, or claude-code"),
      task: words("The task that the session works on"),
    }),
    body: jsonBody({
      type: "object",
      additionalProperties: true,
      description: "What Claude Code gives to the hook, unchanged",
    }),
  },
  responses: { 200: json(z.object({}), "The signal is durable"), ...problems(400, 413, 415) },
});

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/agent-sessions",
  operationId: "listAgentSessions",
  summary: "List the sessions of agents that report by telemetry or hooks",
  description:
    "What each is doing, since when, and what it has used; `usage` beside the list is the sum of all that were found. With " +
    "`chain`, a trace id or a task, it is what that chain used.",
  tags: ["agents"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      agent: words("Only sessions of this program"),
      session: words("Only the session of this id"),
      verdict: choice(SESSION_VERDICTS, "Only sessions with this verdict"),
      chain: words("Only sessions that worked for this trace (32 hexadecimal digits) or task"),
      limit: wholeNumber(1, 1_000, 100, "Sessions in the answer; those seen last come first"),
    }),
  },
  responses: { 200: json(AgentSessionsSchema, "Sessions"), ...problems() },
});

const SETTINGS = "/v1/{eco}/agent-sessions/settings";

const getSettings = createRoute({
  method: "get",
  path: SETTINGS,
  operationId: "getSessionSettings",
  summary: "How long sessions of agents may wait and be silent",
  tags: ["agents"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(SessionSettingsSchema, "The settings, and those of the deployment"), ...problems() },
});

const changeSettings = createRoute({
  method: "patch",
  path: SETTINGS,
  operationId: "changeSessionSettings",
  summary: "Change how long sessions of agents may wait and be silent",
  description:
    "Settings that are not named stay as they are; null stands for what the deployment says. Takes effect at once: a session " +
    "that waits for longer than it may now is told of now.",
  tags: ["agents"],
  ...secured("policy:write"),
  request: {
    params: EcosystemPath,
    body: jsonBody({
      ...(z.toJSONSchema(SessionSettingsChange, { io: "input", target: "draft-2020-12" }) as object),
      example: { waiting_seconds: 120 },
    }),
  },
  responses: { 200: json(SessionSettingsSchema, "The settings as they are now"), ...problems(400, 413, 415) },
});

export const agentSessions = newApi()
  .openapi(getSettings, async (c) => c.json(await workerBoard(c.env, c.req.valid("param").eco).sessionSettings(), 200))
  .openapi(changeSettings, async (c) => {
    const change = await readDocument(c.req.raw, SessionSettingsChange, "invalid-settings");
    return c.json(await workerBoard(c.env, c.req.valid("param").eco).changeSessionSettings(change), 200);
  })
  .openapi(hook, async (c) => {
    const { eco } = c.req.valid("param");
    const { source, task } = c.req.valid("query");
    const grant = c.get("grant");
    const { text } = await readBody(c.req.raw, ["application/json"], MAX_HOOK_BYTES);
    const reading = readFaultyJson(text, JSON_LIMITS);
    if (!reading.ok) throw malformed(reading.malformed);
    const traceparent = c.req.header("traceparent");
    const read = readHook(reading.value, { content: contentOf(c.env), source, task, traceparent });
    if (!read.ok) throw invalid("invalid-hook", "The hook's input is not valid", [read]);
    const making = makingFor(grant, Date.now());
    const inputs =
      read.unknown !== undefined
        ? [
            await unknownSignal(
              { agents: new Set([CLAUDE_CODE]), names: new Set([read.unknown]), records: 1 },
              text,
              making,
            ),
          ]
        : await signalsOf(read.records, making);
    await append(c.env, eco, grant, admitAll(inputs, grant).signals);
    return c.json({}, 200);
  })
  .openapi(list, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json(await workerBoard(c.env, eco).agentSessions(c.req.valid("query")), 200);
  });
