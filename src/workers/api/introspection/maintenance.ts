import { createRoute } from "@hono/zod-openapi";
import { MaintenanceChange } from "../../../core/introspection/api.ts";
import { observationCache } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { MaintenanceSchema } from "./schemas.ts";

const getMaintenance = createRoute({
  method: "get",
  path: "/v1/{eco}/maintenance",
  operationId: "getMaintenance",
  summary: "Whether maintenance is on, since when and why",
  tags: ["observations"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(MaintenanceSchema, "Maintenance"), ...problems() },
});

const setMaintenance = createRoute({
  method: "put",
  path: "/v1/{eco}/maintenance",
  operationId: "setMaintenance",
  summary: "Switch maintenance on or off",
  description:
    "While maintenance is on, scanners rest and no gap is raised or resolved; observations are still taken in. Scanners ignore " +
    "them afterwards too. Recorded as the signal Q_MAINTENANCE_CHANGED.",
  tags: ["observations"],
  ...secured("policy:write"),
  request: {
    params: EcosystemPath,
    body: jsonBody({
      type: "object",
      required: ["enabled"],
      properties: { enabled: { type: "boolean" }, reason: { type: ["string", "null"], maxLength: 1_000 } },
      additionalProperties: false,
      example: { enabled: true, reason: "moving the GPUs" },
    }),
  },
  responses: { 200: json(MaintenanceSchema, "Maintenance as it is now"), ...problems(400, 413, 415) },
});

export const maintenance = newApi()
  .openapi(getMaintenance, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json(await observationCache(c.env, eco).maintenance(), 200);
  })
  .openapi(setMaintenance, async (c) => {
    const { eco } = c.req.valid("param");
    const change = await readDocument(
      c.req.raw,
      MaintenanceChange,
      "invalid-maintenance",
      "Invalid maintenance setting",
    );
    const { id, name } = c.get("grant");
    return c.json(await observationCache(c.env, eco).changeMaintenance(change, { id, name }), 200);
  });
