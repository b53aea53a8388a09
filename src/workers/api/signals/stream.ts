import { createRoute, z } from "@hono/zod-openapi";
import { isUpgrade } from "../../../durable-objects/shell/sockets.ts";
import { signalLog } from "../../bindings/objects.ts";
import { EcosystemPath, patterns, sequence } from "../http/query.ts";
import { invalid } from "../http/refusal.ts";
import { newApi, problems, securedAfresh } from "../http/route.ts";
import { streamEvents } from "../http/server-sent-events.ts";
import { upgradeTo, withToken } from "../http/upgrade.ts";
import { EVENT_SUBPROTOCOL, eventSocket, wantsEvents, writeEvent } from "./event-stream.ts";

/**
 * With the value `on-request` a reader says that it understands requests to acknowledge. A header, because an edge of an
 * earlier version refuses an unknown parameter of the query and passes over an unknown header.
 */
const ACKNOWLEDGE_HEADER = "Ganglion-Acknowledge";

const stream = createRoute({
  method: "get",
  path: "/v1/{eco}/signals/stream",
  operationId: "streamSignals",
  summary: "Follow the signals of the log",
  description:
    "Server-sent events, or a WebSocket on upgrade. The `id` of an event is the sequence number, so that a reader resumes " +
    'with `Last-Event-ID` or `after` and misses nothing. On a WebSocket the edge sends `{"type":"signals","last","signals"}` ' +
    'and the reader answers `{"type":"seen","seq"}`; without that answer the edge pauses after some thousand signals. ' +
    "With `Accept: application/cloudevents+json`, or on a WebSocket " +
    `the subprotocol ${EVENT_SUBPROTOCOL}, each message is one CloudEvent, and \`seen\` names its attribute ganglionseq.`,
  tags: ["signals"],
  ...securedAfresh("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      signal: patterns,
      after: sequence("Start after this sequence number; default: from now on"),
    }),
  },
  responses: {
    200: {
      description: "Endless events: `id` is the sequence number, `data` the signal as JSON",
      content: { "text/event-stream": { schema: { type: "string" as const } } },
    },
    101: { description: "The connection is now a WebSocket" },
    ...problems(),
  },
});

export const streams = newApi().openapi(stream, async (c) => {
  const { eco } = c.req.valid("param");
  const { signal, after } = c.req.valid("query");
  const log = signalLog(c.env, eco);
  const query = new URLSearchParams(signal.map((pattern) => ["signal", pattern]));
  if (c.get("grant").scopes.includes("admin")) query.set("right", "admin");
  if (isUpgrade(c.req.raw)) {
    if (after !== undefined) query.set("after", String(after));
    if (wantsEvents(c.req.raw))
      return eventSocket(log, `https://log/${eco}/stream?${withToken(query, c.get("grant"))}`);
    if (c.req.header(ACKNOWLEDGE_HEADER) === "on-request") query.set("prompted", "");
    return upgradeTo(log, `/${eco}/stream`, query, c.req.raw, c.get("grant"));
  }
  // A HEAD must not open a stream: nobody would read it.
  if (c.req.raw.method === "HEAD") return new Response(null, { headers: { "Content-Type": "text/event-stream" } });
  // A browser that reconnects repeats its URL and gives the last event that it received in the header.
  const from = lastEventId(c.req.header("last-event-id")) ?? after ?? (await log.status()).head_seq;
  query.set("after", String(from));
  const url = `https://log/${eco}/stream?${withToken(query, c.get("grant"))}`;
  return wantsEvents(c.req.raw) ? streamEvents(log, url, from, writeEvent) : streamEvents(log, url, from);
});

function lastEventId(header: string | undefined): number | undefined {
  if (header === undefined || header === "") return undefined;
  if (/^\d{1,15}$/.test(header)) return Number(header);
  throw invalid("invalid-header", "The request is not valid", [
    { pointer: "/header/last-event-id", message: "give the id of the last event: a sequence number" },
  ]);
}
