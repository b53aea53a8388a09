import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { BATCH_TYPE, EVENT_TYPE } from "../../../core/cloudevents/media-types.ts";
import type { Appended, ReadQuery } from "../../../core/signals/api.ts";
import { LIMITS } from "../../../core/signals/limits.ts";
import type { NewSignal, Signal } from "../../../core/signals/signal.ts";
import { lineId, lineName, lineSeq } from "../../../core/signals/signal-line.ts";
import { signalLog } from "../../bindings/objects.ts";
import { accepts } from "../http/accept.ts";
import type { ApiEnv } from "../http/api-env.ts";
import { namesTag, notModified, tagged } from "../http/entity-tag.ts";
import { nextLink } from "../http/next-link.ts";
import { repeatable } from "../http/once.ts";
import { EcosystemPath, oneOf, patterns, sequence, time, wholeNumber, words } from "../http/query.ts";
import { appended } from "../http/rate-limit.ts";
import { refusedNow } from "../http/refusal.ts";
import { json, jsonBody, jsonText, newApi, problems, secured } from "../http/route.ts";
import { foreignSignal, LINE_MEDIA_TYPES, readSignals } from "./body.ts";
import { EVENTS, eventsAnswer } from "./events-answer.ts";
import { carriesEvents, readEvents } from "./events-body.ts";
import { readSignalOfFacts } from "./facts-body.ts";
import { filteredPage, signalFilter } from "./filtered.ts";
import { oneSignal, WhichSignal } from "./one-signal.ts";
import { AppendResultSchema, SignalPageSchema, SignalSchema } from "./schemas.ts";
import { withTraceOf } from "./trace-context.ts";

const NEW_SIGNAL = { $ref: "#/components/schemas/NewSignal" };

const SENT_EVENT = {
  type: "object" as const,
  description: "A CloudEvent 1.0 in its JSON format",
  properties: {
    specversion: { type: "string" as const, const: "1.0", description: "Version of CloudEvents" },
    id: { type: "string" as const, description: "With the source, what a repetition is recognised by" },
    source: { type: "string" as const, description: "Who sends it: the signal's source" },
    type: { type: "string" as const, description: "The signal's name" },
  },
  required: ["specversion", "id", "source", "type"],
  additionalProperties: true,
};

const LINES = { schema: { type: "string" as const, description: "One signal a line" } };

const emit = createRoute({
  method: "post",
  path: "/v1/{eco}/signals",
  operationId: "emitSignals",
  summary: "Emit one signal, or many",
  description:
    "All or nothing: one invalid signal refuses the request, and `errors` points at it. A request whose signals have an `id` " +
    "is safe to repeat: signals that the log has already are counted in `duplicates` and not stored again. Takes CloudEvents 1.0, too: one, a " +
    "batch of them, or one in binary mode (headers `ce-…`, and a body of any content type).",
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
        ...Object.fromEntries(LINE_MEDIA_TYPES.map((type) => [type, LINES])),
        [EVENT_TYPE]: { schema: SENT_EVENT },
        [BATCH_TYPE]: { schema: { type: "array", items: SENT_EVENT, maxItems: LIMITS.batchSignals } },
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
  description:
    "With `filter`, a condition in CEL over `signal`, `id`, `source`, `facts` and `now` (when the log received it), such as " +
    "`facts.cpu_percent > 90.0`. One call searches a bounded part of the log, and says in `searched` which: go on with `next`. A " +
    "signal on which the condition cannot be evaluated, mostly for want of a fact, does not match, and is counted. With " +
    "`Accept: application/cloudevents-batch+json` the page is a batch of CloudEvents.",
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
      filter: signalFilter,
    }),
  },
  responses: {
    200: {
      description: "One page",
      content: { "application/json": { schema: SignalPageSchema }, [BATCH_TYPE]: EVENTS },
    },
    ...problems(),
  },
});

const one = createRoute({
  method: "get",
  path: "/v1/{eco}/signals/{id}",
  operationId: "getSignal",
  summary: "One signal",
  tags: ["signals"],
  ...secured("signals:read"),
  request: { params: EcosystemPath.extend({ id: z.string() }), query: WhichSignal },
  responses: {
    200: json(SignalSchema, "The signal"),
    304: { description: "The signal that the `ETag` in `If-None-Match` names" },
    ...problems(404, 409),
  },
});

