import { createRoute, z } from "@hono/zod-openapi";
import { observationCache } from "../../bindings/objects.ts";
import { readJson } from "../http/body.ts";
import { EcosystemPath, wholeNumber, words } from "../http/query.ts";
import { invalid } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { ObservationSettingsSchema, ObservationsPageSchema } from "./schemas.ts";

/** Longest window that can be set; the answer names its actual length. */
export const MAX_WINDOW_SECONDS = 3_600;

const listObservations = createRoute({
  method: "get",
  path: "/v1/{eco}/observations",
  operationId: "listObservations",
  summary: "Recent observations",
  tags: ["observations"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      seconds: wholeNumber(1, MAX_WINDOW_SECONDS, 60, "How far back, up to the length of the window"),
      zooid: words("Only observations of this reporter"),
      limit: wholeNumber(1, 10_000, 1_000, "Observations in the answer, the newest"),
    }),
  },
  responses: { 200: json(ObservationsPageSchema, "The window"), ...problems() },
});

const getSettings = createRoute({
  method: "get",
  path: "/v1/{eco}/observations/settings",
  operationId: "getObservationSettings",
  summary: "Length of the window, and damping of gaps",
  tags: ["observations"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(ObservationSettingsSchema, "Settings"), ...problems() },
});

const changeSettings = createRoute({
  method: "patch",
  path: "/v1/{eco}/observations/settings",
  operationId: "changeObservationSettings",
  summary: "Change the window or the damping of gaps",
  description:
    "Settings that are not named stay as they are. Takes effect at once, and is recorded as the signal Q_OBSERVATION_SETTINGS_CHANGED. " +
    "A longer window fills as time passes.",
  tags: ["observations"],
  ...secured("policy:write"),
  request: {
    params: EcosystemPath,
    body: jsonBody({ type: "object", example: { window_seconds: 600 } }),
  },
  responses: { 200: json(ObservationSettingsSchema, "Settings as they are now"), ...problems(400, 413, 415) },
});

export const observations = newApi()
  .openapi(getSettings, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json(await observationCache(c.env, eco).settings(), 200);
  })
  .openapi(changeSettings, async (c) => {
    const { eco } = c.req.valid("param");
    const { id, name } = c.get("grant");
    const change = await observationCache(c.env, eco).changeSettings(await readJson(c.req.raw), { id, name });
    if (!change.ok) throw invalid("invalid-settings", "The settings are not valid", change.errors);
    return c.json(change.after, 200);
  })
  .openapi(listObservations, async (c) => {
    const { eco } = c.req.valid("param");
    const { seconds, zooid, limit } = c.req.valid("query");
    const page = await observationCache(c.env, eco).observations({
      seconds,
      limit,
      ...(zooid === undefined ? {} : { reporter: zooid }),
    });
    return c.json(page, 200);
  });
