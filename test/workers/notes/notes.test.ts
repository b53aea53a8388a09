import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Note, NotePage } from "../../../src/core/notes/api.ts";
import { NOTE_LIMITS } from "../../../src/core/notes/limits.ts";
import { notes } from "../../../src/workers/bindings/objects.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { aTask, openChannel, queueOver, queueStub } from "../queue/queue-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

interface Change {
  readonly id: string;
  readonly cause?: string;
  readonly facts: Record<string, unknown>;
}

/** Notes of one ecosystem, as callers see them. */
function notesOf(eco = freshEcosystem()) {
  const base = `/v1/${eco}/notes`;
  const stub = () => notes(env, eco);
  const send = (key: string, value: unknown, headers: Record<string, string> = {}, token?: string) =>
    post(`${base}/${key}`, value, { method: "PUT", headers, ...(token === undefined ? {} : { token }) });
  return {
    eco,
    base,
    stub,
    send,
    put: async (key: string, value: object, headers: Record<string, string> = {}) => {
      const answer = await send(key, value, headers);
      if (answer.status > 201) throw new Error(await answer.text());
      return { status: answer.status, etag: answer.headers.get("etag") ?? "", note: (await answer.json()) as Note };
    },
    get: (key: string, headers: Record<string, string> = {}) => call(`${base}/${key}`, { headers }),
    read: async (key: string) => (await (await call(`${base}/${key}`)).json()) as Note,
    remove: (key: string, headers: Record<string, string> = {}) =>
      call(`${base}/${key}`, { method: "DELETE", headers }),
    list: async (query = "") => (await (await call(`${base}${query}`)).json()) as NotePage,
    changes: async () => {
      const answer = await call(`/v1/${eco}/signals?signal=Q_NOTE_CHANGED&order=asc`);
      return ((await answer.json()) as { signals: Change[] }).signals;
    },
  };
}

const ifMatch = (etag: string) => ({ "If-Match": etag });

