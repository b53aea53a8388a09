import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { aTask, openChannel, queueOver } from "../queue/queue-under-test.ts";
import { makeToken } from "./tokens-under-test.ts";

const command = (host: string, id = `stop-${host}`) =>
  aTask({ recipient: host, type: "supervisor.stop", task_id: id, payload: { agent: "coder" } });

/** A failed task whose payload is secret, and which is a dead letter by now. */
async function deadTask(ecosystem: string): Promise<void> {
  const queue = queueOver(ecosystem);
  await queue.put(aTask({ task_id: "a", payload: { secret: "swordfish" }, max_attempts: 1 }));
  const [leased] = await queue.lease("coder");
  await queue.act("a", "fail", { lease_id: leased?.lease_id, error: "it broke" });
  await expect
    .poll(async () => (await (await call(`/v1/${ecosystem}/dead-letters`)).json<{ dead_letters: [] }>()).dead_letters)
    .toHaveLength(1);
}

describe("what a task holds", () => {
  it.each(["/tasks/a", "/tasks", "/calls/a"])("is shown by GET …%s to tasks:read alone", async (path) => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put(aTask({ task_id: "a", payload: "swordfish" }));
    const get = async (scopes: string[]) =>
      call(queue.base + path, { token: (await makeToken(ecosystem, scopes)).token });
    const refused = await problemOf(await get(["signals:read", "tasks:write", "tasks:work", "policy:write"]));
    expect(refused).toMatchObject({ status: 403, detail: expect.stringContaining("tasks:read") });
    expect((await get(["tasks:read"])).ok).toBe(true);
  });

  it("does not show in the status, the bottlenecks and the events of a queue, which signals:read may see", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put(aTask({ task_id: "a", payload: "swordfish" }));
    const [leased] = await queue.lease("coder");
    await queue.act("a", "complete", { lease_id: leased?.lease_id, result: "swordfish" });
    const { token } = await makeToken(ecosystem, ["signals:read"]);
    for (const path of ["", "/bottlenecks", "/events"]) {
      const answer = await call(queue.base + path, { token });
      const text = await answer.text();
      expect([answer.status, text.includes("swordfish"), text.includes(leased?.lease_id ?? "?")]).toEqual([
        200,
        false,
        false,
      ]);
    }
  });

  it("is left out of its dead letter without tasks:read, and no filter finds it", async () => {
    const ecosystem = freshEcosystem();
    await deadTask(ecosystem);
    const read = async (scopes: string[], query = "") => {
      const { token } = await makeToken(ecosystem, scopes);
      const answer = await call(`/v1/${ecosystem}/dead-letters${query}`, { token });
      return answer.json<{ dead_letters: { id: string; task: Record<string, unknown> }[] }>();
    };
    const [hidden] = (await read(["signals:read"])).dead_letters;
    expect(hidden?.task).toMatchObject({ task_id: "a", recipient: "coder" });
    expect(Object.keys(hidden?.task ?? {})).not.toContain("payload");
    expect((await read(["signals:read"], "?text=swordfish")).dead_letters).toEqual([]);
    const [shown] = (await read(["signals:read", "tasks:read"], "?text=swordfish")).dead_letters;
    expect(shown?.task.payload).toEqual({ secret: "swordfish" });
    const { token } = await makeToken(ecosystem, ["signals:read"]);
    const one = await call(`/v1/${ecosystem}/dead-letters/${encodeURIComponent(hidden?.id ?? "")}`, { token });
    expect(await one.text()).not.toContain("swordfish");
  });

  it("is left out of the dead letters in a lineage without tasks:read", async () => {
    const ecosystem = freshEcosystem();
    const emitted = await post(`/v1/${ecosystem}/signals`, { signal: "X", source: "s", facts: {}, id: "why" });
    expect(emitted.status).toBe(202);
    const queue = queueOver(ecosystem);
    await queue.put(aTask({ task_id: "a", payload: "swordfish", max_attempts: 1, cause: "why" }));
    const [leased] = await queue.lease("coder");
    await queue.act("a", "fail", { lease_id: leased?.lease_id, error: "it broke" });
    const lineage = async (scopes: string[]) => {
      const { token } = await makeToken(ecosystem, scopes);
      return (await call(`/v1/${ecosystem}/signals/why/lineage`, { token })).text();
    };
    await expect.poll(() => lineage(["signals:read", "tasks:read"])).toContain("swordfish");
    const text = await lineage(["signals:read"]);
    expect([text.includes("it broke"), text.includes("swordfish")]).toEqual([true, false]);
  });

  it("is not told to a caller who repeats the id of a task of another recipient", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put(aTask({ recipient: "vault", task_id: "a" }));
    const [leased] = await queue.lease("vault");
    const { token } = await makeToken(ecosystem, ["tasks:write"]);
    const ask = () =>
      post(
        `${queue.base}/calls`,
        { recipient: "coder", type: "TASK_DELEGATE", payload: 1, correlation_id: "a", timeout_ms: 50 },
        { token },
      );
    expect(await problemOf(await ask())).toMatchObject({ status: 409, type: "/problems/call-id-taken" });
    await queue.act("a", "complete", { lease_id: leased?.lease_id, result: "swordfish" });
    expect(await problemOf(await ask())).toMatchObject({ status: 409, type: "/problems/call-id-taken" });
  });
});

