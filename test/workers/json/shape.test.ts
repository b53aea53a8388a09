import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { allOf, deadLettersOf, queueOf } from "../log-under-test.ts";
import { patience } from "../patience.ts";
import { aTask, openChannel, queueOver } from "../queue/queue-under-test.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const signal = (facts: string) => `{"signal":"Q_A","source":"t","facts":${facts}}`;
const lines = { headers: { "Content-Type": "application/x-ndjson" } };

async function refusal(answer: Promise<Response>): Promise<[status: number, pointers: string[]]> {
  const problem = await problemOf(await answer);
  return [problem.status, (problem.errors ?? []).map(({ pointer }) => pointer)];
}

describe("signals over HTTP", () => {
  it.each([
    ['{"order_id":9007199254740993}', "/facts/order_id"],
    ['{"value":1e400}', "/facts/value"],
    ['{"list":[1,{"n":-1e999}]}', "/facts/list/1/n"],
    ['{"n":1e-400}', "/facts/n"],
    ['{"a":1,"a":2}', "/facts/a"],
    ['{"a":{"__proto__":1}}', "/facts/a/__proto__"],
    ['{"a":"\\ud800"}', "/facts/a"],
    [`{"a":${nested(64)}}`, `/facts/a${"/0".repeat(63)}`],
    [`{"a":${nested(9_000)}}`, `/facts/a${"/0".repeat(63)}`],
  ])("with facts %s are refused with the place", async (facts, pointer) => {
    const eco = freshEcosystem();
    expect(await refusal(post(`/v1/${eco}/signals`, signal(facts)))).toEqual([422, [pointer]]);
    expect(await refusal(post(`/v1/${eco}/signals`, `[${signal("{}")},${signal(facts)}]`))).toEqual([
      422,
      [`/1${pointer}`],
    ]);
    expect(await refusal(post(`/v1/${eco}/signals`, `${signal("{}")}\n${signal(facts)}`, lines))).toEqual([
      422,
      [`/1${pointer}`],
    ]);
    expect(await allOf(eco)).toEqual([]);
  });

  it("whose facts hold 64 objects and lists inside each other are kept, however they are sent", async () => {
    const eco = freshEcosystem();
    const deepest = signal(`{"a":${nested(63)}}`);
    expect((await post(`/v1/${eco}/signals`, deepest)).status).toBe(202);
    expect((await post(`/v1/${eco}/signals`, `[${deepest}]`)).status).toBe(202);
    expect((await post(`/v1/${eco}/signals`, `${deepest}\n`, lines)).status).toBe(202);
    expect(await allOf(eco)).toHaveLength(3);
  });

  it("may begin with a byte-order mark", async () => {
    const eco = freshEcosystem();
    expect((await post(`/v1/${eco}/signals`, `\ufeff${signal("{}")}`)).status).toBe(202);
  });

  it("say what to do about a number that JSON readers would change", async () => {
    const { errors } = await problemOf(await post("/v1/default/signals", signal('{"id":12345678901234567890}')));
    expect(errors?.[0]?.message).toContain("send it as a string");
  });
});

