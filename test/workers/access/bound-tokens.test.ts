import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Scope } from "../../../src/core/access/scopes.ts";
import { parseToken } from "../../../src/core/access/token.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { aTask, openChannel, queueOver } from "../queue/queue-under-test.ts";
import { openSocket } from "./socket-end.ts";

interface Created {
  id: string;
  token: string;
  hosts?: string[];
  sources?: string[];
  recipients?: string[];
}

async function makeToken(wanted: object): Promise<Created> {
  const answer = await post("/v1/tokens", { name: "t", scopes: ["tasks:work"], ecosystems: ["*"], ...wanted });
  if (answer.status !== 201) throw new Error(await answer.text());
  return answer.json();
}

const leaseBy = (token: string, ecosystem: string, recipient: string, queue = "work") =>
  post(`/v1/${ecosystem}/queues/${queue}/lease`, { recipient }, { token });

describe("a token that is bound to names", () => {
  it("shows what it is bound to when it is created and listed, and an unbound one shows nothing", async () => {
    const bindings = { hosts: ["gpu-01"], sources: ["gpu-01", "bus-*"], recipients: ["coder"] };
    const bound = await makeToken(bindings);
    const unbound = await makeToken({});
    expect(bound).toMatchObject(bindings);
    const { tokens } = await (await call("/v1/tokens")).json<{ tokens: Created[] }>();
    expect(tokens.find(({ id }) => id === bound.id)).toMatchObject(bindings);
    expect(Object.keys(tokens.find(({ id }) => id === unbound.id) ?? {})).not.toContain("hosts");
  });

  it("is refused with the field where it would be bound to no name", async () => {
    const wanted = { name: "t", scopes: ["tasks:work"], ecosystems: ["*"], recipients: [] };
    expect(await problemOf(await post("/v1/tokens", wanted))).toMatchObject({
      status: 422,
      errors: [{ pointer: "/recipients" }],
    });
  });

  it("is refused where it would have expired already", async () => {
    const wanted = { name: "t", scopes: ["tasks:work"], ecosystems: ["*"], expires_at: "2020-01-01T00:00:00Z" };
    expect(await problemOf(await post("/v1/tokens", wanted))).toMatchObject({
      status: 422,
      errors: [{ pointer: "/expires_at", message: expect.stringContaining("has passed") }],
    });
  });
});

describe("tokens that an earlier version stored", () => {
  it("go on working, unbound, in a table without the columns of today", async () => {
    const ecosystem = freshEcosystem();
    const directory = env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));
    const { id, token } = await makeToken({ ecosystems: [ecosystem] });
    await runInDurableObject(directory, (_, { storage: { sql } }) => {
      for (const column of ["hosts", "sources", "recipients"]) sql.exec(`ALTER TABLE tokens DROP COLUMN ${column}`);
      // Nor did that version record one.
      sql.exec("DROP VIEW schema_version");
    });
    await evictDurableObject(directory);
    expect((await leaseBy(token, ecosystem, "anyone-at-all")).status).toBe(200);
    const { tokens } = await (await call("/v1/tokens")).json<{ tokens: Created[] }>();
    expect(tokens.find((listed) => listed.id === id)).toMatchObject({ scopes: ["tasks:work"] });
  });

  it("allow nothing where what binds them cannot be read", async () => {
    const ecosystem = freshEcosystem();
    const { token } = await makeToken({ ecosystems: [ecosystem], recipients: ["coder"] });
    const directory = env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));
    await runInDurableObject(directory, (_, { storage: { sql } }) => {
      sql.exec("UPDATE tokens SET recipients = '{}' WHERE id = ?", parseToken(token)?.id);
    });
    expect((await leaseBy(token, ecosystem, "coder")).status).toBe(403);
  });
});