describe("notes", () => {
  it("are made, changed by who knows their version, and deleted, with slashes in their keys as they are or escaped", async () => {
    const { put, get, read, send, remove } = notesOf();
    const first = await put("deploy/freeze", { until: "monday" }, { "If-None-Match": "*" });
    expect([first.status, first.etag, first.note]).toMatchObject([
      201,
      `"${first.note.version}"`,
      { key: "deploy/freeze", value: { until: "monday" }, by: "ADMIN_TOKEN", expires_at: null },
    ]);
    const again = await send("deploy/freeze", {}, { "If-None-Match": "*" });
    expect([again.status, again.headers.get("etag")]).toEqual([412, first.etag]);
    const second = await put("deploy%2Ffreeze", { until: "friday" }, ifMatch(first.etag));
    expect([second.status, (await read("deploy/freeze")).value]).toEqual([200, { until: "friday" }]);
    const stale = await send("deploy/freeze", { until: "never" }, ifMatch(first.etag));
    expect(await problemOf(stale)).toMatchObject({
      type: "/problems/note-changed",
      status: 412,
      note: { value: { until: "friday" }, version: second.note.version },
    });
    expect((await get("deploy/freeze", { "If-None-Match": second.etag })).status).toBe(304);
    expect((await remove("deploy/freeze", ifMatch(first.etag))).status).toBe(412);
    expect((await remove("deploy/freeze", ifMatch(second.etag))).status).toBe(204);
    expect([(await get("deploy/freeze")).status, (await remove("deploy/freeze")).status]).toEqual([404, 404]);
    const gone = await send("deploy/freeze", {}, ifMatch(second.etag));
    expect(await problemOf(gone)).toMatchObject({ status: 412, note: null });
  });

  it("lose no update of 20 writers at a time", async () => {
    const { base, read, get } = notesOf();
    const conflicts: number[] = [];
    const increment = async (writer: number) => {
      for (let tries = 1; ; tries++) {
        const now = await get("count");
        const value = now.status === 404 ? { n: 0, by: {} } : ((await now.json()) as Note).value;
        const { n, by } = value as { n: number; by: Record<string, number> };
        const headers: Record<string, string> =
          now.status === 404 ? { "If-None-Match": "*" } : { "If-Match": now.headers.get("etag") ?? "" };
        const next = { n: n + 1, by: { ...by, [writer]: (by[writer] ?? 0) + 1 } };
        const answer = await post(`${base}/count`, next, { method: "PUT", headers });
        if (answer.ok) return conflicts.push(tries - 1);
        await answer.arrayBuffer();
        if (answer.status !== 412) throw new Error(`${answer.status}`);
      }
    };
    const each = async (writer: number) => {
      for (let n = 0; n < 3; n++) await increment(writer);
    };
    await Promise.all(Array.from({ length: 20 }, (_, writer) => each(writer)));
    const { value } = await read("count");
    expect(value.n).toBe(60);
    expect(Object.values(value.by as Record<string, number>)).toEqual(Array(20).fill(3));
    // Without any conflict the test would show nothing.
    expect(conflicts.reduce((sum, tries) => sum + tries, 0)).toBeGreaterThan(0);
  });

  it("tell of each change by a signal, once over a loss of the object, with its cause", async () => {
    const { eco, put, remove, stub, changes, base } = notesOf();
    const signal = await post(`/v1/${eco}/signals`, { signal: "BUILD", source: "ci", facts: {} });
    const [id = ""] = ((await signal.json()) as { ids: string[] }).ids;
    await post(`${base}/task/t1/plan?cause=${id}`, { step: 1 }, { method: "PUT" });
    await evictDurableObject(stub());
    await put("agent/coder/mood", { text: "x".repeat(NOTE_LIMITS.signalBytes) });
    await remove("task/t1/plan");
    await vi.waitFor(async () => expect(await changes()).toHaveLength(3));
    const [set, large, deleted] = await changes();
    expect(set).toMatchObject({
      cause: id,
      facts: {
        key: "task/t1/plan",
        change: "set",
        before: null,
        about: "task",
        value: { step: 1 },
        by: "ADMIN_TOKEN",
      },
    });
    expect(large?.facts).toMatchObject({ about: "agent", agent: "coder" });
    expect(large?.facts).not.toHaveProperty("value");
    expect(deleted?.facts).toMatchObject({ change: "deleted", before: set?.facts.version, key: "task/t1/plan" });
    const lineage = (await (await call(`/v1/${eco}/signals/${id}/lineage`)).json()) as { effects: { id: string }[] };
    expect(JSON.stringify(lineage.effects)).toContain(set?.id);
  });

  it("end by themselves, tell so, and are gone before they are swept", async () => {
    const { put, get, stub, changes, base } = notesOf();
    const made = await post(`${base}/lease/gpu?ttl_ms=60000`, { by: "coder" }, { method: "PUT" });
    const { expires_at, changed_at } = (await made.json()) as Note;
    expect(Date.parse(expires_at ?? "") - Date.parse(changed_at)).toBe(60_000);
    const ofTask = await put("task/t/plan", {});
    expect(ofTask.note.expires_at).not.toBeNull();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_001 });
    expect((await get("lease/gpu")).status).toBe(404);
    expect(await runDurableObjectAlarm(stub())).toBe(true);
    await vi.waitFor(async () =>
      expect((await changes()).map(({ facts: { change, key } }) => [change, key])).toContainEqual([
        "expired",
        "lease/gpu",
      ]),
    );
    const kept = await runInDurableObject(stub() as never, (_: unknown, { storage }: DurableObjectState) =>
      storage.sql
        .exec("SELECT key FROM entries")
        .toArray()
        .map(({ key }) => key),
    );
    expect(kept).toEqual(["task/t/plan"]);
  });

  it("are waited for: the answer comes with the change, and is 304 where there is none", async () => {
    const { put, get, base, remove } = notesOf();
    const coming = call(`${base}/answer?wait_ms=20000`);
    const { etag } = await put("answer", { n: 1 });
    expect(((await (await coming).json()) as Note).value).toEqual({ n: 1 });
    expect((await get("answer?wait_ms=1", { "If-None-Match": etag })).status).toBe(304);
    const changing = call(`${base}/answer?wait_ms=20000`, { headers: { "If-None-Match": etag } });
    await put("answer", { n: 2 }, ifMatch(etag));
    expect(((await (await changing).json()) as Note).value).toEqual({ n: 2 });
    const going = call(`${base}/answer?wait_ms=20000`, { headers: { "If-None-Match": "*" } });
    await remove("answer");
    expect((await going).status).toBe(404);
  });

  it("are listed by key, in pages, by the beginning of their keys", async () => {
    const { put, list, base } = notesOf();
    for (const key of ["b", "a/2", "a/1", "a.1", "task/a/x"]) await put(key, { key });
    const page = await list("?limit=2");
    expect([page.notes.map(({ key }) => key), page.next]).toEqual([["a.1", "a/1"], "a/1"]);
    const answer = await call(`${base}?limit=2&after=a%2F1`);
    expect(answer.headers.get("link")).toContain('rel="next"');
    expect(((await answer.json()) as NotePage).notes.map(({ key }) => key)).toEqual(["a/2", "b"]);
    expect((await list("?prefix=a%2F")).notes.map(({ value }) => value.key)).toEqual(["a/1", "a/2"]);
  });

  it("refuse what is no note, with the place and the fix", async () => {
    const { send, base } = notesOf();
    const refused = async (answer: Promise<Response>) => {
      const { status, type, detail } = await problemOf(await answer);
      return [status, type.replace("/problems/", ""), detail];
    };
    expect(await refused(send("a", [1]))).toEqual([422, "invalid-note", expect.stringContaining("a JSON object")]);
    expect(await refused(send("a", '{"n":'))).toEqual([400, "malformed-json", expect.anything()]);
    expect(await refused(send("a", { text: "x".repeat(17_000) }))).toEqual([413, "too-large", expect.anything()]);
    expect(await refused(send("task/t", {}))).toEqual([
      422,
      "invalid-path",
      expect.stringContaining("task/<id>/<note>"),
    ]);
    expect(await refused(send("a//b", {}))).toEqual([422, "invalid-path", expect.anything()]);
    expect(await refused(send("a", {}, { "If-Match": "42" }))).toEqual([
      422,
      "invalid-header",
      expect.stringContaining("with its quotes"),
    ]);
    expect(await refused(send("a?ttl_ms=5", {}))).toEqual([422, "invalid-query", expect.anything()]);
    expect(await refused(call(`${base}/a?wait_ms=40000`))).toEqual([422, "invalid-query", expect.anything()]);
    expect(await refused(call(`${base}/none`))).toEqual([
      404,
      "not-found",
      expect.stringContaining("GET /v1/{eco}/notes"),
    ]);
  });

  it("about an agent are written by a token of that agent alone where it is bound", async () => {
    const { eco, send } = notesOf();
    const { token } = await makeToken(eco, ["tasks:work"], { recipients: ["coder"] });
    expect((await send("agent/coder/plan", {}, {}, token)).status).toBe(201);
    expect(await problemOf(await send("agent/tester/plan", {}, {}, token))).toMatchObject({ status: 403 });
    const shared = await send("shared", { n: 1 });
    // It may not read notes: a refusal does not show it the present one.
    const stale = await send("shared", {}, { "If-Match": '"0"' }, token);
    expect([shared.status, stale.status, Object.keys((await stale.json()) as object)]).toEqual([
      201,
      412,
      expect.not.arrayContaining(["note"]),
    ]);
  });
});

