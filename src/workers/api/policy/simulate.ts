import { createRoute, z } from "@hono/zod-openapi";
import { admitRule } from "../../../core/policy/admit-rule.ts";
import { differencesOf } from "../../../core/policy/decision-difference.ts";
import { checkedMs, Duration } from "../../../core/policy/duration.ts";
import type { HistoryReader } from "../../../core/policy/history-reader.ts";
import { ReplayTooCostly, replay } from "../../../core/policy/replay.ts";
import type { Rule } from "../../../core/policy/rule.ts";
import { countOutcomes } from "../../../core/policy/simulation.ts";
import type { FieldError } from "../../../core/problem/field-error.ts";
import { fieldErrors } from "../../../core/problem/field-errors.ts";
import { readSignalLine } from "../../../core/signals/signal-line.ts";
import { GivenTime } from "../../../core/signals/timestamp-schema.ts";
import type { Environment } from "../../bindings/environment.ts";
import { policyState, signalLog } from "../../bindings/objects.ts";
import { readJson } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { invalid } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { SimulatedSchema } from "./schemas.ts";
import { SimulationShare } from "./simulation-share.ts";
import { unknownRule } from "./unknown-rule.ts";

/** Pages of the log that one request reads; each is a bounded read. The signals of the warm-up are held in memory. */
const MAX_PAGES = { warmUp: 8, range: 20, decisions: 20 };
/** Decisions, and differences, in one answer. */
const MAX_SHOWN = 500;

const SimulationRequest = z
  .strictObject({
    since: GivenTime,
    until: GivenTime.optional(),
    warm_up: z
      .union([z.literal("0").transform(() => 0), Duration.transform(checkedMs)], {
        error: "give a length of time such as 30s, 10m, 2h or 7d, or 0",
      })
      .optional(),
    rule: z.record(z.string(), z.unknown()).optional(),
  })
  .refine(({ since, until }) => until === undefined || since < until, {
    path: ["until"],
    message: "give a time after since",
  });

const simulatePolicy = createRoute({
  method: "post",
  path: "/v1/{eco}/policies/{id}/simulate",
  operationId: "simulatePolicy",
  summary: "Simulate a rule, or a changed one, on stored signals",
  description:
    "Runs the rule over stored signals, beside the rules in force, and writes nothing: as if the rule had come into force at " +
    "`since`, with the state of that time. The state is derived from earlier signals, as far back as the rules in force look, " +
    "or `warm_up`. With `rule`, that rule is simulated; without, the one in force, as if it were enabled. The simulation runs " +
    "in the Worker and reads the log by pages. It ends when its caller leaves, and after a number of steps: `truncated`. One " +
    "simulation of an ecosystem runs at a time; another one is refused with 429 meanwhile.",
  tags: ["policy"],
  ...secured("policy:write"),
  request: {
    params: EcosystemPath.extend({ id: z.string() }),
    body: jsonBody({
      type: "object",
      required: ["since"],
      properties: {
        since: { type: "string", format: "date-time" },
        until: { type: "string", format: "date-time" },
        warm_up: { type: "string", description: "Such as `2h`; `0`: begin without state" },
        rule: { type: "object", additionalProperties: true },
      },
      additionalProperties: false,
      example: { since: "2026-01-31T12:00:00.000Z" },
    }),
  },
  responses: { 200: json(SimulatedSchema, "The simulated decisions"), ...problems(400, 404, 413, 415, 429) },
});

export const simulate = newApi().openapi(simulatePolicy, async (c) => {
  const { eco, id } = c.req.valid("param");
  const request = SimulationRequest.safeParse(await readJson(c.req.raw));
  if (!request.success) throw invalidSimulation(fieldErrors(request.error.issues, "", SimulationRequest));
  const { since, until = Date.now(), warm_up, rule } = request.data;
  const deployed: readonly Rule[] = await policyState(c.env, eco).policies();
  const sets = [deployed, withRule(deployed, id, rule)];
  const share = new SimulationShare(c.env, eco, c.req.raw.signal);
  const { decisions, ...result } = await share
    .use(() =>
      replay(historyOf(c.env, eco, share), {
        deployed,
        sets,
        sinceMs: since,
        untilMs: Math.min(until, Date.now()),
        warmUpMs: warm_up,
        maxPages: MAX_PAGES,
        pace: share.pace,
      }),
    )
    .catch((error: unknown) => {
      if (!(error instanceof ReplayTooCostly)) throw error;
      throw invalidSimulation([{ pointer: "/since", message: error.message }]);
    });
  const [before = [], after = []] = decisions;
  const own = after.filter((one) => one.rule === id);
  return c.json(
    {
      ...result,
      outcomes: countOutcomes(own),
      decisions: own.slice(0, MAX_SHOWN),
      differences: differencesOf(before, after).slice(0, MAX_SHOWN),
    },
    200,
  );
});

/** The rules in force with one of them put, or enabled. */
function withRule(deployed: readonly Rule[], id: string, rule: Record<string, unknown> | undefined): Rule[] {
  const known = deployed.find((one) => one.id === id);
  const others = deployed.filter((one) => one.id !== id);
  if (rule === undefined) {
    if (known === undefined) throw unknownRule(id);
    return [...others, { ...known, enabled: true }];
  }
  const admitted = admitRule({ ...rule, id }, "/rule");
  if (!admitted.ok) throw invalidSimulation(admitted.errors);
  return [...others, { ...admitted.rule, version: (known?.version ?? 0) + 1 }];
}

function historyOf(env: Environment, ecosystem: string, share: SimulationShare): HistoryReader {
  const log = signalLog(env, ecosystem);
  return {
    signals: async (query) => {
      await share.renew();
      const { lines, next } = await log.read(query);
      return { signals: lines.map(readSignalLine), next };
    },
    decisions: async (query) => {
      await share.renew();
      return policyState(env, ecosystem).decisions(query);
    },
  };
}

const invalidSimulation = (errors: readonly FieldError[]) =>
  invalid("invalid-simulation", "Invalid simulation", errors);
