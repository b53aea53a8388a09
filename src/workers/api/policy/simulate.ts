import { createRoute, z } from "@hono/zod-openapi";
import { admitRule } from "../../../core/policy/admit-rule.ts";
import { checkedMs, Duration } from "../../../core/policy/duration.ts";
import { type Past, replay } from "../../../core/policy/replay.ts";
import type { Rule } from "../../../core/policy/rule.ts";
import { countOutcomes, differencesOf } from "../../../core/policy/simulation.ts";
import { fieldErrors } from "../../../core/problem/field-errors.ts";
import type { Signal } from "../../../core/signals/signal.ts";
import { parseTimestamp } from "../../../core/signals/timestamp.ts";
import type { Environment } from "../../environment.ts";
import { policyState, signalLog } from "../../objects.ts";
import { readJson } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { invalid, notFound } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";

/** Pages of the log that one answer looks through; each is a bounded read. What a warm-up reads is held in memory. */
const MAX_PAGES = { warmUp: 8, range: 20 };
/** Decisions, and differences, in an answer. */
const MAX_SHOWN = 500;

const Time = z.union([z.string(), z.number()]).transform((value, context) => {
  const ms = parseTimestamp(value);
  if (ms !== undefined) return ms;
  context.addIssue({ code: "custom", message: "give RFC 3339 (2026-01-31T12:00:00.000Z) or seconds since the epoch" });
  return z.NEVER;
});
const Wanted = z
  .strictObject({
    since: Time,
    until: Time.optional(),
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

const decision = z.object({}).loose();
const SimulatedSchema = z
  .object({
    signals: z.int().openapi({ description: "Signals looked at" }),
    through: z.string().nullable().openapi({ description: "When the last of them was received" }),
    truncated: z.boolean().openapi({ description: "The log goes on: ask again with `since` at `through`" }),
    warm_up: z
      .object({
        from: z.string(),
        complete: z.boolean().openapi({ description: "That is as far as was wanted, or all that the log holds" }),
        signals: z.int(),
        decisions: z.int().openapi({ description: "Recorded decisions that it followed" }),
        under_way: z.record(z.string(), z.int()).openapi({ description: "What the rules kept at `since`, by kind" }),
      })
      .openapi({ description: "What it began with, and from what that was found out" }),
    outcomes: z.record(z.string(), z.object({ fired: z.int(), suppressed: z.int(), failed: z.int() })),
    decisions: z.array(decision).openapi({ description: "What the rule would have decided, 500 at most" }),
    differences: z.array(decision).openapi({ description: "What any rule would have decided otherwise, 500 at most" }),
  })
  .openapi("Simulated");

const simulatePolicy = createRoute({
  method: "post",
  path: "/v1/{eco}/policies/{id}/simulate",
  operationId: "simulatePolicy",
  summary: "What a rule, or a changed one, would have decided",
  description:
    "Runs over stored signals, beside the rules in force, and writes nothing: as if the rule had been put in force at `since`, " +
    "with what was under way then. That is found out from what came before it, as far back as the rules in force look, or " +
    "`warm_up`. With `rule` the rule as it would be; without, the one in force, as if it were switched on. Runs in the Worker " +
    "and reads the log by pages.",
  tags: ["policy"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath.extend({ id: z.string() }),
    body: jsonBody({
      type: "object",
      required: ["since"],
      properties: {
        since: { type: "string", format: "date-time" },
        until: { type: "string", format: "date-time" },
        warm_up: { type: "string", description: "Such as `2h`; `0`: begin with nothing under way" },
        rule: { type: "object", additionalProperties: true },
      },
      additionalProperties: false,
      example: { since: "2026-01-31T12:00:00.000Z" },
    }),
  },
  responses: { 200: json(SimulatedSchema, "What would have been"), ...problems(400, 404, 413, 415) },
});

export const simulate = newApi().openapi(simulatePolicy, async (c) => {
  const { eco, id } = c.req.valid("param");
  const wanted = Wanted.safeParse(await readJson(c.req.raw));
  if (!wanted.success) throw wrong(fieldErrors(wanted.error.issues, "", Wanted));
  const { since, until = Date.now(), warm_up, rule } = wanted.data;
  const deployed: readonly Rule[] = await policyState(c.env, eco).policies();
  const { decisions, ...read } = await replay(pastOf(c.env, eco), {
    ...{ deployed, sets: [deployed, changed(deployed, id, rule)], sinceMs: since, warmUpMs: warm_up },
    ...{ untilMs: Math.min(until, Date.now()), maxPages: MAX_PAGES },
  });
  const [before = [], after = []] = decisions;
  const own = after.filter((one) => one.rule === id);
  const answer = {
    ...{ ...read, outcomes: countOutcomes(own), decisions: own.slice(0, MAX_SHOWN) },
    differences: differencesOf(before, after).slice(0, MAX_SHOWN),
  };
  return c.json(answer as unknown as z.infer<typeof SimulatedSchema>, 200);
});

function changed(deployed: readonly Rule[], id: string, rule: Record<string, unknown> | undefined): Rule[] {
  const known = deployed.find((one) => one.id === id);
  const others = deployed.filter((one) => one.id !== id);
  if (rule === undefined) {
    if (known === undefined) throw notFound("There is no rule of this id; GET /v1/{eco}/policies lists them.");
    return [...others, { ...known, enabled: true }];
  }
  const admitted = admitRule({ ...rule, id }, "/rule");
  if (!admitted.ok) throw wrong(admitted.errors);
  return [...others, { ...admitted.rule, version: (known?.version ?? 0) + 1 }];
}

function pastOf(env: Environment, ecosystem: string): Past {
  const log = signalLog(env, ecosystem);
  return {
    signals: async (query) => {
      const { lines, next } = await log.read(query);
      return { signals: lines.map((line) => JSON.parse(line) as Signal), next };
    },
    decisions: (query) => policyState(env, ecosystem).decisions(query),
  };
}

const wrong = (errors: Parameters<typeof invalid>[2]) =>
  invalid("invalid-simulation", "The rule cannot be tried out so", errors);