describe("every other body", () => {
  const deep = `{"a":${nested(9_000)}}`;
  it.each([
    ["POST", "queues/work/tasks"],
    ["POST", "queues/work/lease"],
    ["POST", "queues/work/calls"],
    ["POST", "queues/work/tasks/a/complete"],
    ["PATCH", "queues/work"],
    ["PUT", "policies/deep"],
    ["PUT", "policies"],
    ["PATCH", "policies"],
    ["POST", "policies/deep/simulate"],
    ["PUT", "maintenance"],
    ["PATCH", "scanners/resource_utilization"],
    ["PATCH", "observations/settings"],
    ["PUT", "monitors"],
    ["PUT", "models"],
    ["PUT", "webhooks/deep"],
    ["POST", "dead-letters/x/replay"],
    ["POST", "dead-letters/replay"],
  ])("nested too deeply is refused with the place, and never a 500: %s %s", async (method, path) => {
    const answer = await post(`/v1/${freshEcosystem()}/${path}`, deep, { method });
    expect(await problemOf(answer)).toMatchObject({
      status: 422,
      errors: [
        { pointer: expect.stringMatching(/^\/a(\/0){63,66}$/), message: expect.stringContaining("nested too deeply") },
      ],
    });
  });

  it("of a task with a number that would change is refused with the place", async () => {
    const eco = freshEcosystem();
    const task = '{"recipient":"a","type":"T","payload":{"id":9007199254740993}}';
    expect(await refusal(post(`/v1/${eco}/queues/work/tasks`, task))).toEqual([422, ["/payload/id"]]);
    expect(await refusal(post(`/v1/${eco}/queues/work/tasks`, `[${task}]`))).toEqual([422, ["/0/payload/id"]]);
  });
});

async function openLink(eco: string) {
  const { webSocket: socket } = await call(`/v1/${eco}/link?host=h`, { headers: { Upgrade: "websocket" } });
  if (socket === null || socket === undefined) throw new Error("no WebSocket");
  socket.accept();
  const frames: Record<string, unknown>[] = [];
  const asked: ((frame: Record<string, unknown>) => void)[] = [];
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(String(data)) as Record<string, unknown>;
    const ask = asked.shift();
    if (ask === undefined) frames.push(frame);
    else ask(frame);
  });
  const next = () => {
    const frame = frames.shift();
    return frame === undefined ? new Promise<Record<string, unknown>>((resolve) => asked.push(resolve)) : frame;
  };
  return { send: (text: string) => socket.send(text), next };
}

describe("an agent's link", () => {
  it("refuses the signals that would change, keeps their neighbours, and has each refused one as a dead letter", async () => {
    const eco = freshEcosystem();
    const link = await openLink(eco);
    const signals = [
      signal('{"n":1}'),
      signal('{"id":9007199254740993}'),
      signal(`{"a":${nested(9_000)}}`),
      signal('{"n":4}'),
    ];
    link.send(`{"type":"append","batch":1,"producer":"h.e.local","first":1,"signals":[${signals.join(",")}]}`);
    expect(await link.next()).toMatchObject({
      type: "appended",
      last: 4,
      rejected: [
        { number: 2, errors: [{ pointer: "/signals/1/facts/id" }] },
        { number: 3, errors: [{ pointer: `/signals/2/facts/a${"/0".repeat(63)}` }] },
      ],
    });
    const kept = (await allOf(eco)).filter(({ signal: name }) => name === "Q_A");
    expect(kept.map(({ facts }) => facts)).toEqual([{ n: 1 }, { n: 4 }]);
    const { dead_letters } = await deadLettersOf(eco).list({ limit: 10 });
    const found = dead_letters.map(({ id, signal: dead }) => [id, (dead as { facts: object }).facts]);
    expect(found.sort()).toEqual([
      ["h.e.local.2", { id: "9007199254740993" }],
      ["h.e.local.3", { a: expect.any(Array) }],
    ]);
  });

  it("takes what a host says of itself with such numbers as text", async () => {
    const eco = freshEcosystem();
    const link = await openLink(eco);
    link.send(`{"type":"status","memory":12345678901234567890,"deep":${nested(9_000)}}`);
    link.send(`{"type":"append","batch":2,"producer":"h.e.local","first":1,"signals":[${signal("{}")}]}`);
    expect(await link.next()).toMatchObject({ type: "appended", batch: 2 });
    const agent = (await (await call(`/v1/${eco}/agents/h`)).json()) as Record<string, unknown>;
    expect(JSON.stringify(agent)).toContain('"12345678901234567890"');
  });
});