describe("commands for hosts", () => {
  const base = (ecosystem: string) => `/v1/${ecosystem}/queues/hosts`;

  it.each([
    ["enqueued", "/tasks", command("gpu-01", "new")],
    ["called", "/calls", { recipient: "gpu-01", type: "supervisor.logs", payload: {}, timeout_ms: 1 }],
    ["cancelled", "/tasks/stop-gpu-01/cancel", {}],
    ["retried", "/tasks/failed/retry", {}],
  ])("are %s with hosts:command, and with no other scope but admin", async (_how, path, body) => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem, "hosts");
    await queue.put([command("gpu-01"), command("gpu-01", "failed")]);
    await queue.act("failed", "cancel");
    const others = ["signals:write", "signals:read", "tasks:write", "tasks:work", "tasks:read", "policy:write"];
    const without = await makeToken(ecosystem, others);
    const refused = await problemOf(await post(base(ecosystem) + path, body, { token: without.token }));
    expect(refused).toMatchObject({ status: 403, detail: expect.stringContaining("hosts:command") });
    const { token } = await makeToken(ecosystem, ["hosts:command"]);
    expect((await post(base(ecosystem) + path, body, { token })).status).not.toBe(403);
    expect((await post(base(ecosystem) + path, body)).status).not.toBe(403);
  });

  it.each(["/tasks", "/tasks/stop-gpu-01", "/calls/stop-gpu-01"])(
    "are shown by GET …%s to hosts:command, as their results are what hosts say",
    async (path) => {
      const ecosystem = freshEcosystem();
      await queueOver(ecosystem, "hosts").put(command("gpu-01"));
      const get = async (scopes: string[]) =>
        (await call(base(ecosystem) + path, { token: (await makeToken(ecosystem, scopes)).token })).status;
      expect(await get(["tasks:read", "signals:read"])).toBe(403);
      expect(await get(["hosts:command"])).toBeLessThan(300);
    },
  );

  it("go to the hosts alone that the token is bound to, and not to anyone", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem, "hosts");
    const { token } = await makeToken(ecosystem, ["hosts:command"], { hosts: ["gpu-01"] });
    const put = (recipient: string) =>
      post(`${queue.base}/tasks`, command(recipient, `to-${recipient.length}`), { token });
    expect((await put("gpu-01")).status).toBe(202);
    expect((await problemOf(await put("gpu-02"))).type).toBe("/problems/not-bound");
    expect((await problemOf(await put("*"))).type).toBe("/problems/not-bound");
    const mixed = [command("gpu-01", "m1"), command("gpu-02", "m2")];
    expect((await post(`${queue.base}/tasks`, mixed, { token })).status).toBe(403);
    expect((await post(`${queue.base}/calls`, { ...command("gpu-02"), task_id: undefined }, { token })).status).toBe(
      403,
    );
    expect(((await (await queue.get("/tasks")).json()) as { tasks: unknown[] }).tasks).toHaveLength(1);
  });

  it("of other hosts are not seen, cancelled or retried with a token that is bound to a host", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem, "hosts");
    await queue.put([command("gpu-01"), command("gpu-02"), command("gpu-02", "failed")]);
    await queue.act("failed", "cancel");
    const { token } = await makeToken(ecosystem, ["hosts:command"], { hosts: ["gpu-01"] });
    const page = await (await call(`${queue.base}/tasks`, { token })).json<{ tasks: { task_id: string }[] }>();
    expect(page.tasks.map(({ task_id }) => task_id)).toEqual(["stop-gpu-01"]);
    expect((await call(`${queue.base}/tasks/stop-gpu-02`, { token })).status).toBe(404);
    expect((await call(`${queue.base}/calls/stop-gpu-02`, { token })).status).toBe(404);
    expect((await post(`${queue.base}/tasks/stop-gpu-02/cancel`, {}, { token })).status).toBe(403);
    expect((await post(`${queue.base}/tasks/failed/retry`, {}, { token })).status).toBe(403);
    expect((await post(`${queue.base}/tasks/stop-gpu-01/cancel`, {}, { token })).status).toBe(200);
  });

  it("need hosts:command over a channel too", async () => {
    const ecosystem = freshEcosystem();
    const without = await makeToken(ecosystem, ["tasks:work", "tasks:write", "signals:read", "signals:write"]);
    const worker = await openChannel(ecosystem, "w", "hosts", without.token);
    worker.send({ type: "enqueue", batch: 1, tasks: [command("gpu-01")] });
    expect((await worker.next("refused")).problem).toMatchObject({ status: 403 });
    worker.send({ type: "call", correlation_id: "c", recipient: "gpu-01", task_type: "supervisor.logs", payload: {} });
    expect((await worker.next("reply")).problem).toMatchObject({ status: 403 });
    const bound = await makeToken(ecosystem, ["tasks:work", "hosts:command"], { hosts: ["gpu-01"] });
    const host = await openChannel(ecosystem, "gpu-01", "hosts", bound.token);
    host.send({ type: "enqueue", batch: 1, tasks: [command("gpu-02")] });
    expect((await host.next("refused")).problem).toMatchObject({ type: "/problems/not-bound" });
    host.send({ type: "call", correlation_id: "d", recipient: "gpu-02", task_type: "supervisor.logs", payload: {} });
    expect((await host.next("reply")).problem).toMatchObject({ type: "/problems/not-bound" });
    host.send({ type: "enqueue", batch: 2, tasks: [command("gpu-01")] });
    expect((await host.next("enqueued")).tasks).toMatchObject([{ task_id: "stop-gpu-01" }]);
  });

  it("leave their results out of the signals about their ends", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem, "hosts");
    await queue.configure({ signal_complete: true });
    await queue.put(command("gpu-01"));
    const [leased] = await queue.lease("gpu-01");
    await queue.act("stop-gpu-01", "complete", { lease_id: leased?.lease_id, result: "a line of the log" });
    const signals = async () => (await call(`/v1/${ecosystem}/signals?signal=Q_TASK_COMPLETE`)).text();
    await expect.poll(signals).toContain("stop-gpu-01");
    expect(await signals()).not.toContain("a line of the log");
  });
});

