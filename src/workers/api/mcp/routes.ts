import { createRoute, z } from "@hono/zod-openapi";
import { limitsAround } from "../../../core/json/limits.ts";
import { readJson } from "../../../core/json/read-json.ts";
import { Problem } from "../../../core/problem/problem.ts";
import { LIMITS } from "../../../core/signals/limits.ts";
import { TRACEPARENT } from "../../../core/signals/signal.ts";
import type { Answering } from "../http/answer-twice.ts";
import { decode, readBytes } from "../http/body.ts";
import { EcosystemPath, words } from "../http/query.ts";
import { newApi, problems, withAnyScope } from "../http/route.ts";
import { enter } from "./door.ts";
import { edgeOf } from "./edge-calls.ts";
import { handOver, traceBelow } from "./exported-calls.ts";
import { selectedTools } from "./groups.ts";
import { MAX_WATCHED, openListening, watchedBy } from "./listening.ts";
import { type ServedCall, serve } from "./serve.ts";
import type { ToolResult } from "./tool-result.ts";

const message = { type: "object" as const, additionalProperties: true };

const post = createRoute({
  method: "post",
  path: "/v1/{eco}/mcp",
  operationId: "mcp",
  summary: "The server of the Model Context Protocol",
  description:
    "One JSON-RPC request of the revision 2026-07-28, or of an earlier one without sessions. The tools that a token may use are " +
    "listed; calls of theirs are calls of this API, with the same rights and bounds.",
  tags: ["operation"],
  ...withAnyScope(),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      tools: words("Groups of tools, with commas between them; `default` stands for those that are listed otherwise"),
    }),
    body: { required: true, content: { "application/json": { schema: message } } },
  },
  responses: {
    200: {
      description: "The answer, or events of the server and the answer last",
      content: {
        "application/json": { schema: message },
        "text/event-stream": { schema: { type: "string" as const } },
      },
    },
    202: { description: "A notification was taken" },
    ...problems(400, 404, 413, 415),
  },
});

/** A request carries the arguments of a tool within its parameters, and those carry what others are sent. */
const LEVELS = 4;
const INVALID_REQUEST = -32_600;
const INVALID_PARAMS = -32_602;
const PARSE_ERROR = -32_700;

/** @param answering - the whole API, which the tools call */
export const mcp = (answering: Answering) =>
  newApi().openapi(post, async (c) => {
    const grant = await enter(c);
    const tools = selectedTools(c.req.valid("query").tools);
    const { bytes } = await readBytes(c.req.raw, ["application/json"], LIMITS.batchBytes);
    const read = readJson(decode(bytes), limitsAround(LEVELS));
    if (!read.ok) {
      const [first] = read.malformed === undefined ? read.errors : [];
      return read.malformed === undefined
        ? refused(INVALID_REQUEST, `Invalid request: ${first?.pointer}: ${first?.message}`)
        : refused(PARSE_ERROR, `Parse error: ${read.malformed}`);
    }
    if (Array.isArray(read.value)) return refused(INVALID_REQUEST, "Invalid request: send one request a body");
    const { eco: ecosystem } = c.req.valid("param");
    const uris = watchedBy(read.value);
    if (uris !== undefined && uris.length > MAX_WATCHED)
      return refused(INVALID_PARAMS, `Invalid params: subscribe to ${MAX_WATCHED} resources at most`);
    // A stream stays open, so it must not be opened for a token that was deleted a moment ago.
    const listening =
      uris === undefined
        ? undefined
        : await openListening({ env: c.env, ecosystem, grant: await enter(c, true), uris });
    const id = crypto.randomUUID();
    const trace = traceOfRequest(read.value, c.req.header("traceparent"));
    const edge = edgeOf(c, answering, traceBelow(ecosystem, id, trace));
    const revision = c.req.header("mcp-protocol-version");
    const onCall = ({ tool, args, result, startMs }: ServedCall) => {
      const refused = "isError" in result ? refusalIn(result) : {};
      const call = { id, tool, trace, revision, caller: grant.name, startMs, endMs: Date.now(), ...refused };
      c.executionCtx.waitUntil(handOver({ env: c.env, ecosystem }, { call, args, result: resultOf(result) }));
    };
    return serve(c.req.raw, read.value, { ecosystem, grant, tools, edge, listening, onCall });
  });

/** The caller's place in a trace: of the request's own message, or of its headers. */
function traceOfRequest(body: unknown, header: string | undefined): string | undefined {
  const meta = Meta.safeParse(body).data?.params?._meta?.traceparent;
  return [meta, header].find((trace) => trace !== undefined && TRACEPARENT.test(trace));
}

const Meta = z.object({
  params: z.object({ _meta: z.object({ traceparent: z.string().optional() }).optional() }).optional(),
});

/** Why a call was refused, in a word; its text is for where payloads may leave. */
function refusalIn({ content }: ToolResult): { readonly error: string; readonly detail?: string } {
  const detail = content[0]?.text;
  let read: unknown;
  try {
    read = JSON.parse(detail ?? "");
  } catch {
    read = undefined; // a text for people
  }
  const { type } = Problem.safeParse(read).data ?? {};
  return { error: type?.split(/[/:#]/).at(-1)?.slice(0, 128) ?? "failed", ...(detail !== undefined && { detail }) };
}

const resultOf = (result: ServedCall["result"]): unknown =>
  "structuredContent" in result ? result.structuredContent : result.content[0]?.text;

/** What is no request yet: it has no id. */
const refused = (code: number, text: string) =>
  Response.json({ jsonrpc: "2.0", id: null, error: { code, message: text } }, { status: 400 });
