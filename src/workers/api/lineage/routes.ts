import { createRoute, z } from "@hono/zod-openapi";
import { type ChainTask, type TaskName, tasksOfChain } from "../../../core/lineage/chain-tasks.ts";
import {
  type ChainDelivery,
  LINEAGE_LIMITS,
  type Lineage,
  type LineageSource,
  traceChain,
} from "../../../core/lineage/lineage.ts";
import type { Decision } from "../../../core/policy/decision.ts";
import { LIMITS } from "../../../core/signals/limits.ts";
import type { Signal } from "../../../core/signals/signal.ts";
import type { Environment } from "../../environment.ts";
import { deadLetters, policyState, priorityQueue, signalLog, webhooks } from "../../objects.ts";
import { EcosystemPath } from "../http/query.ts";
import { notFound } from "../http/refusal.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
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
    "decided on any of them, the tasks and messages that came of it, and what could not be processed. `truncated` says that there is more than was looked for.",
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
  const { cut, ...found } = await around(c.env, eco, chain);
  return c.json({ ...chain, ...found, truncated: chain.truncated || cut }, 200);
});

function sourceOf(env: Environment, ecosystem: string): LineageSource {
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

/** What was decided on the signals of a chain, what was done, and what of it could not be processed. */
async function around(
  env: Environment,
  ecosystem: string,
  chain: Pick<Lineage, "signal" | "causes" | "effects">,
): Promise<Pick<Lineage, "decisions" | "tasks" | "deliveries" | "dead_letters"> & { cut: boolean }> {
  const signals = [...chain.causes, chain.signal, ...chain.effects];
  const seqs = signals.map(({ seq }) => seq);
  const decisions = await policyState(env, ecosystem).decisionsOn(seqs, MAX_FOUND);
  const [letters, deliveries] = await Promise.all([
    deadLetters(env, ecosystem).about(
      [
        ...seqs.flatMap((seq) => [`policy.${seq}`, `observations.${seq}`]),
        ...decisions.flatMap(({ effects }) => effects.map((id) => `policy.${id}`)),
        ...decisions.flatMap(({ tasks = [] }) => tasks.map(({ queue, task_id }) => `${ecosystem}/${queue}.${task_id}`)),
        ...decisions.flatMap(({ deliveries = [] }) => deliveries.map(({ delivery_id }) => `webhook.${delivery_id}`)),
      ],
      signals.map(({ id }) => id),
      MAX_FOUND,
    ),
    deliveriesOf(env, ecosystem, decisions),
  ]);
  const tasks = tasksOfChain(decisions, signals, letters);
  const shown = tasks.slice(0, LINEAGE_LIMITS.tasks);
  return {
    ...{ decisions, deliveries, dead_letters: letters, tasks: await standing(env, ecosystem, shown) },
    cut: shown.length < tasks.length || decisions.length >= MAX_FOUND || letters.length >= MAX_FOUND,
  };
}

async function deliveriesOf(env: Environment, eco: string, decisions: readonly Decision[]): Promise<ChainDelivery[]> {
  const named = decisions
    .flatMap(({ deliveries = [], signal, rule }) =>
      deliveries.map(({ delivery_id, endpoint }) => ({ delivery_id, endpoint, cause: signal.id, rule })),
    )
    .slice(0, LINEAGE_LIMITS.deliveries);
  if (named.length === 0) return [];
  const known = await webhooks(env, eco).deliveriesOf(named.map(({ delivery_id }) => delivery_id));
  const byId = new Map(known.map((delivery) => [delivery.id, delivery]));
  return named.map((name) => {
    const delivery = byId.get(name.delivery_id);
    if (delivery === undefined) return { ...name, state: "unknown" };
    const { state, attempts, last_status, last_error, next_attempt_at } = delivery;
    return {
      ...{ ...name, state, attempts },
      ...(last_status === undefined ? {} : { last_status }),
      ...(last_error === undefined ? {} : { last_error }),
      ...(next_attempt_at === undefined ? {} : { next_attempt_at }),
    };
  });
}

/** How tasks stand: one call for each queue. */
async function standing(env: Environment, ecosystem: string, names: readonly TaskName[]): Promise<ChainTask[]> {
  const known = new Map<string, ChainTask>();
  const byQueue = Map.groupBy(names, ({ queue }) => queue);
  await Promise.all(
    [...byQueue].map(async ([queue, tasks]) => {
      const ids = tasks.map(({ task_id }) => task_id);
      for (const text of await priorityQueue(env, ecosystem, queue).tasksById(ids)) {
        const task = JSON.parse(text) as ChainTask;
        known.set(`${queue} ${task.task_id}`, task);
      }
    }),
  );
  return names.map((name) => {
    const task = known.get(`${name.queue} ${name.task_id}`);
    if (task === undefined) return { ...name, status: "unknown" };
    const said = SHOWN.flatMap((field) => (task[field] === undefined ? [] : [[field, task[field]]]));
    return { status: task.status, ...name, ...Object.fromEntries(said) };
  });
}

/** What a chain says about a task; its payload and its history are the queue's to show. */
const SHOWN = ["outcome", "recipient", "type", "attempt", "worker", "error"] as const;
