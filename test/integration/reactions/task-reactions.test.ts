import { join } from "node:path";
import { expect, test } from "vitest";
import { linesOf } from "../../faults/lines-of-file.ts";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";
import { untilFile } from "../../harness/until.ts";
import { FakeQueue } from "../../unit/client/fake-queue.ts";
import { ReactingHost } from "./reacting-host.ts";

async function hostAndQueue(reaction: Record<string, unknown>) {
  const queue = new FakeQueue();
  const url = await queue.start();
  atEnd(() => queue.stop());
  const directory = temporaryDirectory();
  const start = async () => {
    const host = new ReactingHost({ it: { on: { queue: "jobs", recipient: "anyone" }, ...reaction } }, directory, url);
    await host.reactions.start();
    await queue.next("ready");
    return host;
  };
  return { queue, directory, start };
}

test("a task that was given up is refused until its queue has heard of it, and begins anew when somebody retries it", async () => {
  const { queue, directory, start } = await hostAndQueue({
    // No edge takes that: another attempt would end the same way.
    run: { command: "echo $GANGLION_ATTEMPT >> runs; echo '{\"module_name\": 3}'" },
    emits: { completed: "Q_MODULE_INTEGRATED" },
  });
  const host = await start();
  atEnd(() => host.stop());
  for (const attempt of [1, 2, 3, 4]) {
    queue.giveAgain("job", attempt);
    const frame = await queue.next("fail");
    expect(frame.tasks).toMatchObject([{ lease_id: `job.${attempt}`, retry: false }]);
    // Its lease had run out: the queue has not taken the failure, and gives the task out again.
    if (attempt < 4) queue.send({ type: "conflict", tasks: [{ ...frame.tasks?.[0], reason: "lost" }] });
    else queue.confirm(frame);
  }
  expect(linesOf(join(directory, "runs"))).toEqual(["1"]);
  expect(host.said.map(({ signal }) => signal)).toEqual(["Q_REACTION_FAILED"]);
  queue.giveAgain("job", 1);
  queue.confirm(await queue.next("fail"));
  expect(linesOf(join(directory, "runs"))).toEqual(["1", "1"]);
});

test("a task whose report of a crash its queue has not heard is not begun again, whatever is restarted", async () => {
  const { queue, directory, start } = await hostAndQueue({
    run: { command: "echo $GANGLION_ATTEMPT >> runs; touch begun; sleep 600", grace_ms: 100 },
    retry: { on_crash: "report" },
  });
  const first = await start();
  queue.give("job");
  await untilFile(join(directory, "begun"));
  const stopped = first.stop();
  queue.confirm(await queue.next("fail"));
  await stopped;
  await queue.next("closed 1000");
  for (const attempt of [2, 3]) {
    const next = await start();
    queue.giveAgain("job", attempt);
    const frame = await queue.next("fail");
    expect(frame.tasks).toMatchObject([{ error: expect.stringMatching(/was stopped during the run/), retry: false }]);
    queue.confirm(frame);
    await next.stop();
    await queue.next("closed 1000");
  }
  expect(linesOf(join(directory, "runs"))).toEqual(["1"]);
});
