import { createRoute, z } from "@hono/zod-openapi";
import { type Lineage, type LineageSource, traceChain } from "../../core/lineage/lineage.ts";
import { LIMITS } from "../../core/signals/limits.ts";
import type { Signal } from "../../core/signals/signal.ts";
import { type ApiBindings, deadLetters, policyState, signalLog } from "./objects.ts";
import { EcosystemPath } from "./query.ts";
import { notFound } from "./refusal.ts";
import { json, newApi, problems, secured } from "./route.ts";
import { LineageSchema } from "./schemas.ts";

/** Decisions, and dead letters, in one answer. */
const MAX_FOUND = 1_000;

const show = createRoute({
  method: "get",
  path: "/v1/{eco}/signals/{id}/lineage",
  operationId: "getLineage",
  summary: "What led to a signal, and what it led to",
  description:
    "Causes are followed upward by the id that each signal names, effects downward through the log, with what rules " +
    "decided on any of them and what could not be processed. `truncated` says that there is more than was looked for.",
  tags: ["signals"],
  ...secured("signals:read"),
  request: { params: EcosystemPath.extend({ id: z.string() }) },
  responses: { 200: json(LineageSchema, "The lineage"), ...problems(404) },
});

export const lineage = newApi().openapi(show, async (c) => {
  const { eco, id } = c.req.valid("param");
  const source = sourceOf(c.env, eco);
  const signal = id.length > LIMITS.identifierLength ? undefined : await source.find(id);
  if (signal === undefined) {
    throw notFound("The log holds no signal of this id; it may be older than the retention.");
  }
  const chain = await traceChain(signal, source);
  return c.json({ ...chain, ...(await around(c.env, eco, chain)) }, 200);
});

function sourceOf(env: ApiBindings, ecosystem: string): LineageSource {
  const log = signalLog(env, ecosystem);
  return {
    find: async (id) => {
      const line = await log.find(id);
      return line === null ? undefined : (JSON.parse(line) as Signal);
    },
    effects: async (ids, after, limit) => {
      const { lines, through, head } = await log.effects({ ids, after, limit });
      return { signals: lines.map((line) => JSON.parse(line) as Signal), through, head };
    },
  };
}

/** What was decided on the signals of a chain, and what of them could not be processed. */
async function around(
  env: ApiBindings,
  ecosystem: string,
  chain: Pick<Lineage, "signal" | "causes" | "effects">,
): Promise<Pick<Lineage, "decisions" | "dead_letters">> {
  const seqs = [...chain.causes, chain.signal, ...chain.effects].map(({ seq }) => seq);
  const decisions = await policyState(env, ecosystem).decisionsOn(seqs, MAX_FOUND);
  const letters = await deadLetters(env, ecosystem).about(
    [
      ...seqs.flatMap((seq) => [`policy.${seq}`, `observations.${seq}`]),
      ...decisions.flatMap(({ effects }) => effects.map((id) => `policy.${id}`)),
      ...decisions.flatMap(({ tasks = [] }) => tasks.map(({ queue, task_id }) => `${ecosystem}/${queue}.${task_id}`)),
      ...decisions.flatMap(({ deliveries = [] }) => deliveries.map(({ delivery_id }) => `webhook.${delivery_id}`)),
    ],
    MAX_FOUND,
  );
  return { decisions, dead_letters: letters };
}
