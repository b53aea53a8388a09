import { createRoute, type z } from "@hono/zod-openapi";
import { problem } from "../../../core/problem/problem.ts";
import type { CallAnswer } from "../../../core/queue/api.ts";
import { noResponder, problemOfCall } from "../../../core/queue/call-problems.ts";
import { CallInput, taskOfCall } from "../../../core/queue/task-input.ts";
import { priorityQueue } from "../../objects.ts";
import { readDocument } from "../http/body.ts";
import { QueuePath, TaskPath } from "../http/query.ts";
import { notFound, Refusal } from "../http/refusal.ts";
import { json, jsonBody, jsonText, newApi, problems, secured } from "../http/route.ts";
import { PendingCallSchema, ReplySchema } from "./schemas.ts";
import { keptJson, queueFull, taken } from "./tasks-body.ts";

const call = createRoute({
  method: "post",
  path: "/v1/{eco}/queues/{q}/calls",
  operationId: "call",
  summary: "Ask, and wait for the reply",
  description:
    "A call is a task whose sender waits for its end. Sent again with the same `correlation_id` it is the same call. " +
    "When nobody answers in time the answer is 504, and a result that comes later is kept for a day.",
  tags: ["tasks"],
  ...secured("tasks:write"),
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
  summary: "The reply to an earlier call",
  tags: ["tasks"],
  ...secured("signals:read"),
  request: { params: TaskPath },
  responses: {
    200: json(ReplySchema, "The reply"),
    202: json(PendingCallSchema, "There is none yet"),
    ...problems(404, 409, 502, 504),
  },
});

export const calls = newApi()
  .openapi(call, async (c) => {
    const { eco, q } = c.req.valid("param");
    const asked = await readDocument(c.req.raw, CallInput, "invalid-call");
    const id = asked.correlation_id ?? `c${crypto.randomUUID()}`;
    const task = taskOfCall(asked, id, keptJson(asked.payload, "/payload", "invalid-call"), "http");
    const queue = priorityQueue(c.env, eco, q);
    const answer = taken(await queue.call(task, asked.timeout_ms, asked.require_responder));
    if ("refused" in answer) {
      if (answer.refused === "full") throw queueFull((await queue.status()).settings.capacity);
      throw new Refusal(noResponder(asked.recipient));
    }
    if ("pending" in answer) {
      const detail = `It is ${answer.pending}. A reply that comes yet is kept: ask for the call by its correlation_id.`;
      throw new Refusal(problem("call-timed-out", 504, "No reply in time", detail, { correlation_id: id }));
    }
    return reply(answer);
  })
  .openapi(result, async (c) => {
    const { eco, q, id } = c.req.valid("param");
    const answer = await priorityQueue(c.env, eco, q).callResult(id);
    if (answer === null || "refused" in answer) throw notFound("The queue knows no call of this correlation id.");
    const known = taken(answer);
    if ("pending" in known) return c.json({ correlation_id: id, status: known.pending }, 202);
    return reply(known as Extract<CallAnswer, { outcome: unknown }>);
  });

function reply(answer: Extract<CallAnswer, { outcome: unknown }>) {
  const { correlation_id, outcome, resultJson, responder, duration_ms } = answer;
  if (outcome !== "complete")
    throw new Refusal(problemOfCall({ ...answer, taskId: correlation_id, worker: responder }));
  const head = JSON.stringify({ correlation_id, responder, duration_ms });
  return jsonText<z.infer<typeof ReplySchema>>(`${head.slice(0, -1)},"result":${resultJson ?? "null"}}`);
}
