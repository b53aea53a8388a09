import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { KEEP_ANSWERS_MS } from "../../../src/core/idempotency/api.ts";
import type { Environment } from "../../../src/workers/bindings/environment.ts";
import { idempotencyKeys } from "../../../src/workers/bindings/objects.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { crash } from "../crash.ts";

let eco: string;
beforeEach(() => {
  eco = freshEcosystem();
});

const keysOf = (place: string) => idempotencyKeys(env as unknown as Environment, place) as unknown as DurableObjectStub;
const withKey = (key: string, more: Record<string, string> = {}) => ({ headers: { "Idempotency-Key": key, ...more } });
const emit = (key: string, facts: object = {}, init: RequestInit & { token?: string } = {}) =>
  post(`/v1/${eco}/signals`, { signal: "Q_ONCE", source: "h", facts }, { ...init, ...withKey(key) });
const emitted = async () =>
  ((await (await call(`/v1/${eco}/signals?signal=Q_ONCE`)).json()) as { signals: { id: string }[] }).signals;
const A_TASK = { recipient: "r", type: "T", payload: {} };
const tokenWith = async (scopes: string[]) =>
  ((await (await post("/v1/tokens", { name: "t", scopes, ecosystems: [eco] })).json()) as { token: string }).token;

describe("a POST with an Idempotency-Key", () => {
  test("gets the answer of the first when the same request comes again, and is carried out once", async () => {
    const first = await emit("k");
    const again = await emit('"k"');
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(await again.text()).toBe(await first.text());
    expect(again.headers.get("content-type")).toBe(first.headers.get("content-type"));
    expect([first.headers.get("idempotency-replayed"), again.headers.get("idempotency-replayed")]).toEqual([
      null,
      "true",
    ]);
    expect(await emitted()).toHaveLength(1);
  });

  test("is refused where another request had the key: another body, query or path", async () => {
    await emit("k", { n: 1 });
    for (const other of [
      await emit("k", { n: 2 }),
      await post(`/v1/${eco}/signals/Q_ONCE?source=h`, {}, withKey("k")),
      await post(`/v1/${eco}/queues/work/tasks`, A_TASK, withKey("k")),
    ])
      expect(await problemOf(other)).toMatchObject({ status: 422, type: "/problems/idempotency-key-reused" });
    expect(await emitted()).toHaveLength(1);
  });

  test("has a key of its own for each token", async () => {
    const token = await tokenWith(["signals:write"]);
    expect((await emit("k", { n: 1 })).status).toBe(202);
    expect((await emit("k", { n: 2 }, { token })).status).toBe(202);
    expect(await emitted()).toHaveLength(2);
  });

  test("answers 409 while the first still runs, and what the first was answered afterwards", async () => {
    const path = `/v1/${eco}/queues/work/calls`;
    await post(`/v1/${eco}/queues/work/tasks`, { ...A_TASK, recipient: "nobody" });
    const ask = () => post(path, { ...A_TASK, timeout_ms: 20_000 }, withKey("k"));
    const first = ask();
    const lease = await post(`/v1/${eco}/queues/work/lease`, { recipient: "r", wait_ms: 20_000 });
    const [task] = ((await lease.json()) as { tasks: { task_id: string; lease_id: string }[] }).tasks;
    const meanwhile = await ask();
    expect(meanwhile.headers.get("retry-after")).toBe("1");
    expect(await problemOf(meanwhile)).toMatchObject({ status: 409, type: "/problems/idempotency-key-running" });
    await post(`/v1/${eco}/queues/work/tasks/${task?.task_id}/complete`, { lease_id: task?.lease_id, result: 7 });
    const answer = await (await first).json();
    expect(answer).toMatchObject({ result: 7 });
    expect(await (await ask()).json()).toEqual(answer);
  });

  test("may be sent again with the same key and another body after it was refused", async () => {
    const refused = await post(`/v1/${eco}/signals`, { signal: "no name", source: "h" }, withKey("k"));
    expect(refused.status).toBe(422);
    expect((await emit("k")).status).toBe(202);
  });

  test("is known after the object was restarted, and forgotten after a day", async () => {
    const first = await (await emit("k")).text();
    await crash(keysOf(eco));
    expect(await (await emit("k")).text()).toBe(first);
    await runInDurableObject(keysOf(eco), (_, { storage }) => {
      storage.sql.exec("UPDATE answers SET at_ms = at_ms - ?", KEEP_ANSWERS_MS);
    });
    expect((await emit("k", { n: 2 })).headers.get("idempotency-replayed")).toBeNull();
  });

  test("makes a signal and a task once even where its answer was lost before it was kept", async () => {
    const enqueue = () => post(`/v1/${eco}/queues/work/tasks`, [A_TASK, A_TASK], withKey("t"));
    await emit("k");
    await enqueue();
    await runInDurableObject(keysOf(eco), (_, { storage }) => void storage.sql.exec("DELETE FROM answers"));
    expect(await (await emit("k")).json()).toMatchObject({ duplicates: 1 });
    await enqueue();
    expect(await emitted()).toHaveLength(1);
    const { tasks } = (await (await call(`/v1/${eco}/queues/work/tasks`)).json()) as { tasks: unknown[] };
    expect(tasks).toHaveLength(2);
  });

  test("keeps no secret: its repetition says that the token was made", async () => {
    const create = () => post("/v1/tokens", { name: "t", scopes: ["signals:read"], ecosystems: [eco] }, withKey(eco));
    const { token } = (await (await create()).json()) as { token: string };
    expect(await problemOf(await create())).toMatchObject({ status: 409, type: "/problems/answer-not-kept" });
    const kept = await runInDurableObject(keysOf("*"), (_, { storage }) =>
      JSON.stringify(storage.sql.exec("SELECT * FROM answers").toArray()),
    );
    expect(kept).not.toContain(token.split("_").at(-1));
  });

  test("is recorded in the audit when it is carried out, and not when it is answered again", async () => {
    await post(`/v1/${eco}/queues/work/tasks`, { ...A_TASK, task_id: "t1" });
    const cancel = () => post(`/v1/${eco}/queues/work/tasks/t1/cancel`, {}, withKey("k"));
    expect([(await cancel()).status, (await cancel()).status]).toEqual([200, 200]);
    const { entries } = (await (await call(`/v1/${eco}/audit`)).json()) as { entries: unknown[] };
    expect(entries).toHaveLength(1);
  });

  test("is refused where the key is none", async () => {
    expect(await problemOf(await emit("x".repeat(256)))).toMatchObject({ status: 400 });
    expect(await emitted()).toHaveLength(0);
  });
});
