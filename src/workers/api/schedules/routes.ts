import { createRoute, z } from "@hono/zod-openapi";
import { problem } from "../../../core/problem/problem.ts";
import { RunReport, type Schedule } from "../../../core/schedules/api.ts";
import { admitSchedule, SCHEDULE_NAME, SCHEDULE_RULE } from "../../../core/schedules/settings.ts";
import { schedules } from "../../bindings/objects.ts";
import { readDocument, readJson } from "../http/body.ts";
import { repeatable } from "../http/once.ts";
import { EcosystemPath, pageCursor, wholeNumber } from "../http/query.ts";
import { invalid, notFound, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { beginQueue } from "../queue/begin-queue.ts";
import { mayMake, mayReport } from "./may-make.ts";
import { NewScheduleSchema, RunReportSchema, ScheduleRunsSchema, ScheduleSchema, SchedulesSchema } from "./schemas.ts";

const tags = ["schedules"];
const SchedulePath = EcosystemPath.extend({
  name: z
    .string()
    .regex(SCHEDULE_NAME, SCHEDULE_RULE)
    .openapi({ param: { description: "Name of the schedule" }, example: "nightly" }),
});

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/schedules",
  operationId: "listSchedules",
  summary: "List the schedules by name, with their state",
  tags,
  ...secured("tasks:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({ limit: wholeNumber(1, 1_000, 100, "Schedules in a page"), after: pageCursor }),
  },
  responses: { 200: json(SchedulesSchema, "One page"), ...problems() },
});

const show = createRoute({
  method: "get",
  path: "/v1/{eco}/schedules/{name}",
  operationId: "getSchedule",
  summary: "Get a schedule with its state",
  tags,
  ...secured("tasks:read"),
  request: { params: SchedulePath },
  responses: { 200: json(ScheduleSchema, "The schedule"), ...problems(404) },
});

