import { createRoute, z } from "@hono/zod-openapi";
import { NO_EXPORT, withoutPath } from "../../../core/telemetry/api.ts";
import { NewExport } from "../../../core/telemetry/settings.ts";
import { directory, telemetry } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { invalid, notFound } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { ExportSchema, ExportTestSchema } from "./schemas.ts";

const PATH = "/v1/{eco}/telemetry/export";

const show = createRoute({
  method: "get",
  path: PATH,
  operationId: "getTelemetryExport",
  summary: "Where finished work is exported to, and how that goes",
  tags: ["operation"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(ExportSchema, "The export, without what is secret"), ...problems() },
});

// It decides where data may leave to, as endpoints of webhooks do.
const put = createRoute({
  method: "put",
  path: PATH,
  operationId: "setTelemetryExport",
  summary: "Export finished work as spans of OpenTelemetry",
  description:
    "Tasks, decisions, questions to models and reactions that end from now on are sent to an OTLP receiver (HTTP, JSON), each " +
    "interval. `headers` are stored and never shown; left out, those of the same URL stay. With the preset `langfuse`, give " +
    "`public_key` and `secret_key`. `payload`: `none` sends no payload, result, prompt or error text, `keys` the names of " +
    "their fields, `all` everything.",
  tags: ["operation"],
  ...secured("admin"),
  request: {
    params: EcosystemPath,
    body: jsonBody({
      ...(z.toJSONSchema(NewExport, { io: "input", target: "draft-2020-12" }) as object),
      example: { endpoint: "https://otel.example.org", headers: { Authorization: "Bearer example" }, payload: "none" },
    }),
  },
  responses: { 200: json(ExportSchema, "The export as it is now"), ...problems(400, 413, 415) },
});

const remove = createRoute({
  method: "delete",
  path: PATH,
  operationId: "deleteTelemetryExport",
  summary: "Export nothing any more",
  description: "Forgets the settings, and what waits.",
  tags: ["operation"],
  ...secured("admin"),
  request: { params: EcosystemPath },
  responses: { 204: { description: "Nothing is exported" }, ...problems(404) },
});

const test = createRoute({
  method: "post",
  path: `${PATH}/test`,
  operationId: "testTelemetryExport",
  summary: "Send one marked span now, and return what the receiver answered",
  tags: ["operation"],
  ...secured("admin"),
  request: { params: EcosystemPath },
  responses: { 200: json(ExportTestSchema, "The answer"), ...problems(404) },
});

export const telemetryExport = newApi()
  .openapi(show, async (c) => {
    const { eco } = c.req.valid("param");
    // Nobody calls the object of an export where there is none.
    const { exporting } = await directory(c.env).known(eco);
    const shown = exporting ? await telemetry(c.env, eco).show() : NO_EXPORT;
    return c.json(c.get("grant").scopes.includes("admin") ? shown : withoutPath(shown), 200);
  })
  .openapi(put, async (c) => {
    const change = await readDocument(c.req.raw, NewExport, "invalid-export", INVALID);
    const answer = await telemetry(c.env, c.req.valid("param").eco).set(change);
    if ("refused" in answer)
      throw invalid("invalid-export", INVALID, [{ pointer: "/endpoint", message: answer.refused }]);
    return c.json(answer.export, 200);
  })
  .openapi(remove, async (c) => {
    if (!(await telemetry(c.env, c.req.valid("param").eco).remove())) throw nothingExported();
    return c.body(null, 204);
  })
  .openapi(test, async (c) => {
    const outcome = await telemetry(c.env, c.req.valid("param").eco).probe();
    if (outcome === null) throw nothingExported();
    return c.json(outcome, 200);
  });

const INVALID = "Invalid settings of an export";

const nothingExported = () => notFound("Nothing is exported. Set where to: PUT /v1/{eco}/telemetry/export");
