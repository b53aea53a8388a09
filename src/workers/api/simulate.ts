import { createRoute, z } from "@hono/zod-openapi";
import { admitRule } from "../../core/policy/admit-rule.ts";
import { type Rule, watchedPatterns } from "../../core/policy/rule.ts";
import { countOutcomes, differencesOf, type SimulatedDecision, Simulation } from "../../core/policy/simulation.ts";
import { fieldErrors } from "../../core/problem/field-errors.ts";
import type { Signal } from "../../core/signals/signal.ts";
import { parseTimestamp } from "../../core/signals/timestamp.ts";
import { readJson } from "./body.ts";
import { type ApiBindings, policyState, signalLog } from "./objects.ts";
import { EcosystemPath } from "./query.ts";
import { invalid, notFound } from "./refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "./route.ts";

/** Pages of the log that one answer looks through; each is a bounded read. */
const MAX_PAGES = 20;
const PAGE = 1_000;
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
    "Runs over stored signals, beside the rules in force, and writes nothing. It begins with nothing under way. With `rule` the " +
    "rule as it would be; without, the one in force, as if it were switched on. Runs in the Worker and reads the log by pages.",
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
  const { since, until = Date.now(), rule } = wanted.data;
  const deployed: readonly Rule[] = await policyState(c.env, eco).policies();
  const before = new Simulation(deployed);
  const rules = changed(deployed, id, rule);
  const after = new Simulation(rules);
  const decisions: { before: SimulatedDecision[]; after: SimulatedDecision[] } = { before: [], after: [] };
  const read = await readHistory(c.env, eco, watchedPatterns([...deployed, ...rules]), since, until, (signal) => {
    decisions.before.push(...before.take(signal));
    decisions.after.push(...after.take(signal));
  });
  if (!read.truncated) {
    const endMs = Math.min(until, Date.now());
    decisions.before.push(...before.pass(endMs));
    decisions.after.push(...after.pass(endMs));
  }
  const own = decisions.after.filter((one) => one.rule === id);
  const answer = {
    ...{ ...read, outcomes: countOutcomes(own), decisions: own.slice(0, MAX_SHOWN) },
    differences: differencesOf(decisions.before, decisions.after).slice(0, MAX_SHOWN),
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

async function readHistory(
  env: ApiBindings,
  ecosystem: string,
  signals: readonly string[],
  sinceMs: number,
  untilMs: number,
  take: (signal: Signal) => void,
) {
  const log = signalLog(env, ecosystem);
  let looked = 0;
  let through: string | null = null;
  let after = 0;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const { lines, next } = await log.read({ signals, after, sinceMs, untilMs, limit: PAGE, order: "asc" });
    for (const line of lines) {
      const signal = JSON.parse(line) as Signal;
      take(signal);
      looked++;
      through = signal.received_at;
    }
    if (next === null) return { signals: looked, through, truncated: false };
    after = next;
  }
  return { signals: looked, through, truncated: true };
}

const wrong = (errors: Parameters<typeof invalid>[2]) =>
  invalid("invalid-simulation", "The rule cannot be tried out so", errors);