const put = createRoute({
  method: "put",
  path: "/v1/{eco}/schedules/{name}",
  operationId: "putSchedule",
  summary: "Make a task or a signal at certain times, or watch over a job that runs elsewhere",
  description:
    "Each run is a `task`, or a `signal`; without both the job runs elsewhere and reports its runs. Each of the times has one " +
    "run. Fields that are left out have their defaults, `paused` stays as it is.",
  tags,
  ...secured("policy:write"),
  request: {
    params: SchedulePath,
    body: jsonBody({
      ...(z.toJSONSchema(NewScheduleSchema, { io: "input", target: "draft-2020-12" }) as object),
      example: {
        cron: "0 3 * * *",
        zone: "Europe/Berlin",
        task: { recipient: "backup", type: "backup", payload: { disk: "sda" } },
        limits: { late_start: "10m", late_finish: "2h" },
      },
    }),
  },
  responses: { 200: json(ScheduleSchema, "The schedule as it is now"), ...problems(400, 409, 413, 415) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/{eco}/schedules/{name}",
  operationId: "deleteSchedule",
  summary: "Delete a schedule; tasks that it has made stay",
  tags,
  ...secured("policy:write"),
  request: { params: SchedulePath },
  responses: { 204: { description: "The schedule is gone" }, ...problems(404) },
});

const runs = createRoute({
  method: "get",
  path: "/v1/{eco}/schedules/{name}/runs",
  operationId: "listScheduleRuns",
  summary: "List the last runs of a schedule, and the times at which there was none",
  tags,
  ...secured("tasks:read"),
  request: { params: SchedulePath },
  responses: { 200: json(ScheduleRunsSchema, "The newest first"), ...problems(404) },
});

const change = (action: "pause" | "resume", summary: string) =>
  createRoute({
    method: "post",
    path: `/v1/{eco}/schedules/{name}/${action}`,
    operationId: `${action}Schedule`,
    summary,
    tags,
    ...secured("policy:write"),
    request: { params: SchedulePath },
    responses: { 200: json(ScheduleSchema, "The schedule as it is now"), ...problems(404) },
  });
const pause = change("pause", "Make no runs until the schedule is resumed");
const resume = change("resume", "Make runs again, from the next time on");

const run = createRoute({
  method: "post",
  path: "/v1/{eco}/schedules/{name}/run",
  operationId: "runSchedule",
  summary: "Make a run now",
  description: "It obeys `overlap`, and counts for `too_often`. The times of the schedule stay as they are.",
  tags,
  ...secured("policy:write"),
  request: { params: SchedulePath },
  responses: {
    202: json(
      z.object({ run: z.string().openapi({ description: "Id of the run, and of its task" }) }),
      "The run is durable",
    ),
    ...problems(404, 409),
  },
});

const report = createRoute({
  method: "post",
  path: "/v1/{eco}/schedules/{name}/runs",
  operationId: "reportScheduleRun",
  summary: "Report that a run of a job that runs elsewhere began, goes on, or ended",
  description:
    "With a `run` of your own each report may be sent again. A token that is bound to sources reports for schedules of their names.",
  tags,
  ...secured("signals:write"),
  request: {
    params: SchedulePath,
    body: jsonBody(z.toJSONSchema(RunReportSchema, { io: "input", target: "draft-2020-12" }) as object),
  },
  responses: { 200: json(ScheduleSchema, "The schedule as it is now"), ...problems(400, 404, 409, 413, 415) },
});

const beat = <const Method extends "get" | "post">(method: Method) =>
  createRoute({
    method,
    path: "/v1/{eco}/schedules/{name}/heartbeat",
    operationId: method === "get" ? "getScheduleHeartbeat" : "postScheduleHeartbeat",
    summary: "Report that a job that runs elsewhere is alive",
    description:
      "A run without a length, for anything that can call a URL with the header Authorization. GET and POST are the same.",
    tags,
    ...secured("signals:write"),
    request: { params: SchedulePath },
    responses: { 200: json(ScheduleSchema, "The schedule as it is now"), ...problems(404, 409) },
  });

export const scheduleRoutes = newApi()
  .openapi(list, async (c) => {
    const { limit, after = "" } = c.req.valid("query");
    return c.json(await schedules(c.env, c.req.valid("param").eco).list(after, limit), 200);
  })
  .openapi(show, async (c) => {
    const { eco, name } = c.req.valid("param");
    return c.json(found(await schedules(c.env, eco).show(name), name), 200);
  })
  .openapi(put, async (c) => {
    const { eco, name } = c.req.valid("param");
    const admitted = admitSchedule(await readJson(c.req.raw, { kind: "invalid-schedule", title: INVALID }));
    if (!admitted.ok) throw invalid("invalid-schedule", INVALID, admitted.errors);
    const { settings } = admitted;
    mayMake(c.get("grant"), eco, settings);
    // The queue begins with the first task, and counts for the token that put the schedule.
    if (settings.task !== undefined) await beginQueue(c.env, eco, settings.task.queue, c.get("grant"));
    const answer = await schedules(c.env, eco).put(name, settings);
    if ("full" in answer) throw tooMany(answer.full);
    return c.json(answer, 200);
  })
  .openapi(remove, async (c) => {
    const { eco, name } = c.req.valid("param");
    if (!(await schedules(c.env, eco).remove(name))) throw unknown(name);
    return c.body(null, 204);
  })
  .openapi(runs, async (c) => {
    const { eco, name } = c.req.valid("param");
    return c.json({ runs: found(await schedules(c.env, eco).runs(name), name) }, 200);
  })
  .openapi(pause, async (c) => {
    const { eco, name } = c.req.valid("param");
    return c.json(found(await schedules(c.env, eco).pause(name, true), name), 200);
  })
  .openapi(resume, async (c) => {
    const { eco, name } = c.req.valid("param");
    const object = schedules(c.env, eco);
    mayMake(c.get("grant"), eco, found(await object.show(name), name));
    return c.json(found(await object.pause(name, false), name), 200);
  })
  .openapi(run, async (c) => {
    const { eco, name } = c.req.valid("param");
    const object = schedules(c.env, eco);
    mayMake(c.get("grant"), eco, found(await object.show(name), name));
    const id = `schedule/${name}/${repeatable(c) ?? `hand-${crypto.randomUUID()}`}`;
    const answer = found(await object.run(name, id), name);
    if ("kind" in answer) throw otherKind(name, "runs elsewhere: start its job there");
    const { none } = answer;
    if (none !== null && "skipped" in none)
      throw new Refusal(
        problem(
          "run-skipped",
          409,
          "No run was made",
          `There is no run: ${none.skipped}. Wait for its end, or change overlap.`,
        ),
      );
    return c.json({ run: answer.run }, 202);
  })
  .openapi(report, async (c) => {
    const { eco, name } = c.req.valid("param");
    mayReport(c.get("grant"), name);
    const read = await readDocument(c.req.raw, RunReport, "invalid-report");
    return c.json(reported(await schedules(c.env, eco).report(name, read), name), 200);
  })
  .openapi(beat("get"), async (c) => {
    const { eco, name } = c.req.valid("param");
    mayReport(c.get("grant"), name);
    return c.json(reported(await schedules(c.env, eco).report(name, null), name), 200);
  })
  .openapi(beat("post"), async (c) => {
    const { eco, name } = c.req.valid("param");
    mayReport(c.get("grant"), name);
    return c.json(reported(await schedules(c.env, eco).report(name, null), name), 200);
  });

const INVALID = "Invalid schedule";

function reported(answer: Schedule | { readonly kind: string } | null, name: string): Schedule {
  const told = found(answer, name);
  if ("kind" in told)
    throw otherKind(name, `makes each run as a ${told.kind}, and follows it itself: nothing is reported`);
  return told;
}

function found<Answer>(answer: Answer | null, name: string): Answer {
  if (answer === null) throw unknown(name);
  return answer;
}

const unknown = (name: string) => notFound(`No schedule "${name}". List the schedules: GET /v1/{eco}/schedules`);

const otherKind = (name: string, what: string) =>
  new Refusal(problem("other-schedule", 409, "The schedule is of another kind", `The schedule "${name}" ${what}.`));

const tooMany = (most: number) =>
  new Refusal(
    problem("too-many-schedules", 409, "Too many schedules", `An ecosystem has ${most} schedules at most: delete one.`),
  );
