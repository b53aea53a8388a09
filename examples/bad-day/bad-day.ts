import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createClient } from "../../src/client/client.ts";
import { TaskRefused, work } from "../../src/client/work/worker.ts";
import type { AttentionItem } from "../../src/core/attention/api.ts";
import { DayOfTrouble } from "./day-of-trouble.ts";
import { type Edge, loseHost, MENDED, startHost, stopHosts } from "./hosts.ts";

const { values: options } = parseArgs({
  options: { auto: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});
const edge: Edge = {
  url: process.env.GANGLION_URL ?? "http://127.0.0.1:8787",
  token: process.env.GANGLION_TOKEN ?? readFileSync(join(import.meta.dirname, "../../.ganglion/token"), "utf8").trim(),
  ecosystem: "bad-day",
};
const client = createClient(edge);
const day = new DayOfTrouble(client, options);

const well = { builder: false, receiver: false, writer: false };
/** Ends the wait of the worker that takes its time. */
let hurry: () => void = () => undefined;
const hurried = new Promise<void>((resolve) => {
  hurry = resolve;
});

// The short thresholds of the day, and no alerts about the machine on which it is played.
const health = { disk: null, memory: null, load: null, gpu_temperature: null, bus_down: null, spool: null };
await client.agents.setMonitors({ agent_grace_seconds: 1, health });
await client.queues.configure("build", { alert_depth: 5, alert_task_ms: null, alert_p95_ms: null });
const receiver = createServer((request, response) => {
  request.resume();
  response.writeHead(well.receiver ? 200 : 500).end();
});
await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
const chat = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
await client.webhooks.put("chat", { url: `${chat}/messages` });
await client.policy.put("tell-people", {
  when: "BAD_DAY_NEWS",
  then: [{ webhook: { endpoint: "chat", body: { text: "facts.text" } } }],
});
const builder = work("build", "builder", () => (well.builder ? Promise.resolve("built") : hurried), edge);
const writer = work(
  "work",
  "writer",
  async ({ type }) => {
    if (type === "POISON" && !well.writer) throw new TaskRefused("this task ends whoever takes it");
    return "written";
  },
  edge,
);
let lost = startHost(edge, "bad-day-b", "trainer");
await day.untilUp(["bad-day-b"]);

await day.goesWrong("the host bad-day-b is lost", "host_down/bad-day-b", async () => loseHost(lost));
await day.goesWrong("coder on bad-day-a hangs", "agent_given_up/bad-day-a/coder", async () => {
  startHost(edge, "bad-day-a", "coder");
});
await day.goesWrong("the queue build is slow", "queue_alert/build/queue_deep/queue", async () => {
  const tasks = Array.from({ length: 10 }, () => ({ recipient: "builder", type: "BUILD", payload: {} }));
  await client.queues.put("build", tasks);
});
await day.goesWrong("the webhook chat fails", "webhook_failing/chat", async () => {
  await client.emit({ signal: "BAD_DAY_NEWS", source: "bad-day", facts: { text: "it is getting worse" } });
});
await day.goesWrong("a task is poison", "dead_letters/task/work", async () => {
  await client.queues.put("work", [
    { recipient: "writer", type: "POISON", payload: {}, task_id: `poison-${Date.now()}` },
  ]);
});
day.tell("causes", await day.causes());

await day.isMended("the host bad-day-b is back", "host_down/bad-day-b", async () => {
  lost = startHost(edge, "bad-day-b", "trainer");
});
await day.isMended(
  "coder is mended, and started by the call that the list offers",
  "agent_given_up/bad-day-a/coder",
  async (item) => {
    writeFileSync(MENDED, "");
    await make(item);
  },
);
await day.isMended("the builder works", "queue_alert/build/queue_deep/queue", async () => {
  well.builder = true;
  hurry();
});
await day.isMended("the receiver of the webhook answers", "webhook_failing/chat", async () => {
  well.receiver = true;
  await client.webhooks.put("chat", { url: `${chat}/mended` });
});
await day.isMended(
  "the writer accepts the task, and its dead letter is replayed",
  "dead_letters/task/work",
  async () => {
    well.writer = true;
    await client.deadLetters.replayAll({ kind: "task" }, { dryRun: false });
  },
);
day.tell("causes", await day.causes());

await Promise.all([builder.stop(), writer.stop()]);
receiver.close();
await day.end();
await stopHosts();
process.exit(0);

/** Makes the safe call that a row of the list offers. */
async function make({ action }: AttentionItem): Promise<void> {
  if (action === null) throw new Error("the row offers no call");
  const answer = await fetch(new URL(action.path, edge.url), {
    method: action.method,
    headers: { Authorization: `Bearer ${edge.token}`, "Content-Type": "application/json" },
    ...(action.body === undefined ? {} : { body: JSON.stringify(action.body) }),
  });
  if (!answer.ok) throw new Error(`${action.label}: ${answer.status} ${await answer.text()}`);
}
