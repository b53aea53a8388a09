import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";

/** How many queues have an object. */
const objects = async () => (await listDurableObjectIds(env.PRIORITY_QUEUE as never)).length;
const aTask = { recipient: "w", type: "T", payload: {} };

describe("queue that does not exist", () => {
  test.each([
    ["GET", ""],
    ["GET", "/bottlenecks"],
    ["GET", "/events"],
    ["GET", "/tasks"],
    ["GET", "/tasks/t1"],
    ["GET", "/calls/c1"],
    ["POST", "/tasks/t1/cancel"],
    ["POST", "/tasks/t1/retry"],
  ])("is answered with 404 and not made by %s …%s", async (method, path) => {
    const eco = freshEcosystem();
    const before = await objects();
    const answer = await problemOf(await call(`/v1/${eco}/queues/typo${path}`, { method }));
    expect([answer.status, answer.detail]).toEqual([404, expect.stringContaining('No queue "typo"')]);
    expect(await objects()).toBe(before);
  });

  test("has no task for a worker that does not wait, and is not made by it", async () => {
    const eco = freshEcosystem();
    const before = await objects();
    const answer = await post(`/v1/${eco}/queues/typo/lease`, { recipient: "w" });
    expect([answer.status, await answer.json()]).toEqual([200, { tasks: [] }]);
    expect(await objects()).toBe(before);
  });

  test("has no responder for a caller that needs one, and is not made by the call", async () => {
    const eco = freshEcosystem();
    const before = await objects();
    const wanted = { recipient: "w", type: "T", payload: {}, require_responder: true };
    expect((await problemOf(await post(`/v1/${eco}/queues/typo/calls`, wanted))).status).toBe(503);
    expect(await objects()).toBe(before);
  });

  test("exists for everybody as soon as its first task is accepted", async () => {
    const eco = freshEcosystem();
    const accepted = await post(`/v1/${eco}/queues/work/tasks`, { ...aTask, task_id: "t1" });
    expect(accepted.status).toBe(202);
    expect(await (await call(`/v1/${eco}/queues/work/tasks/t1`)).json()).toMatchObject({ task_id: "t1" });
    expect(await (await call(`/v1/${eco}/queues/work`)).json()).toMatchObject({ depth: 1 });
    expect(await (await call(`/v1/${eco}/queues`)).json()).toMatchObject({ queues: [{ name: "work" }] });
  });
});
