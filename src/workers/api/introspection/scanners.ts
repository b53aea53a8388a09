import { createRoute, z } from "@hono/zod-openapi";
import { observationCache } from "../../bindings/objects.ts";
import { readJson } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { invalid, notFound } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { ScannerSchema, ScannersSchema } from "./schemas.ts";

const listScanners = createRoute({
  method: "get",
  path: "/v1/{eco}/scanners",
  operationId: "listScanners",
  summary: "Settings and health of each scanner",
  tags: ["observations"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(ScannersSchema, "Scanners"), ...problems() },
});

const changeScanner = createRoute({
  method: "patch",
  path: "/v1/{eco}/scanners/{id}",
  operationId: "changeScanner",
  summary: "Change thresholds, switch a scanner on or off",
  description:
    "Settings that are not named stay as they are. Takes effect at once, for the observations in the window too, and is recorded as the " +
    "signal Q_SCANNER_CHANGED. A failing scanner starts anew. The gaps of a scanner that is switched off are resolved.",
  tags: ["observations"],
  ...secured("policy:write"),
  request: {
    params: EcosystemPath.extend({ id: z.string().openapi({ example: "resource_utilization" }) }),
    body: jsonBody({
      type: "object",
      properties: {
        enabled: { type: "boolean" },
        settings: { type: "object", additionalProperties: { type: "number" } },
      },
      additionalProperties: false,
      example: { settings: { cpu_percent_above: 95 } },
    }),
  },
  responses: { 200: json(ScannerSchema, "The scanner as it is now"), ...problems(400, 404, 413, 415) },
});

export const scanners = newApi()
  .openapi(listScanners, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json({ scanners: await observationCache(c.env, eco).scanners() }, 200);
  })
  .openapi(changeScanner, async (c) => {
    const { eco, id } = c.req.valid("param");
    const by = c.get("grant");
    const change = await observationCache(c.env, eco).changeScanner(id, await readJson(c.req.raw), {
      id: by.id,
      name: by.name,
    });
    if (change === null) throw notFound("There is no scanner of this id; GET /v1/{eco}/scanners lists them.");
    if (!change.ok) throw invalid("invalid-settings", "Invalid scanner settings", change.errors);
    return c.json(change.after, 200);
  });