describe("rules that command hosts", () => {
  const enqueue = { enqueue: { queue: "hosts", recipient: '"gpu-01"', type: "supervisor.stop" } };
  const emit = { emit: { signal: "Q_Y" } };
  const model = { model: "m", prompt: '"?"', fallback: "no" };
  const rules: [string, object][] = [
    ["then", { then: [emit, enqueue] }],
    ["the choices of a model", { ask: { ...model, choices: [{ name: "no" }, { name: "yes", then: [enqueue] }] } }],
    ["the end of an expectation", { then: [emit], expect: { signal: "Q_Z", within: "1m", else: [enqueue] } }],
    [
      "a near-duplicate",
      { then: [emit], near_duplicate: { text: "facts.q", threshold: 0.9, within: "1h", else: [enqueue] } },
    ],
  ];

  it.each(rules)(
    "by %s are put with hosts:command and policy:write, not with policy:write alone",
    async (_by, more) => {
      const ecosystem = freshEcosystem();
      const put = async (scopes: string[], bindings: object = {}) => {
        const { token } = await makeToken(ecosystem, scopes, bindings);
        const rule = { when: "Q_X", ...more };
        const one = await post(`/v1/${ecosystem}/policies/stop`, rule, { method: "PUT", token });
        const some = await post(
          `/v1/${ecosystem}/policies`,
          { policies: [{ id: "stop", ...rule }] },
          { method: "PATCH", token },
        );
        const all = await post(
          `/v1/${ecosystem}/policies`,
          { policies: [{ id: "stop", ...rule }] },
          { method: "PUT", token },
        );
        return [one.status, some.status, all.status];
      };
      expect(await put(["policy:write", "tasks:write"])).toEqual([403, 403, 403]);
      expect(await put(["policy:write", "hosts:command"], { hosts: ["gpu-01"] })).toEqual([403, 403, 403]);
      expect(await put(["policy:write", "hosts:command"])).toEqual([200, 200, 200]);
    },
  );

  it("are enabled with hosts:command alone, and disabled without", async () => {
    const ecosystem = freshEcosystem();
    const rule = { when: "Q_X", then: [enqueue], enabled: false };
    expect((await post(`/v1/${ecosystem}/policies/stop`, rule, { method: "PUT" })).status).toBe(200);
    const enable = async (enabled: boolean, scopes: string[]) => {
      const { token } = await makeToken(ecosystem, scopes);
      return (await post(`/v1/${ecosystem}/policies/stop`, { enabled }, { method: "PATCH", token })).status;
    };
    expect(await enable(true, ["policy:write"])).toBe(403);
    expect(await enable(true, ["policy:write", "hosts:command"])).toBe(200);
    expect(await enable(false, ["policy:write"])).toBe(200);
  });
});