describe("a worker's token that is bound to recipients", () => {
  it("leases tasks of those recipients and of no other", async () => {
    const ecosystem = freshEcosystem();
    await queueOver(ecosystem).put([aTask({ recipient: "coder" }), aTask({ recipient: "tester" })]);
    const { token } = await makeToken({ ecosystems: [ecosystem], recipients: ["cod*"] });
    expect((await leaseBy(token, ecosystem, "coder")).status).toBe(200);
    expect(await problemOf(await leaseBy(token, ecosystem, "tester"))).toMatchObject({
      status: 403,
      type: "/problems/not-bound",
      detail: expect.stringContaining("tester"),
    });
  });

  it("leases and ends tasks for anyone, which are for its recipients too", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put(aTask({ recipient: "*", task_id: "a" }));
    const { token } = await makeToken({ ecosystems: [ecosystem], recipients: ["coder"] });
    const { tasks } = await (await leaseBy(token, ecosystem, "coder")).json<{ tasks: { lease_id: string }[] }>();
    const body = { lease_id: tasks[0]?.lease_id };
    expect((await post(`${queue.base}/tasks/a/complete`, body, { token })).status).toBe(200);
  });

  it.each([
    ["complete", {}],
    ["fail", { error: "no" }],
    ["extend", {}],
    ["release", {}],
  ])("cannot %s a task of another recipient, even with its lease", async (action, body) => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put(aTask({ recipient: "tester", task_id: "a" }));
    const [leased] = await queue.lease("tester");
    const { token } = await makeToken({ ecosystems: [ecosystem], recipients: ["coder"] });
    const answer = await post(`${queue.base}/tasks/a/${action}`, { ...body, lease_id: leased?.lease_id }, { token });
    expect((await problemOf(answer)).type).toBe("/problems/not-bound");
    expect(await queue.task("a")).toMatchObject({ status: "running" });
  });

  it("gets over its channel only tasks of its recipients, also after hibernation", async () => {
    const ecosystem = freshEcosystem();
    const { token } = await makeToken({ ecosystems: [ecosystem], recipients: ["coder"] });
    const worker = await openChannel(ecosystem, "w", "work", token);
    worker.send({ type: "ready", recipient: "tester", credit: 1 });
    expect((await worker.next("refused")).problem).toMatchObject({ status: 403, type: "/problems/not-bound" });
    worker.send({ type: "ready", recipient: "coder", credit: 1 });
    await queueOver(ecosystem).put([
      aTask({ recipient: "tester", task_id: "theirs" }),
      aTask({ recipient: "coder", task_id: "mine" }),
    ]);
    expect((await worker.next("tasks")).tasks).toMatchObject([{ task_id: "mine" }]);
    await evictDurableObject(env.PRIORITY_QUEUE.get(env.PRIORITY_QUEUE.idFromName(`${ecosystem}/work`)));
    worker.send({ type: "ready", recipient: "tester", credit: 5 });
    expect((await worker.next("refused")).problem).toMatchObject({ type: "/problems/not-bound" });
    const [theirs] = await queueOver(ecosystem).lease("tester");
    worker.send({ type: "complete", tasks: [{ task_id: "theirs", lease_id: theirs?.lease_id, result: "forged" }] });
    expect((await worker.next("conflict")).tasks).toMatchObject([{ task_id: "theirs", reason: "lost" }]);
  });
});

