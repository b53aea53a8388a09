import { createRoute, z } from "@hono/zod-openapi";
import { LIMITS } from "../../../core/signals/limits.ts";
import type { Signal } from "../../../core/signals/signal.ts";
import { signalLog } from "../../objects.ts";
import { EcosystemPath, oneOf, patterns, sequence, time, wholeNumber, words } from "../http/query.ts";
import { notFound, overloaded } from "../http/refusal.ts";
import { json, jsonText, newApi, problems, secured } from "../http/route.ts";
import { readSignals } from "./body.ts";
import { AppendResultSchema, SignalPageSchema, SignalSchema } from "./schemas.ts";

const NEW_SIGNAL = { $ref: "#/components/schemas/NewSignal" };

const emit = createRoute({
  method: "post",
  path: "/v1/{eco}/signals",
  operationId: "emitSignals",
  summary: "Emit one signal, or many",
  description:
    "All or nothing: one invalid signal refuses the request and is pointed at. Give each signal an `id` and sending the " +
    "same request again is safe: what the log has already is counted in `duplicates` and not kept twice.",
  tags: ["signals"],
  ...secured("signals:write"),
  request: {
    params: EcosystemPath,
    // The schema is a reference and not a Zod schema: the body is read and checked by signals-body.ts, bounded and
    // eight times as fast.
    body: {
      required: true,
      content: {
        "application/json": {
          schema: {
            oneOf: [NEW_SIGNAL, { type: "array", items: NEW_SIGNAL, minItems: 1, maxItems: LIMITS.batchSignals }],
          },
        },
        "application/x-ndjson": { schema: { type: "string", description: "One signal a line" } },
      },
    },
  },
  responses: { 202: json(AppendResultSchema, "The signals are durable"), ...problems(400, 413, 415) },
});

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/signals",
  operationId: "listSignals",
  summary: "Read the log",
  tags: ["signals"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      signal: patterns,
      source: words("Only signals of this source"),
      after: sequence("Only signals behind this place in the log; with `order=desc`, before it"),
      since: time("Not older than this, by their own time"),
      until: time("Older than this, by their own time"),
      limit: wholeNumber(1, 1_000, 100, "Signals in a page"),
      order: oneOf(["asc", "desc"], "Oldest or newest first"),
    }),
  },
  responses: { 200: json(SignalPageSchema, "One page"), ...problems() },
});

const one = createRoute({
  method: "get",
  path: "/v1/{eco}/signals/{id}",
  operationId: "getSignal",
  summary: "One signal",
  tags: ["signals"],
  ...secured("signals:read"),
  request: { params: EcosystemPath.extend({ id: z.string() }) },
  responses: { 200: json(SignalSchema, "The signal"), ...problems(404) },
});

export const signals = newApi()
  .openapi(emit, async (c) => {
    const { eco } = c.req.valid("param");
    const outcome = await signalLog(c.env, eco).append({ signals: await readSignals(c.req.raw) });
    if ("overloaded" in outcome) throw overloaded(outcome.detail, outcome.retry_after_ms);
    return c.json(outcome, 202);
  })
  .openapi(list, async (c) => {
    const { eco } = c.req.valid("param");
    const { signal, source, after, since, until, limit, order } = c.req.valid("query");
    const page = await signalLog(c.env, eco).read({
      signals: signal,
      limit,
      order,
      ...(source === undefined ? {} : { source }),
      ...(after === undefined ? {} : { after }),
      ...(since === undefined ? {} : { sinceMs: since }),
      ...(until === undefined ? {} : { untilMs: until }),
    });
    return jsonText<z.infer<typeof SignalPageSchema>>(`{"signals":[${page.lines.join(",")}],"next":${page.next}}`);
  })
  .openapi(one, async (c) => {
    const { eco, id } = c.req.valid("param");
    const line = id.length > LIMITS.identifierLength ? null : await signalLog(c.env, eco).find(id);
    if (line === null) throw notFound("The log holds no signal of this id; it may be older than the retention.");
    return jsonText<Signal>(line);
  });