const emitFacts = createRoute({
  method: "post",
  path: "/v1/{eco}/signals/{id}",
  operationId: "emitFacts",
  summary: "Emit one signal whose facts are the whole body",
  description:
    "For programs that send JSON of their own, such as hooks, alerts and log lines. The path has the signal's name, the " +
    "query the rest of the signal. With an `id` the request is safe to repeat.",
  tags: ["signals"],
  ...secured("signals:write"),
  request: {
    // The same template as that of the call that reads a signal: OpenAPI knows no second name for one path.
    params: EcosystemPath.extend({
      id: z.string().openapi({ param: { description: "The name of the signal" }, example: "Q_DREAM_COMPLETE" }),
    }),
    query: z.strictObject({
      source: words("The host or program that sends the signal; required").openapi({ param: { required: true } }),
      id: words("Id of the signal: a second signal of this id and source is a duplicate"),
      cause: words("Id of the signal that led to this one"),
      timestamp: words("Time of the event (RFC 3339). Default: when the log receives the signal"),
    }),
    body: jsonBody({ type: "object", additionalProperties: true, description: "The facts of the signal" }),
  },
  responses: { 202: json(AppendResultSchema, "The signal is durable"), ...problems(400, 413, 415) },
});

/** Appends signals that the token may send, and answers. */
async function append(c: Context<ApiEnv>, eco: string, signals: NewSignal[], pointerOfId: (place: number) => string) {
  const outcome = await signalLog(c.env, eco).append({ owner: c.get("grant").id, signals });
  if ("overloaded" in outcome) throw refusedNow(outcome);
  if ("foreign_id" in outcome) {
    const message = `${outcome.foreign_id} belongs to the producer of a host, or to the log: choose another id, or give none`;
    throw foreignSignal([{ pointer: pointerOfId(outcome.place), message }]);
  }
  if ("conflict" in outcome) throw new Error("a request without a producer has no numbers");
  return appended(outcome);
}

/** A signal without an id gets that of the request's key. */
const named = (signal: NewSignal, id: string | undefined): NewSignal =>
  id === undefined || signal.id !== undefined ? signal : { ...signal, id };

const NOTHING_SENT: Appended = { first_seq: null, last_seq: null, accepted: 0, duplicates: 0, ids: [] };

export const signals = newApi()
  .openapi(emit, async (c) => {
    const { eco } = c.req.valid("param");
    if (carriesEvents(c.req.raw)) {
      const { signals, pointerOfId } = await readEvents(c.req.raw, c.get("grant"));
      if (signals.length === 0) return appended(NOTHING_SENT);
      return append(c, eco, withTraceOf(c.req.raw, signals), pointerOfId);
    }
    const read = await readSignals(c.req.raw, c.get("grant"));
    const signals =
      c.get("repeatable") === undefined ? read : read.map((each, place) => named(each, repeatable(c, place)));
    return append(c, eco, signals, (place) => (signals.length > 1 ? `/${place}/id` : "/id"));
  })
  .openapi(emitFacts, async (c) => {
    const { eco, id: name } = c.req.valid("param");
    const signal = await readSignalOfFacts(c.req.raw, { signal: name, ...c.req.valid("query") }, c.get("grant"));
    return append(c, eco, [named(signal, repeatable(c))], () => "/query/id");
  })
  .openapi(list, async (c) => {
    const { eco } = c.req.valid("param");
    const { signal, source, after, since, until, limit, order, filter } = c.req.valid("query");
    const query: ReadQuery = {
      signals: signal,
      limit,
      order,
      ...(source === undefined ? {} : { source }),
      ...(after === undefined ? {} : { after }),
      ...(since === undefined ? {} : { sinceMs: since }),
      ...(until === undefined ? {} : { untilMs: until }),
    };
    const asEvents = accepts(c.req.header("accept"), [BATCH_TYPE]);
    if (filter !== undefined) {
      const page = await filteredPage(c.env, eco, query, filter);
      if (asEvents) return eventsAnswer(page, c.req.url);
      return jsonText<z.infer<typeof SignalPageSchema>>(
        `{"signals":[${page.lines.join(",")}],"searched":${JSON.stringify(page.searched)},"next":${page.next}}`,
        nextLink(c.req.url, page.next),
      );
    }
    const page = await signalLog(c.env, eco).read(query);
    if (asEvents) return eventsAnswer(page, c.req.url);
    return jsonText<z.infer<typeof SignalPageSchema>>(
      `{"signals":[${page.lines.join(",")}],"next":${page.next}}`,
      nextLink(c.req.url, page.next),
    );
  })
  .openapi(one, async (c) => {
    const { eco, id } = c.req.valid("param");
    const line = await oneSignal(c.env, eco, id, c.req.valid("query"));
    // A signal never changes, but for its erasure, which gives it another name.
    const etag = `W/"${lineSeq(line)}.${lineId(line)}.${lineName(line)}"`;
    if (namesTag(c.req.header("if-none-match"), etag)) return notModified(etag);
    return jsonText<Signal>(line, tagged(etag));
  });
