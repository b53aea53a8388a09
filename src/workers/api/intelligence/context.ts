import { createRoute, z } from "@hono/zod-openapi";
import { BUILT_IN_LIBRARY_JSON } from "../../../core/intelligence/built-in-library.ts";
import { ContextRequest, mergeContext } from "../../../core/intelligence/context.ts";
import { type Library, lookUp, readLibrary } from "../../../core/intelligence/library.ts";
import type { LiveOutcome } from "../../../core/intelligence/live-patterns.ts";
import { NODE_TYPES, type NodeType, readNodeType } from "../../../core/intelligence/node-types.ts";
import { isTopic, TOPIC_RULE, topicsOf } from "../../../core/intelligence/topics.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath, oneOf, wholeNumber, words } from "../http/query.ts";
import { invalid } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { discover } from "./discover.ts";
import { ContextSchema, LibrarySchema } from "./schemas.ts";

const library = createRoute({
  method: "get",
  path: "/v1/{eco}/intelligence/library",
  operationId: "getLibrary",
  summary: "Look up what the built-in library knows about a kind of node",
  description:
    "A domain such as postgres_users is recognised by what occurs in it. An unknown one has what holds for all.",
  tags: ["intelligence"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      node_type: words("Type of the node: EFFECT, COMPUTE, REDUCER or ORCHESTRATOR, in any case"),
      domain: words("Domain of the node, such as database"),
    }),
  },
  responses: { 200: json(LibrarySchema, "The rules of practice and what belongs to them"), ...problems() },
});

const context = createRoute({
  method: "post",
  path: "/v1/{eco}/intelligence/context",
  operationId: "gatherContext",
  summary: "Gather what is known about a kind of node",
  description:
    "From hosts that have code, and from the built-in library, which alone answers when no host does: then " +
    "`fallback_reason` says why, and `confidence_score` is 0.7.",
  tags: ["intelligence"],
  ...secured("tasks:write"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      timeout_ms: wholeNumber(1, 60_000, 5_000, "Longest wait for a host, in milliseconds"),
      live: oneOf(["true", "false"], "Whether hosts are asked at all"),
      topic: words("Type of the calls that the hosts answer; default: the topic of development"),
      correlation_id: words("Id of the request; default: a new one"),
    }),
    body: jsonBody({ $ref: "#/components/schemas/NewContext" }),
  },
  responses: { 200: json(ContextSchema, "What is known, and where it comes from"), ...problems(400, 413, 415) },
});

export const intelligenceContext = newApi()
  .openapi(library, (c) => {
    const { node_type = "", domain = "" } = c.req.valid("query");
    return c.json(lookUp(builtIn(), typeOrRefuse(node_type, "/query/node_type", "invalid-query"), domain), 200);
  })
  .openapi(context, async (c) => {
    const request = await readDocument(c.req.raw, ContextRequest, "invalid-context");
    const type = typeOrRefuse(request.node_type, "/node_type", "invalid-context");
    const { eco: ecosystem } = c.req.valid("param");
    const { timeout_ms: timeoutMs, live, topic = topicsOf("development").request, ...query } = c.req.valid("query");
    if (!isTopic(topic)) throw refusal("invalid-query", "/query/topic", TOPIC_RULE);
    const { correlation_id: correlationId = crypto.randomUUID() } = query;
    const startMs = Date.now();
    const discovery = { env: c.env, ecosystem, topic, correlationId, timeoutMs };
    const outcome: LiveOutcome =
      live === "true"
        ? await discover(discovery, type, request)
        : { reason: "live_off", message: "the request asks no hosts" };
    const gathered = mergeContext({
      live: "patterns" in outcome ? outcome : undefined,
      fallbackReason: "patterns" in outcome ? null : outcome.reason,
      library: lookUp(builtIn(), type, request.domain),
      retrieved: undefined,
      preferLive: true,
      correlationId,
      durationMs: Date.now() - startMs,
    });
    return c.json(gathered, 200);
  });

let read: Library | undefined;
/** Read at the first request for it, so that it does not slow the start of the Worker. */
function builtIn(): Library {
  read ??= readLibrary(JSON.parse(BUILT_IN_LIBRARY_JSON), "built-in");
  return read;
}

function typeOrRefuse(text: string, pointer: string, kind: string): NodeType {
  const type = readNodeType(text);
  if (type !== undefined) return type;
  throw refusal(kind, pointer, `give one of ${NODE_TYPES.join(", ")}`);
}

const refusal = (kind: string, pointer: string, message: string) =>
  invalid(kind, "The request is not valid", [{ pointer, message }]);
