import { createRoute, type z } from "@hono/zod-openapi";
import type { Grant } from "../../../core/access/grant.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { CallAnswer, CallReply } from "../../../core/queue/api.ts";
import { type BreakerRefusal, breakerOpen } from "../../../core/queue/breaker-status.ts";
import { noResponder, notACall, problemOfCall } from "../../../core/queue/call-problems.ts";
import { CallInput, taskOfCall } from "../../../core/queue/task-input.ts";
import { priorityQueue, queueLobby } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { repeatable } from "../http/once.ts";
import { QueuePath, TaskPath } from "../http/query.ts";
import { notFound, Refusal, unauthenticated } from "../http/refusal.ts";
import { json, jsonBody, jsonText, newApi, problems, securedForTasks } from "../http/route.ts";
import { mayBegin } from "./begin-queue.ts";
import { mustCommand, readableRecipients } from "./commands.ts";
import { existingQueue, findQueue } from "./existing-queue.ts";
import { type LobbyVisit, waitInLobby } from "./lobby.ts";
import { PendingCallSchema, ReplySchema } from "./schemas.ts";
import { acceptedBy, jsonOrRefuse, refuseFull, withTraceOf } from "./tasks-body.ts";

const call = createRoute({
  method: "post",
  path: "/v1/{eco}/queues/{q}/calls",
  operationId: "call",
  summary: "Call a responder and wait for the reply",
  description:
    "A call is a task whose sender waits for the result. A call that is sent again with the same `correlation_id` is " +
    "the same call, and is not run twice. A call makes no queue unless a worker waits for it. The answer is 504 when no " +
    "result came in time; a later result is kept for a day. While the breaker of the recipient is open the answer is 503 " +
    "(/problems/breaker-open) at once, with the time of the next probe, or the queue's fallback.",
  tags: ["tasks"],
  ...securedForTasks("tasks:write"),
  request: {
    params: QueuePath,
    body: jsonBody({ $ref: "#/components/schemas/NewCall" }),
  },
  responses: { 200: json(ReplySchema, "The reply"), ...problems(400, 409, 413, 415, 429, 502, 504) },
});

const result = createRoute({
  method: "get",
  path: "/v1/{eco}/queues/{q}/calls/{id}",
  operationId: "getCall",
  summary: "Get the reply to an earlier call",
  tags: ["tasks"],
  ...securedForTasks("tasks:read"),
  request: { params: TaskPath },
  responses: {
    200: json(ReplySchema, "The reply"),
    202: json(PendingCallSchema, "The call has no reply yet"),
    ...problems(404, 409, 502, 504),
  },
});

export const calls = newApi()
  .openapi(call, async (c) => {
    const { eco, q } = c.req.valid("param");
    const input = await readDocument(c.req.raw, CallInput, "invalid-call");
    const id = input.correlation_id ?? repeatable(c) ?? `c${crypto.randomUUID()}`;
    mustCommand(c.get("grant"), q, [input]);
    const payloadJson = jsonOrRefuse(input.payload, "/payload", "invalid-call");
    const task = withTraceOf(c.req.raw, taskOfCall(input, id, payloadJson, "http"));
    const { recipient } = input;
    const startMs = Date.now();
    const existing = await findQueue(c.env, eco, q);
    const queue =
      existing ?? (await queueForCall({ env: c.env, ecosystem: eco, queue: q, grant: c.get("grant") }, input));
    if (queue === undefined) {
      const detail = `No queue "${q}" in the ecosystem "${eco}", and nobody began to work for it. The call was not kept.`;
      throw new Refusal(problem("call-timed-out", 504, "No reply in time", detail, { correlation_id: id }));
    }
    const timeoutMs = Math.max(1, input.timeout_ms - (Date.now() - startMs));
    // A responder that waited for the queue to begin is on its way to it.
    const answer = acceptedBy(await queue.call(task, timeoutMs, input.require_responder && existing !== undefined));
    if ("refused" in answer) {
      if (answer.refused === "breaker_open") return fallbackOf(id, answer);
      if (answer.refused === "full") throw refuseFull((await queue.status()).settings.capacity);
      throw new Refusal(answer.refused === "not_a_call" ? notACall(id) : noResponder(recipient));
    }
    if ("pending" in answer) {
      const detail = `The call is ${answer.pending}. A later reply is kept for a day: get the call by its correlation_id.`;
      throw new Refusal(problem("call-timed-out", 504, "No reply in time", detail, { correlation_id: id }));
    }
    return reply(answer);
  })
  .openapi(result, async (c) => {
    const { eco, q, id } = c.req.valid("param");
    const queue = await existingQueue(c.env, eco, q);
    const answer = await queue.callResult(id, readableRecipients(c.get("grant"), q));
    if (answer === null || "refused" in answer)
      throw notFound(`The queue knows no call "${id}". A call that ended more than a day ago is forgotten.`);
    const known = acceptedBy(answer);
    if ("pending" in known) return c.json({ correlation_id: id, status: known.pending }, 202);
    return reply(known);
  });

/**
 * The queue of a call that does not exist yet: a call begins it together with a worker that waits for it.
 *
 * @returns `undefined` where no worker came in time
 */
async function queueForCall(
  visit: LobbyVisit & { readonly grant: Grant },
  { recipient, require_responder, timeout_ms }: z.output<typeof CallInput>,
) {
  const { env, ecosystem, queue, grant } = visit;
  if (require_responder && (await queueLobby(env, ecosystem).waiting(queue, "worker")) === 0)
    throw new Refusal(noResponder(recipient));
  await mayBegin(env, ecosystem, queue, grant);
  const outcome = await waitInLobby(visit, "caller", timeout_ms).ended;
  if (outcome === "token_over") throw unauthenticated();
  return outcome === "began" ? priorityQueue(env, ecosystem, queue) : undefined;
}

/** The answer that stands for a reply while the breaker is open. @throws Refusal where the queue has none */
function fallbackOf(id: string, refusal: BreakerRefusal) {
  const { fallback, waitMs } = refusal;
  if (fallback === null) {
    const headers = { "Retry-After": String(Math.max(1, Math.ceil(waitMs / 1_000))) };
    throw new Refusal(breakerOpen(refusal), headers);
  }
  const { resultJson, source, confidence } = fallback;
  const head = JSON.stringify({ correlation_id: id, responder: null, duration_ms: 0, source, confidence });
  return jsonText<CallReply>(`${head.slice(0, -1)},"result":${resultJson}}`);
}

function reply(answer: Extract<CallAnswer, { outcome: unknown }>) {
  const { correlation_id, outcome, resultJson, responder, duration_ms } = answer;
  if (outcome !== "complete")
    throw new Refusal(problemOfCall({ ...answer, taskId: correlation_id, worker: responder }));
  const head = JSON.stringify({ correlation_id, responder, duration_ms });
  return jsonText<CallReply>(`${head.slice(0, -1)},"result":${resultJson ?? "null"}}`);
}
