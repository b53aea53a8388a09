import { createRoute, z } from "@hono/zod-openapi";
import { ModelSettingsInput } from "../../../core/models/settings.ts";
import { problem } from "../../../core/problem/problem.ts";
import { models as modelsOf } from "../../objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { ModelSettingsSchema } from "./schemas.ts";

const show = createRoute({
  method: "get",
  path: "/v1/{eco}/models",
  operationId: "getModels",
  summary: "Which language models rules may ask, and what was spent today",
  tags: ["policy"],
  ...secured("policy:write"),
  request: { params: EcosystemPath },
  responses: { 200: json(ModelSettingsSchema, "The settings, without keys"), ...problems() },
});

const change = createRoute({
  method: "put",
  path: "/v1/{eco}/models",
  operationId: "setModels",
  summary: "Say which language models rules may ask, and for how much a day",
  description:
    "Replaces the settings. An `api_key` is kept and never shown; left out, the one that is known for a model of this " +
    "name and address stays. With `version`, only if that version is in force. Nothing is asked while `enabled` is false, as it is at first.",
  tags: ["policy"],
  // What signals say goes to the addresses that stand here, and it costs money.
  ...secured("admin"),
  request: {
    params: EcosystemPath,
    body: jsonBody({
      ...(z.toJSONSchema(ModelSettingsInput, { io: "input", target: "draft-2020-12" }) as object),
      example: {
        enabled: true,
        models: [
          {
            ...{ name: "small", kind: "openai", url: "https://api.openai.com/v1/chat/completions" },
            ...{ model: "gpt-4.1-mini", api_key: "sk-…", price_in: 0.4, price_out: 1.6 },
          },
        ],
        daily: { requests: 200, usd: 1 },
      },
    }),
  },
  responses: { 200: json(ModelSettingsSchema, "The settings as they are now"), ...problems(400, 409, 413, 415) },
});

export const models = newApi()
  .openapi(show, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json(await modelsOf(c.env, eco).settings(), 200);
  })
  .openapi(change, async (c) => {
    const { eco } = c.req.valid("param");
    const wanted = await readDocument(c.req.raw, ModelSettingsInput, "invalid-models", "The models cannot be set so");
    const answer = await modelsOf(c.env, eco).changeSettings(wanted);
    if (answer.ok) return c.json(answer.settings, 200);
    const detail = `Version ${answer.conflict} of the settings is in force.`;
    throw new Refusal(
      problem("version-conflict", 409, "Another version is in force", detail, { version: answer.conflict }),
    );
  });
