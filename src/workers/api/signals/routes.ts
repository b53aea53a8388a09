import { createRoute, z } from "@hono/zod-openapi";
import { LIMITS } from "../../../core/signals/limits.ts";
import type { Signal } from "../../../core/signals/signal.ts";
import { signalLog } from "../../bindings/objects.ts";
import { EcosystemPath, oneOf, patterns, sequence, time, wholeNumber, words } from "../http/query.ts";
import { overloaded } from "../http/refusal.ts";
import { json, jsonText, newApi, problems, secured } from "../http/route.ts";
import { foreignSignal, readSignals } from "./body.ts";
import { oneSignal, WhichSignal } from "./one-signal.ts";
import { AppendResultSchema, SignalPageSchema, SignalSchema } from "./schemas.ts";

const NEW_SIGNAL = { $ref: "#/components/schemas/NewSignal" };

const emit = createRoute({
  method: "post",
  path: "/v1/{eco}/signals",
  operationId: "emitSignals",
  summary: "Emit one signal, or many",
  description:
    "All or nothing: one invalid signal refuses the request, and `errors` points at it. A request whose signals have an `id` " +
    "is safe to repeat: signals that the log has already are counted in `duplicates` and not stored again.",
  tags: ["signals"],
  ...secured("signals:write"),
  request: {
    params: EcosystemPath,
    // The schema is a reference and not a Zod schema: body.ts reads and checks the body, with a size limit and eight
    // times as fast.
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
      after: sequence("Only signals after this sequence number; with `order=desc`, before it"),
      since: time("Only signals with an event time at or after this"),
      until: time("Only signals with an event time before this"),
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
  request: { params: EcosystemPath.extend({ id: z.string() }), query: WhichSignal },
  responses: { 200: json(SignalSchema, "The signal"), ...problems(404, 409) },
});

export const signals = newApi()
  .openapi(emit, async (c) => {
    const { eco } = c.req.valid("param");
    const grant = c.get("grant");
    const signals = await readSignals(c.req.raw, grant);
    const outcome = await signalLog(c.env, eco).append({ owner: grant.id, signals });
    if ("overloaded" in outcome) throw overloaded(outcome.detail, outcome.retry_after_ms);
    if ("foreign_id" in outcome) {
      const { foreign_id, place } = outcome;
      const message = `${foreign_id} belongs to the producer of a host, or to the log: choose another id, or give none`;
      throw foreignSignal([{ pointer: signals.length > 1 ? `/${place}/id` : "/id", message }]);
    }
    if ("conflict" in outcome) throw new Error("a request without a producer has no numbers");
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
    return jsonText<Signal>(await oneSignal(c.env, eco, id, c.req.valid("query")));
  });
