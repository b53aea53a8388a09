import { createRoute } from "@hono/zod-openapi";
import { problem } from "../../../core/problem/problem.ts";
import { questions } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { TaskPath } from "../http/query.ts";
import { notFound, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { ParkRequest } from "./requests.ts";
import { TaskStateSchema } from "./schemas.ts";
import { applyAction, mayWorkFor } from "./tasks.ts";

/** A question that is lost keeps a task no longer than this after the time at which it would have expired. */
const GRACE_MS = 3_600_000;

const park = createRoute({
  method: "post",
  path: "/v1/{eco}/queues/{q}/tasks/{id}/park",
  operationId: "parkTask",
  summary: "Leave a task until a question is answered",
  description:
    "The lease ends, and no worker is held. The task comes back once, with the answer in its `answers`, when the question is " +
    "over; where it is over already, at once. The attempt does not count.",
  tags: ["tasks"],
  ...secured("tasks:work"),
  request: { params: TaskPath, body: jsonBody({ $ref: "#/components/schemas/ParkRequest" }) },
  responses: { 200: json(TaskStateSchema, "Done and durable"), ...problems(400, 404, 409, 413, 415, 429) },
});

export const parking = newApi().openapi(park, async (c) => {
  const { lease_id, question } = await readDocument(c.req.raw, ParkRequest, "invalid-park");
  const { id: taskId, ...where } = c.req.valid("param");
  // First the watch, then the park: an answer that comes between the two finds a task that runs, and stays with the task.
  const watched = await questions(c.env, where.eco).watch(question, where.q, taskId);
  if (watched === null) throw notFound(`No question "${question}". Ask it first: POST /v1/{eco}/questions`);
  if ("full" in watched) throw tooMany(watched.full);
  const { recipient, expiresMs, over } = watched;
  const why = `waits for an answer of ${recipient}`;
  const wish = { why, question, untilMs: expiresMs + GRACE_MS, over };
  const recipients = mayWorkFor(c);
  return c.json(await applyAction(c.env, where, { recipients, action: "park", taskId, leaseId: lease_id, wish }), 200);
});

const tooMany = (most: number) =>
  new Refusal(
    problem(
      "too-many-tasks",
      409,
      "Too many tasks wait",
      `${most} tasks at most wait for one question: ask another one.`,
    ),
  );
