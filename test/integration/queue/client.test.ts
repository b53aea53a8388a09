import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { openCaller } from "../../../src/client/work/caller.ts";
import { answer } from "../../../src/client/work/responder.ts";
import { work } from "../../../src/client/work/worker.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { PATIENCE_MS } from "../../harness/until.ts";
import { upgradeRefusingProxy } from "./upgrade-refusing-proxy.ts";

const PATIENCE = { timeout: PATIENCE_MS };

test("calls over a channel get their reply, the responder's failure, and the end of their time", async () => {
  const { url, token, client } = await runEdge();
  const caller = openCaller("work", { url, token });
  onTestFinished(() => caller.close());
  await expect(
    caller.call("oracle", "ASK", {}, { requireResponder: true, timeoutMs: PATIENCE_MS }),
  ).rejects.toMatchObject({
    problem: { status: 503, type: "/problems/no-responder" },
  });
  const aborted: string[] = [];
  const responder = answer(
    "work",
    "oracle",
    ["ASK", "WAIT"],
    (payload, { task, signal }) => {
      if (task.type === "ASK") return { echo: payload };
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          aborted.push(task.task_id);
          resolve(null);
        });
      });
    },
    { url, token, worker: "oracle-1" },
  );
  const replies = await Promise.all(
    Array.from({ length: 200 }, (_, n) => caller.call("oracle", "ASK", n, { timeoutMs: PATIENCE_MS })),
  );
  expect(replies.map(({ result }) => result)).toEqual(replies.map((_, n) => ({ echo: n })));
  expect(replies[0]).toMatchObject({ responder: "oracle-1", duration_ms: expect.any(Number) });
  await expect(caller.call("oracle", "SING", {}, { timeoutMs: PATIENCE_MS })).rejects.toMatchObject({
    problem: { status: 502, detail: "oracle does not answer SING. It answers: ASK, WAIT" },
  });
  await expect(caller.call("oracle", "", {})).rejects.toMatchObject({ problem: { status: 422 } });
  // One that nobody had taken when its time was over is not begun any more; this one is to be at work.
  let late = "";
  for (let timeoutMs = 50; late === ""; timeoutMs *= 4) {
    const correlationId = `late-${timeoutMs}`;
    await expect(caller.call("oracle", "WAIT", {}, { timeoutMs, correlationId })).rejects.toMatchObject({
      problem: { status: 504, correlation_id: correlationId },
    });
    const reply = await client()
      .queues.reply("work", correlationId)
      .catch(() => undefined);
    if (reply !== undefined && "status" in reply && reply.status === "running") late = correlationId;
  }
  const giveUp = new AbortController();
  const given = caller.call(
    "oracle",
    "WAIT",
    {},
    { signal: giveUp.signal, correlationId: "given-up", timeoutMs: PATIENCE_MS },
  );
  await vi.waitFor(
    async () => expect((await client().queues.task("work", "given-up")).status).toBe("running"),
    PATIENCE,
  );
  giveUp.abort(new Error("not wanted"));
  await expect(given).rejects.toThrow("not wanted");
  await vi.waitFor(() => expect(aborted).toEqual(["given-up"]), PATIENCE);
  await client().queues.cancel("work", late);
  await responder.stop();
});

test("a call outlives the edge that it was sent to", async () => {
  const { url, token, stateDir, process } = await runEdge();
  const caller = openCaller("work", { url, token });
  onTestFinished(() => caller.close());
  let asked = (): void => {};
  const begun = new Promise<void>((resolve) => {
    asked = resolve;
  });
  let reply = (_: string): void => {};
  const replied = new Promise<string>((resolve) => {
    reply = resolve;
  });
  const responder = answer(
    "work",
    "oracle",
    "ASK",
    () => {
      asked();
      return replied;
    },
    { url, token },
  );
  const call = caller.call("oracle", "ASK", {}, { timeoutMs: PATIENCE_MS });
  await begun;
  await process.killGroup();
  await runEdge({ stateDir, port: Number(new URL(url).port) });
  reply("here I am");
  expect((await call).result).toBe("here I am");
  await responder.stop();
});

test("a worker behind a proxy that refuses WebSockets works over HTTP, and over the channel when it can", async () => {
  const edge = await runEdge();
  const { queues } = edge.client();
  const proxy = await upgradeRefusingProxy(edge.url);
  const remarks: string[] = [];
  const done: string[] = [];
  const worker = work(
    "work",
    "coder",
    ({ task_id, payload }) => {
      done.push(task_id);
      if (payload === "bad") throw new Error("no disk");
      return { did: payload };
    },
    {
      url: proxy.url,
      token: edge.token,
      concurrency: 3,
      channelRetryMs: 100,
      onRemark: (text) => remarks.push(text),
    },
  );
  const put = (...names: string[]) =>
    queues.put(
      "work",
      names.map((task_id) => ({ task_id, recipient: "coder", type: "X", payload: task_id, max_attempts: 1 })),
    );
  await put("a", "b", "c", "d", "bad");
  await vi.waitFor(async () => {
    const ends = await Promise.all(["a", "d", "bad"].map((id) => queues.task("work", id)));
    expect(ends.map(({ status }) => status)).toEqual(["complete", "complete", "failed"]);
  }, PATIENCE);
  expect(await queues.task("work", "a")).toMatchObject({ result: { did: "a" }, worker: "coder" });
  expect(await queues.task("work", "bad")).toMatchObject({ error: "no disk" });
  await vi.waitFor(() => expect(proxy.refused).toBeGreaterThan(2), PATIENCE); // it keeps asking
  proxy.upgrades = true;
  // The request that waits is served before the channel takes over, and nothing falls between: each of these ends one.
  const between: string[] = [];
  while (!remarks.includes("the channel is open again")) {
    between.push(`e${between.length}`);
    await put(...between.slice(-1));
    await pause(50);
  }
  await put("f", "g");
  await vi.waitFor(async () => expect((await queues.task("work", "g")).status).toBe("complete"), PATIENCE);
  await worker.stop();
  expect(done.toSorted()).toEqual(["a", "b", "bad", "c", "d", ...between, "f", "g"].toSorted());
});

test("`ganglion events --follow` prints what happens as it happens, and ends on a signal", async () => {
  const edge = await runEdge();
  const { queues } = edge.client();
  await queues.put("work", [{ task_id: "a", recipient: "coder", type: "X", payload: 1 }]);
  const following = new RunningProcess(["cli/ganglion.mjs", "events", "--follow", "--json"], {
    env: { GANGLION_URL: edge.url, GANGLION_TOKEN: edge.token },
  });
  await following.line(/"task_id":"a".*"event":"queued"/);
  await queues.put("work", [{ task_id: "b", recipient: "coder", type: "X", payload: 1 }]);
  await following.line(/"task_id":"b".*"event":"queued"/);
  await queues.cancel("work", "a");
  await following.line(/"task_id":"a".*"event":"cancelled"/);
  following.signal("SIGINT");
  expect(await following.ended).toBe(0);
});