describe("commands for hosts", () => {
  const command = (host: string) => aTask({ recipient: host, type: "supervisor.stop", task_id: `stop-${host}` });

  it("are taken by no token of a worker, over HTTP and over the channel", async () => {
    const ecosystem = freshEcosystem();
    await queueOver(ecosystem, "hosts").put(command("gpu-01"));
    const { token } = await makeToken({ ecosystems: [ecosystem] });
    expect((await problemOf(await leaseBy(token, ecosystem, "gpu-01", "hosts"))).type).toBe("/problems/not-bound");
    expect((await problemOf(await leaseBy(token, ecosystem, "*", "hosts"))).type).toBe("/problems/not-bound");
    await expect(openChannel(ecosystem, "gpu-01", "hosts", token)).rejects.toThrow("403");
  });

  it("are taken with a token of their host, and with none of another host", async () => {
    const ecosystem = freshEcosystem();
    await queueOver(ecosystem, "hosts").put([command("gpu-01"), command("gpu-02")]);
    const { token } = await makeToken({ ecosystems: [ecosystem], hosts: ["gpu-01"] });
    expect((await leaseBy(token, ecosystem, "gpu-02", "hosts")).status).toBe(403);
    const channel = await openChannel(ecosystem, "gpu-01", "hosts", token);
    channel.send({ type: "ready", recipient: "gpu-02", credit: 1 });
    expect((await channel.next("refused")).problem).toMatchObject({ type: "/problems/not-bound" });
    channel.send({ type: "ready", recipient: "gpu-01", credit: 1 });
    expect((await channel.next("tasks")).tasks).toMatchObject([{ task_id: "stop-gpu-01" }]);
  });

  it("are taken with the unbound token of an agent, which reads and writes signals", async () => {
    const ecosystem = freshEcosystem();
    await queueOver(ecosystem, "hosts").put(command("gpu-01"));
    const { token } = await makeToken({
      ecosystems: [ecosystem],
      scopes: ["signals:read", "signals:write", "tasks:work"],
    });
    const { tasks } = await (await leaseBy(token, ecosystem, "gpu-01", "hosts")).json<{ tasks: unknown[] }>();
    expect(tasks).toMatchObject([{ task_id: "stop-gpu-01" }]);
  });

  const AGENT: Scope[] = ["signals:read", "signals:write", "tasks:work"];
  const linkAs = async (ecosystem: string, host: string, token: string) => {
    const end = await openSocket(`/v1/${ecosystem}/link?host=${host}`, `Bearer ${token}`);
    if (typeof end === "number") throw new Error(`no link, but ${end}`);
  };

  it("are taken with the unbound token that has the host's name, and with no other, over HTTP and the channel", async () => {
    const ecosystem = freshEcosystem();
    const agent = { ecosystems: [ecosystem], scopes: AGENT };
    const [own, other] = [await makeToken(agent), await makeToken(agent)];
    await linkAs(ecosystem, "gpu-01", own.token);
    await linkAs(ecosystem, "gpu-02", other.token);
    await queueOver(ecosystem, "hosts").put(command("gpu-01"));
    expect(await problemOf(await leaseBy(other.token, ecosystem, "gpu-01", "hosts"))).toMatchObject({
      status: 403,
      type: "/problems/not-bound",
    });
    const stranger = await openChannel(ecosystem, "gpu-02", "hosts", other.token);
    stranger.send({ type: "ready", recipient: "gpu-01", credit: 1 });
    expect(await stranger.next("refused")).toMatchObject({
      frame: "ready",
      recipient: "gpu-01",
      problem: { type: "/problems/not-bound", status: 403 },
    });
    const channel = await openChannel(ecosystem, "gpu-01", "hosts", own.token);
    channel.send({ type: "ready", recipient: "gpu-01", credit: 1 });
    expect((await channel.next("tasks")).tasks).toMatchObject([{ task_id: "stop-gpu-01" }]);
    expect(stranger.messages.flat().some(({ type }) => type === "tasks")).toBe(false);
  });

  it("go to a channel that waited before the command, and to none whose host was taken meanwhile", async () => {
    const ecosystem = freshEcosystem();
    const agent = { ecosystems: [ecosystem], scopes: AGENT };
    const [early, owner] = [await makeToken(agent), await makeToken(agent)];
    await queueOver(ecosystem, "hosts").put(command("elsewhere"));
    const channel = await openChannel(ecosystem, "gpu-01", "hosts", early.token);
    await channel.ready("gpu-01", 1);
    await queueOver(ecosystem, "hosts").put(command("gpu-01"));
    expect((await channel.next("tasks")).tasks).toMatchObject([{ task_id: "stop-gpu-01" }]);
    await linkAs(ecosystem, "gpu-03", owner.token);
    await channel.ready("gpu-03", 1);
    await queueOver(ecosystem, "hosts").put(command("gpu-03"));
    expect(await (await leaseBy(owner.token, ecosystem, "gpu-03", "hosts")).json()).toMatchObject({
      tasks: [{ task_id: "stop-gpu-03" }],
    });
  });
});