describe("tokens that an earlier version stored", () => {
  it.each([
    [["signals:read"], ["signals:read", "tasks:read"]],
    [["tasks:write"], ["tasks:write", "hosts:command"]],
    [["policy:write"], ["policy:write", "hosts:command"]],
    [
      ["signals:write", "tasks:work"],
      ["signals:write", "tasks:work"],
    ],
    [["admin"], ["admin"]],
  ])("with %j have %j, and a new one has what it asks for", async (before, after) => {
    const ecosystem = freshEcosystem();
    const { id } = await makeToken(ecosystem, before);
    const fresh = await makeToken(ecosystem, before);
    const directory = env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));
    await runInDurableObject(directory, (_, { storage: { sql } }) => {
      sql.exec("UPDATE tokens SET scopes_version = 1 WHERE id = ?", id);
    });
    await evictDurableObject(directory);
    const { tokens } = await (await call("/v1/tokens")).json<{ tokens: { id: string; scopes: string[] }[] }>();
    expect(tokens.find((token) => token.id === id)?.scopes).toEqual(after);
    expect(tokens.find((token) => token.id === fresh.id)?.scopes).toEqual(before);
  });

  it("are read from a table that lacks every later column", async () => {
    const ecosystem = freshEcosystem();
    const { id } = await makeToken(ecosystem, ["tasks:write"]);
    const directory = env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));
    await runInDurableObject(directory, (_, { storage: { sql } }) => {
      for (const column of ["hosts", "sources", "recipients", "scopes_version"])
        sql.exec(`ALTER TABLE tokens DROP COLUMN ${column}`);
      sql.exec("DROP VIEW schema_version");
    });
    await evictDurableObject(directory);
    const { tokens } = await (await call("/v1/tokens")).json<{ tokens: { id: string; scopes: string[] }[] }>();
    expect(tokens.find((token) => token.id === id)?.scopes).toEqual(["tasks:write", "hosts:command"]);
  });
});

describe("the id of a lease", () => {
  it("is random, and is not the position of the task", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put([aTask(), aTask()]);
    const leased = await queue.lease("coder", { max: 2 });
    for (const { lease_id } of leased) expect(lease_id).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(new Set(leased.map(({ lease_id }) => lease_id)).size).toBe(2);
    const guessed = await queue.act(leased[0]?.task_id ?? "", "complete", { lease_id: "1.1" });
    expect((await problemOf(guessed)).type).toBe("/problems/lease-lost");
  });

  it("that an earlier version gave out ends its task", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put(aTask({ task_id: "a" }));
    const [leased] = await queue.lease("coder", { lease_ms: 600_000 });
    const object = env.PRIORITY_QUEUE.get(env.PRIORITY_QUEUE.idFromName(`${ecosystem}/work`));
    await runInDurableObject(object, (_, { storage: { sql } }) => {
      sql.exec("UPDATE tasks SET progress = replace(progress, ?, '1.1')", leased?.lease_id);
    });
    await evictDurableObject(object);
    expect((await queue.act("a", "complete", { lease_id: "1.1" })).status).toBe(200);
  });
});
