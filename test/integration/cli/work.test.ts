import { expect, test } from "vitest";
import type { QueueEvent } from "../../../src/core/queue/api.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { start } from "./ganglion-process.ts";

const SCRIPT = `case "$GANGLION_TASK_TYPE" in
  OK) cat ;;
  BAD) echo no compiler >&2; exit 3 ;;
  SLOW) echo slow began >&2; sleep 1; echo '"slow"' ;;
  LONG) trap 'echo long was ended >&2; exit 1' TERM; echo long began >&2; sleep 1000 & wait ;;
esac`;

test("ganglion work does tasks with a command, ends what is cancelled, and stops in peace", async () => {
  const { url, token, client } = await runEdge();
  const { queues } = client();
  const add = async (type: string, payload: unknown = {}) => {
    const [task] = await queues.put("work", [{ recipient: "coder", type, payload, max_attempts: 1 }]);
    return task?.task_id ?? "";
  };
  const [ok, bad, long] = [await add("OK", { n: [1, "a b"] }), await add("BAD"), await add("LONG")];
  const env = { GANGLION_URL: url, GANGLION_TOKEN: token };
  const args = ["work", "coder", "--concurrency", "3", "--", "/bin/sh", "-c", SCRIPT];
  const worker = start(args, { env });
  const [began, ended] = [worker.remark(/^long began$/), worker.remark(/^long was ended$/)];
  const events = queues.follow("work", { tail: 100 });
  const until = async (task: string, event: string) => {
    for (;;) {
      const { value } = (await events.next()) as { value: QueueEvent };
      if (value.task_id === task && value.event === event) return;
    }
  };
  await until(bad, "failed");
  expect(await queues.task("work", bad)).toMatchObject({ error: "/bin/sh ended with exit code 3: no compiler" });
  await began;
  await queues.cancel("work", long);
  await ended;
  expect(await queues.task("work", ok)).toMatchObject({ status: "complete", result: { n: [1, "a b"] } });

  const slowBegan = worker.remark(/^slow began$/);
  const slow = await add("SLOW");
  await slowBegan;
  worker.kill("SIGTERM");
  expect(await worker.finished).toMatchObject({ code: 0, out: "" });
  // Its end was reported before that of the worker.
  expect(await queues.task("work", slow)).toMatchObject({ status: "complete", result: "slow", attempt: 1 });
});

test("ganglion work ends with the reason where no task can be done", async () => {
  const { url, token, client } = await runEdge();
  const [task] = await client().queues.put("work", [{ recipient: "coder", type: "X", payload: {} }]);
  const missing = start(["work", "coder", "--", "/no/such/program"], {
    env: { GANGLION_URL: url, GANGLION_TOKEN: token },
  });
  const refused = start(["work", "coder", "--", "true"], { env: { GANGLION_URL: url, GANGLION_TOKEN: "wrong" } });
  expect(await missing.finished).toMatchObject({
    code: 2,
    err: expect.stringContaining("there is no program /no/such/program"),
  });
  expect(await refused.finished).toMatchObject({
    code: 1,
    err: expect.stringContaining("the edge did not accept the token"),
  });
  expect(await client().queues.task("work", task?.task_id ?? "")).toMatchObject({ status: "queued" });
});
