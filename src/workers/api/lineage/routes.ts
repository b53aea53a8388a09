import { createRoute, z } from "@hono/zod-openapi";
import type { Grant } from "../../../core/access/grant.ts";
import { withoutTaskContents } from "../../../core/dead-letters/task-contents.ts";
import { type ChainDelivery, ChainTask, type Lineage } from "../../../core/lineage/api.ts";
import { type TaskName, tasksOfChain } from "../../../core/lineage/chain-tasks.ts";
import { LINEAGE_LIMITS, type LineageSource, traceChain } from "../../../core/lineage/lineage.ts";
import type { Decision } from "../../../core/policy/decision.ts";
import { readQueueAddress } from "../../../core/queue/queue-address.ts";
import { readSignalLine } from "../../../core/signals/signal-line.ts";
import type { Environment } from "../../bindings/environment.ts";
import { deadLetters, policyState, signalLog, webhooks } from "../../bindings/objects.ts";
import { readsTasks } from "../dead-letters/reads-tasks.ts";
import { EcosystemPath } from "../http/query.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { findQueue } from "../queue/existing-queue.ts";
import { withChecks } from "../queue/unjudged.ts";
import { oneSignal, signalsOf, WhichSignal } from "../signals/one-signal.ts";
import { forwardsOf, mayRead, upstreamOf } from "./across.ts";
import { LineageSchema } from "./schemas.ts";

/** Decisions, and dead letters, in one lineage. */
const MAX_FOUND = 1_000;

const show = createRoute({
  method: "get",
  path: "/v1/{eco}/signals/{id}/lineage",
  operationId: "getLineage",
  summary: "Causes and effects of a signal",
  description:
    "Follows the causes upward by the id that each signal names, and the effects downward through the log. Adds the " +
    "decisions of rules on these signals, their tasks, webhook deliveries and dead letters. A chain that came from another " +
    "ecosystem goes on there, as far as the token may read signals there.",
  tags: ["signals"],
  ...secured("signals:read"),
  request: { params: EcosystemPath.extend({ id: z.string() }), query: WhichSignal },
  responses: { 200: json(LineageSchema, "The lineage"), ...problems(404, 409) },
});

export const lineage = newApi().openapi(show, async (c) => {
  const { eco, id } = c.req.valid("param");
  const line = await oneSignal(c.env, eco, id, c.req.valid("query"));
  const chain = await traceChain(readSignalLine(line), sourceOf(c.env, eco));
  const grant = c.get("grant");
  const { cut, ...found } = await followingsOf(c.env, grant, eco, chain);
  const dead_letters = readsTasks(grant, eco) ? found.dead_letters : found.dead_letters.map(withoutTaskContents);
  const [upstream, forwards] = await Promise.all([
    upstreamOf(c.env, grant, chain.causes[0] ?? chain.signal, (name) => sourceOf(c.env, name)),
    forwardsOf(c.env, grant, found.decisions),
  ]);
  const across = {
    ...(upstream.length === 0 ? {} : { upstream }),
    ...(forwards.length === 0 ? {} : { forwards }),
  };
  return c.json({ ...chain, ...found, ...across, dead_letters, truncated: chain.truncated || cut }, 200);
});

function sourceOf(env: Environment, ecosystem: string): LineageSource {
  const log = signalLog(env, ecosystem);
  return {
    find: async (id, { seq, source }) => {
      // One call searches a bounded part of the log; the second search says whether the log holds the cause at all.
      const line = (await log.find(id, { seq, source })) ?? (await signalsOf(env, ecosystem, id))[0];
      return line === undefined ? undefined : readSignalLine(line);
    },
    effects: async ({ id, seq }, ids, after, limit) => {
      const { lines, through, head } = await log.effects({ ids, after, limit, of: { id, seq } });
      return { signals: lines.map(readSignalLine), through, head };
    },
  };
}

/** Decisions on the signals of a chain, with the tasks, deliveries and dead letters that followed. */
async function followingsOf(
  env: Environment,
  grant: Grant,
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
    decisions,
    deliveries,
    dead_letters: letters,
    tasks: await tasksWithState(env, grant, ecosystem, shown),
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
      ...name,
      state,
      attempts,
      ...(last_status === undefined ? {} : { last_status }),
      ...(last_error === undefined ? {} : { last_error }),
      ...(next_attempt_at === undefined ? {} : { next_attempt_at }),
    };
  });
}

/** Looks up the state of tasks, with one call for each queue. */
async function tasksWithState(
  env: Environment,
  grant: Grant,
  ecosystem: string,
  names: readonly TaskName[],
): Promise<readonly ChainTask[]> {
  const known = new Map<string, z.infer<typeof TaskState>>();
  const byQueue = Map.groupBy(names, ({ queue }) => queue);
  await Promise.all(
    [...byQueue].map(async ([queue, tasks]) => {
      const ids = tasks.map(({ task_id }) => task_id);
      const address = readQueueAddress(queue, ecosystem);
      if (!mayRead(grant, address.ecosystem)) return;
      const found = await findQueue(env, address.ecosystem, address.queue);
      for (const text of found === undefined ? [] : await found.tasksById(ids)) {
        // The schema leaves out the payload and the history: the queue shows those.
        const task = TaskState.parse(JSON.parse(text));
        known.set(`${queue} ${task.task_id}`, task);
      }
    }),
  );
  const tasks = names.map((name): ChainTask => {
    const state = known.get(`${name.queue} ${name.task_id}`);
    return state === undefined ? { ...name, status: "unknown" } : { ...state, ...name };
  });
  return withChecks(env, ecosystem, tasks);
}

/** The fields of a task, as its queue gives it, that a chain shows. */
const TaskState = ChainTask.omit({ queue: true, cause: true, rule: true });
