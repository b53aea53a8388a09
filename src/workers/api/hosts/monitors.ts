import { createRoute } from "@hono/zod-openapi";
import { DEFAULT_MONITOR_SETTINGS } from "../../../core/hosts/monitors/monitor-settings.ts";
import { agentRegistry } from "../../objects.ts";
import { readJson } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { invalid } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { MonitorRunSchema, MonitorSettingsSchema } from "./schemas.ts";

const getSettings = createRoute({
  method: "get",
  path: "/v1/{eco}/monitors",
  operationId: "getMonitorSettings",
  summary: "When a host counts as down, or its health as trouble",
  tags: ["agents"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(MonitorSettingsSchema, "The settings"), ...problems() },
});

const putSettings = createRoute({
  method: "put",
  path: "/v1/{eco}/monitors",
  operationId: "putMonitorSettings",
  summary: "Set when a host counts as down, or its health as trouble",
  description:
    "What is left out has its default again. A kind of health that is null is never an alert. Counts from the next look on.",
  tags: ["agents"],
  ...secured("policy:write"),
  request: {
    params: EcosystemPath,
    body: jsonBody({ type: "object", example: DEFAULT_MONITOR_SETTINGS }),
  },
  responses: { 200: json(MonitorSettingsSchema, "The settings as they are now"), ...problems(400, 413, 415) },
});

const runMonitors = createRoute({
  method: "post",
  path: "/v1/{eco}/monitors/run",
  operationId: "runMonitors",
  summary: "Ask every host now, as is done each minute",
  tags: ["agents"],
  ...secured("policy:write"),
  request: { params: EcosystemPath },
  responses: { 200: json(MonitorRunSchema, "Who answered, and what followed"), ...problems() },
});

export const monitors = newApi()
  .openapi(getSettings, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json(await agentRegistry(c.env, eco).settings(), 200);
  })
  .openapi(putSettings, async (c) => {
    const { eco } = c.req.valid("param");
    const change = await agentRegistry(c.env, eco).configure(await readJson(c.req.raw));
    if (!change.ok) throw invalid("invalid-settings", "The monitors cannot be set so", change.errors);
    return c.json(change.after, 200);
  })
  .openapi(runMonitors, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json(await agentRegistry(c.env, eco).tick(), 200);
  });
