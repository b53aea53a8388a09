import { createRoute, z } from "@hono/zod-openapi";
import { isPrivateEndpoint, ModelSettingsInput, PRIVATE_ENDPOINT } from "../../../core/models/settings.ts";
import { problem } from "../../../core/problem/problem.ts";
import { allowsPrivate } from "../../../core/wire/network-address.ts";
import { models as modelsOf } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { invalid, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { ModelSettingsSchema } from "./schemas.ts";

const show = createRoute({
  method: "get",
  path: "/v1/{eco}/models",
  operationId: "getModels",
  summary: "Language models that rules may ask, and today's spending",
  tags: ["policy"],
  ...secured("policy:write"),
  request: { params: EcosystemPath },
  responses: { 200: json(ModelSettingsSchema, "The settings, without keys"), ...problems() },
});

const change = createRoute({
  method: "put",
  path: "/v1/{eco}/models",
  operationId: "setModels",
  summary: "Set the language models that rules may ask, and the daily budget",
  description:
    "Replaces the settings. An `api_key` is stored and never shown; left out, the stored key of this name and address stays. " +
    "With `version`, only if that version is in force. No model is asked while `enabled` is false, the default.",
  tags: ["policy"],
  // Facts of signals are sent to these addresses, and each question costs money.
  ...secured("admin"),
  request: {
    params: EcosystemPath,
    body: jsonBody({
      ...(z.toJSONSchema(ModelSettingsInput, { io: "input", target: "draft-2020-12" }) as object),
      example: {
        enabled: true,
        models: [
          {
            name: "small",
            kind: "openai",
            url: "https://api.openai.com/v1/chat/completions",
            model: "gpt-4.1-mini",
            api_key: "sk-example",
            price_in: 0.4,
            price_out: 1.6,
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
    const change = await readDocument(c.req.raw, ModelSettingsInput, "invalid-models", "Invalid settings of models");
    if (!allowsPrivate(c.env.WEBHOOKS_ALLOW_PRIVATE)) {
      const errors = change.models.flatMap((model, place) =>
        model.kind === "openai" && isPrivateEndpoint(model.url)
          ? [{ pointer: `/models/${place}/url`, message: PRIVATE_ENDPOINT }]
          : [],
      );
      if (errors.length > 0) throw invalid("invalid-models", "Invalid settings of models", errors);
    }
    const answer = await modelsOf(c.env, eco).changeSettings(change);
    if (answer.ok) return c.json(answer.settings, 200);
    const detail = `Version ${answer.conflict} of the settings is in force. Read the settings again, and repeat the change.`;
    throw new Refusal(
      problem("version-conflict", 409, "Another version is in force", detail, { version: answer.conflict }),
    );
  });
