import { createRoute } from "@hono/zod-openapi";
import { DEFAULT_MONITOR_SETTINGS } from "../../../core/hosts/monitors/monitor-settings.ts";
import { agentRegistry } from "../../bindings/objects.ts";
import { readJson } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { invalid } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { MonitorRunSchema, MonitorSettingsSchema } from "./schemas.ts";

const getSettings = createRoute({
  method: "get",
  path: "/v1/{eco}/monitors",
  operationId: "getMonitorSettings",
  summary: "Get the limits for hosts that are down and for health alerts",
  tags: ["agents"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(MonitorSettingsSchema, "The settings"), ...problems() },
});

const putSettings = createRoute({
  method: "put",
  path: "/v1/{eco}/monitors",
  operationId: "putMonitorSettings",
  summary: "Set the limits for hosts that are down and for health alerts",
  description:
    "An absent field gets its default. A kind of health that is null causes no alerts. Applies from the next round on.",
  tags: ["agents"],
  ...secured("policy:write"),
  request: {
    params: EcosystemPath,
    body: jsonBody({ type: "object", example: DEFAULT_MONITOR_SETTINGS }),
  },
  responses: { 200: json(MonitorSettingsSchema, "The new settings"), ...problems(400, 413, 415) },
});

const runMonitors = createRoute({
  method: "post",
  path: "/v1/{eco}/monitors/run",
  operationId: "runMonitors",
  summary: "Ask all hosts now, as happens each minute",
  tags: ["agents"],
  ...secured("policy:write"),
  request: { params: EcosystemPath },
  responses: {
    200: json(MonitorRunSchema, "The hosts that answered, and the signals that were emitted"),
    ...problems(),
  },
});

export const monitors = newApi()
  .openapi(getSettings, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json(await agentRegistry(c.env, eco).settings(), 200);
  })
  .openapi(putSettings, async (c) => {
    const { eco } = c.req.valid("param");
    const change = await agentRegistry(c.env, eco).configure(await readJson(c.req.raw));
    if (!change.ok) throw invalid("invalid-settings", "Invalid monitor settings", change.errors);
    return c.json(change.after, 200);
  })
  .openapi(runMonitors, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json(await agentRegistry(c.env, eco).tick(), 200);
  });