describe("a worker's channel", () => {
  it("fails a task for good whose result would change, and completes its neighbours", async () => {
    const eco = freshEcosystem();
    const worker = await openChannel(eco);
    await queueOver(eco).put(["a", "b", "c"].map((task_id) => aTask({ task_id })));
    worker.send({ type: "ready", recipient: "coder", credit: 3 });
    const leases = (await worker.next("tasks")).tasks ?? [];
    const [a, b, c] = leases.map(({ task_id, lease_id }) => `"task_id":"${task_id}","lease_id":"${lease_id}"`);
    worker.sendText(
      `[{"type":"complete","tasks":[{${a},"result":1},{${b},"result":{"id":9007199254740993}},{${c},"result":${nested(9_000)}}]}]`,
    );
    const done = [...((await worker.next("done")).tasks ?? []), ...((await worker.next("done")).tasks ?? [])];
    expect(done.map(({ task_id, status }) => [task_id, status])).toEqual([
      ["a", "complete"],
      ["b", "failed"],
      ["c", "failed"],
    ]);
    expect(await queueOver(eco).task("b")).toMatchObject({
      status: "failed",
      attempt: 1,
      error: expect.stringMatching(/^the result is refused: \/result\/id: .*send it as a string/),
    });
  });

  it("refuses a frame of tasks by its number, and calls by their id, with the place", async () => {
    const eco = freshEcosystem();
    const caller = await openChannel(eco);
    caller.sendText('{"type":"enqueue","batch":7,"tasks":[{"recipient":"a","type":"T","payload":{"n":1e400}}]}');
    expect(await caller.next("refused")).toMatchObject({
      batch: 7,
      problem: { status: 422, errors: [{ pointer: "/tasks/0/payload/n" }] },
    });
    caller.sendText(
      '{"type":"call","correlation_id":"c-1","recipient":"a","task_type":"T","payload":[9007199254740993]}',
    );
    expect(await caller.next("reply")).toMatchObject({
      correlation_id: "c-1",
      problem: { status: 422, errors: [{ pointer: "/payload/0" }] },
    });
    // Nothing was put, so there is no queue.
    expect((await call(`/v1/${eco}/queues/work`)).status).toBe(404);
  });
});

describe("a queue that holds a task from before depth was limited", () => {
  it("ends the task with a dead letter, and its neighbours go on", async () => {
    const eco = freshEcosystem();
    const payloadJson = nested(9_000);
    const task = { taskId: "deep", recipient: "nobody", type: "T", payloadJson, sender: null, priority: 5, delayMs: 0 };
    const rest = { maxAttempts: 1, timeoutMs: null, deadlineMs: 1, caller: null, cause: null };
    await queueOf(eco, "work").enqueue([{ ...task, ...rest }]);
    await expect
      .poll(async () => (await deadLettersOf(eco).list({ limit: 10 })).dead_letters, patience)
      .toMatchObject([{ kind: "task", task: { task_id: "deep", status: "failed" } }]);
    expect((await queueOver(eco).put(aTask({ task_id: "next" }))).status).toBe(202);
    expect(await queueOver(eco).task("next")).toMatchObject({ status: "queued" });
    expect((await call(`/v1/${eco}/queues/work/tasks/deep`)).status).toBe(200);
  });

  it("starts without the rows that it cannot read, and tells of each", async () => {
    const eco = freshEcosystem();
    await queueOver(eco).put([aTask({ task_id: "good" }), aTask({ task_id: "bad" })]);
    await runInDurableObject(queueOf(eco, "work"), (_, { storage }) => {
      storage.sql.exec("UPDATE tasks SET terms = '{' WHERE terms LIKE '%\"bad\"%'");
    });
    await evictDurableObject(queueOf(eco, "work"));
    expect(await queueOver(eco).lease("coder", { max: 5 })).toMatchObject([{ task_id: "good" }]);
    await expect
      .poll(async () => (await deadLettersOf(eco).list({ limit: 10 })).dead_letters, patience)
      .toMatchObject([{ kind: "task", error: expect.stringContaining("could not be read") }]);
  });
});
