import { createRoute } from "@hono/zod-openapi";
import { ADMINISTRATOR } from "../../../core/access/administrator.ts";
import { PROJECTIONS } from "../../../core/projection/batch.ts";
import type { Excess, NamedExcess } from "../../../core/quotas/excess.ts";
import { tokenOf } from "../../../core/signals/log/senders.ts";
import { projectionOf } from "../../../durable-objects/shell/projection-ports.ts";
import type { Environment } from "../../bindings/environment.ts";
import { deadLetters, directory, observationCache, policyState, signalLog, telemetry } from "../../bindings/objects.ts";
import { EcosystemPath } from "../http/query.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { MAX_WINDOW_SECONDS } from "../introspection/observations.ts";
import { StatusSchema } from "./schemas.ts";

const getStatus = createRoute({
  method: "get",
  path: "/v1/{eco}/status",
  operationId: "getStatus",
  summary: "An ecosystem at a glance",
  tags: ["operation"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(StatusSchema, "Log, window, open gaps, rules, dead letters"), ...problems() },
});

export const status = newApi().openapi(getStatus, async (c) => {
  const { eco } = c.req.valid("param");
  const cache = observationCache(c.env, eco);
  const places = await Promise.all(
    PROJECTIONS.map(async (name) => [name, await projectionOf(c.env, name, eco).place()] as const),
  );
  // After the projections were asked: what came since then counts as not delivered, and not as delivered too early.
  const cursors = Object.fromEntries(places.map(([name, { cursor }]) => [name, cursor]));
  const [
    { undelivered, excess: refused = [], ...log },
    window,
    open,
    { excess: shares, ...policies },
    { open: letters, excess: dropped },
    excess,
    { excess: queues, exporting },
  ] = await Promise.all([
    signalLog(c.env, eco).status(cursors),
    cache.observations({ seconds: MAX_WINDOW_SECONDS, limit: 1 }),
    cache.openGaps(),
    policyState(c.env, eco).overview(),
    deadLetters(c.env, eco).overview(),
    cache.excess(),
    directory(c.env).known(eco),
  ]);
  // Nobody calls the object of an export where there is none.
  const exported = exporting ? (await telemetry(c.env, eco).show()).health : undefined;
  const { window_seconds: seconds, size, oldest, newest } = window;
  return c.json(
    {
      ecosystem: eco,
      log,
      window: { seconds, size, oldest, newest },
      gaps: { open },
      policies,
      over_quota: await named(c.env, [...excess, ...shares, ...refused, ...queues, ...dropped]),
      projections: Object.fromEntries(
        places.map(([name, place]) => [name, { ...place, ...(undelivered[name] ?? NONE) }]),
      ),
      ...(exported === undefined ? {} : { export: exported }),
      dead_letters: letters,
      dead_letters_per_1000: log.head_seq === 0 ? null : Number(((letters * 1_000) / log.head_seq).toPrecision(3)),
    },
    200,
  );
});

/** A log of an earlier version does not say. */
const NONE = { lag: 0, oldest_undelivered_at: null };

/** Asks the directory for the names of tokens only where there is somebody to name. */
async function named(env: Environment, excess: readonly Excess[]): Promise<NamedExcess[]> {
  const ids = [...new Set(excess.flatMap(({ sender }) => tokenOf(sender) ?? []))];
  const names = new Map(ids.length === 0 ? [] : await directory(env).tokenNames(ids));
  return excess.map((one) => {
    const id = tokenOf(one.sender) ?? "";
    const name = names.get(id) ?? (id === ADMINISTRATOR.id ? ADMINISTRATOR.name : undefined);
    return name === undefined ? one : { ...one, token_name: name };
  });
}