describe("whoever takes a task next", () => {
  it("gets its notes with it over HTTP, also after the worker before was lost, and nothing else's", async () => {
    const { eco, put } = notesOf();
    const queue = queueOver(eco);
    await queue.put([aTask({ task_id: "t1" }), aTask({ task_id: "t2" })]);
    const [first] = await queue.lease("coder", { max: 1 });
    expect(first).not.toHaveProperty("notes");
    await put(`task/${first?.task_id}/progress`, { step: 3 });
    await put(`task/${first?.task_id}/findings/1`, { file: "a.ts" });
    await put(`task/${first?.task_id}x/other`, {});
    await post(`${queue.base}/tasks/${first?.task_id}/fail`, { lease_id: first?.lease_id, error: "lost", retry: true });
    await evictDurableObject(queueStub(eco));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
    const again = await queue.lease("coder", { max: 2 });
    const successor = again.find(({ task_id }) => task_id === first?.task_id);
    expect(successor).toMatchObject({
      attempt: 2,
      notes: [
        { key: "task/t1/findings/1", value: { file: "a.ts" } },
        { key: "task/t1/progress", value: { step: 3 } },
      ],
    });
    expect(again.find(({ task_id }) => task_id === "t2")).not.toHaveProperty("notes");
  });

  it("gets them over the worker's channel, in the order of the tasks, of a queue that began later, too", async () => {
    const { eco, put } = notesOf();
    await put("task/build/1/plan", { from: "the sender" });
    const queue = queueOver(eco, "later");
    const worker = await openChannel(eco, "w", "later");
    worker.send({ type: "ready", recipient: "coder", credit: 5 });
    await queue.put([aTask({ task_id: "plain" }), aTask({ task_id: "build/1" })]);
    const { tasks } = await worker.next("tasks");
    expect(tasks).toMatchObject([
      { task_id: "plain" },
      { task_id: "build/1", notes: [{ key: "task/build/1/plan", value: { from: "the sender" } }] },
    ]);
    expect(tasks?.[0]).not.toHaveProperty("notes");
  });

  it("gets a call without asking for notes, and a task that was cancelled meanwhile not at all", async () => {
    const { eco, put } = notesOf();
    await put("task/c1/plan", {});
    const queue = queueOver(eco);
    await queue.put(aTask({ task_id: "begin" }));
    const worker = await openChannel(eco, "w");
    worker.send({ type: "ready", recipient: "coder", credit: 5 });
    await worker.next("tasks");
    const calling = post(`${queue.base}/calls`, { recipient: "coder", type: "ASK", payload: 1, correlation_id: "c1" });
    const [asked] = (await worker.next("tasks")).tasks ?? [];
    expect(asked).toMatchObject({ task_id: "c1", correlation_id: "c1" });
    expect(asked).not.toHaveProperty("notes");
    worker.send({ type: "complete", tasks: [{ task_id: "c1", lease_id: asked?.lease_id ?? "", result: 2 }] });
    expect(((await (await calling).json()) as { result: number }).result).toBe(2);
  });
});
