import { describe, expect, it } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { aTask, queueOver } from "./queue-under-test.ts";

describe("the id of a task", () => {
  it("may hold a slash, and is percent-encoded in paths", async () => {
    const queue = queueOver(freshEcosystem());
    const put = await queue.put(aTask({ task_id: "user/234" }));
    expect(await put.json()).toEqual({ tasks: [{ task_id: "user/234", status: "queued" }] });
    const [leased] = await queue.lease("coder");
    expect(leased?.task_id).toBe("user/234");
    expect(await queue.task("user%2F234")).toMatchObject({ task_id: "user/234", status: "running" });
    const done = await queue.act("user%2F234", "complete", { lease_id: leased?.lease_id });
    expect(await done.json()).toEqual({ task_id: "user/234", status: "complete" });
  });

  it("that stands unencoded in a path is answered with how to write it", async () => {
    const queue = queueOver(freshEcosystem());
    const refused = await problemOf(await call(`${queue.base}/tasks/user/234`));
    expect([refused.status, refused.detail]).toEqual([404, expect.stringContaining("%2F")]);
  });

  it.each(["/a", "a/", "a//b", "a/../b", "../b", "a/.", "a b", `a/${"b".repeat(255)}`])(
    "is refused where it is %j",
    async (task_id) => {
      const queue = queueOver(freshEcosystem());
      const refused = await problemOf(await queue.put(aTask({ task_id })));
      expect(refused).toMatchObject({ status: 422, errors: [{ pointer: "/task_id" }] });
    },
  );

  it("of a call may hold a slash", async () => {
    const queue = queueOver(freshEcosystem());
    await queue.configure({});
    const asked = { recipient: "coder", type: "T", payload: {}, correlation_id: "user/1", timeout_ms: 1 };
    expect(await problemOf(await post(`${queue.base}/calls`, asked))).toMatchObject({ status: 504 });
    expect(await (await queue.get("/calls/user%2F1")).json()).toMatchObject({ correlation_id: "user/1" });
  });
});
