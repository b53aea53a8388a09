import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { MailMessage, SentMail } from "../../../src/core/mail/api.ts";
import { queueLobby } from "../../../src/workers/bindings/objects.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { registryOf } from "../hosts/registry-under-test.ts";
import { patience } from "../patience.ts";
import { openChannel, queueOver, queueStub } from "../queue/queue-under-test.ts";

/** The mail of an ecosystem, over HTTP. */
function aMailbox(eco = freshEcosystem(), token?: string) {
  const base = `/v1/${eco}`;
  const auth = token === undefined ? {} : { token };
  const read = async <Answer>(response: Promise<Response>) => (await (await response).json()) as Answer;
  const messages = (response: Promise<Response>) =>
    read<{ messages: MailMessage[]; next: string | null }>(response).then((page) => page.messages);
  return {
    eco,
    sendRaw: (mail: object) => post(`${base}/mail`, mail, auth),
    send: (mail: object) => read<SentMail>(post(`${base}/mail`, mail, auth)),
    receive: (who: string, body: object = {}) => messages(post(`${base}/mailboxes/${who}/receive`, body, auth)),
    inbox: (who: string, query = "") => messages(call(`${base}/mailboxes/${who}?${query}`, auth)),
    list: (query = "") => messages(call(`${base}/mail?${query}`, auth)),
    show: (id: string) => read<MailMessage>(call(`${base}/mail/${id}`, auth)),
    step: (id: string, step: string, body?: object) =>
      body === undefined
        ? call(`${base}/mail/${id}/${step}`, { method: "POST", ...auth })
        : post(`${base}/mail/${id}/${step}`, body, auth),
  };
}

/** A mailbox whose recipients have asked for mail before. */
async function withRecipients(...names: string[]) {
  const mailbox = aMailbox();
  for (const name of names) expect(await mailbox.receive(name)).toEqual([]);
  return mailbox;
}

const idsOf = (messages: readonly MailMessage[]) => messages.map(({ id }) => id);

describe("a message to an agent", () => {
  test("goes from sent over delivered and read to acted, with the time of each, across evictions", async () => {
    const { eco, send, receive, show, step, list } = await withRecipients("coder");
    const sent = await send({ id: "m1", to: "coder", from: "ada", subject: "Review", body: { change: 4711 } });
    expect(sent).toEqual({ id: "m1", thread: "m1", wake: "none", hosts: [], next_wake_at: null });
    expect(await show("m1")).toMatchObject({ state: "sent", from: "ada", delivered_at: null, body: { change: 4711 } });
    expect(await receive("coder")).toMatchObject([{ id: "m1", state: "delivered", subject: "Review" }]);
    await evictDurableObject(queueStub(eco, "mail"));
    expect(await receive("coder")).toEqual([]);
    expect(await (await step("m1", "read")).json()).toMatchObject({ state: "read", acted_at: null });
    const first = (await show("m1")).read_at;
    await evictDurableObject(queueStub(eco, "mail"));
    expect(await (await step("m1", "read")).json()).toMatchObject({ state: "read", read_at: first });
    const acted = await (await step("m1", "act", { result: "merged" })).json<MailMessage>();
    expect(acted).toMatchObject({ state: "acted", result: "merged", read_at: first, expires_at: null });
    expect([acted.delivered_at, acted.acted_at]).toEqual([expect.any(String), acted.ended_at]);
    // Said again it is true, and changes nothing.
    expect(await (await step("m1", "act", { result: "other" })).json()).toEqual(acted);
    expect([await list("to=coder"), idsOf(await list("from=ada&ended=true"))]).toEqual([[], ["m1"]]);
  });

  test("is sent once under its id, and those of a sender are delivered in their order", async () => {
    const { send, receive, inbox } = await withRecipients("coder");
    for (const id of ["m1", "m2", "m3"]) await send({ id, to: "coder", body: id });
    expect(await send({ id: "m1", to: "coder", body: "again" })).toMatchObject({ id: "m1", known: true });
    expect(idsOf(await receive("coder", { max: 2 }))).toEqual(["m1", "m2"]);
    expect(idsOf(await receive("coder"))).toEqual(["m3"]);
    expect((await inbox("coder")).map(({ id, state }) => [id, state])).toEqual([
      ["m1", "delivered"],
      ["m2", "delivered"],
      ["m3", "delivered"],
    ]);
  });

  test("that is read before those that lie before it has these delivered, too", async () => {
    const { send, step, inbox, receive } = await withRecipients("coder");
    for (const id of ["m1", "m2", "m3"]) await send({ id, to: "coder", body: id });
    expect((await step("m2", "read")).status).toBe(200);
    expect((await inbox("coder")).map(({ state }) => state)).toEqual(["delivered", "read", "sent"]);
    expect(idsOf(await receive("coder"))).toEqual(["m3"]);
  });

  test("joins the thread of the message that it answers, and goes to its sender", async () => {
    const { send, list, sendRaw } = await withRecipients("coder", "ada");
    await send({ id: "m1", to: "coder", from: "ada", body: "why?" });
    expect(await send({ id: "m2", reply_to: "m1", from: "coder", body: "because" })).toMatchObject({ thread: "m1" });
    await send({ id: "m3", to: "coder", from: "ada", body: "something else" });
    const thread = await list("thread=m1");
    expect(thread.map(({ id, from, to }) => [id, from, to])).toEqual([
      ["m1", "ada", "coder"],
      ["m2", "coder", "ada"],
    ]);
    expect((await problemOf(await sendRaw({ to: "coder", reply_to: "m9", body: 1 }))).errors).toMatchObject([
      { pointer: "/reply_to" },
    ]);
  });

  test("reaches a worker of its recipient as a task, whose end is the act", async () => {
    const { eco, send, show } = aMailbox();
    // It waits before there was any mail: it is known by that.
    const worker = await openChannel(eco, "w", "mail");
    await worker.ready("coder", 1);
    await expect.poll(() => queueLobby(env, eco).waiting("mail", "worker"), patience).toBe(1);
    expect(await send({ id: "m1", to: "coder", body: "hello" })).toMatchObject({ wake: "connected" });
    const [task] = (await worker.next("tasks")).tasks ?? [];
    expect(task).toMatchObject({ task_id: "m1", type: "MAIL", payload: { body: "hello", thread: "m1" } });
    worker.send({ type: "complete", tasks: [{ task_id: "m1", lease_id: task?.lease_id, result: "done" }] });
    await worker.next("done");
    expect(await show("m1")).toMatchObject({ state: "acted", result: "done" });
  });

  test("reaches who waits for mail as soon as it is sent", async () => {
    const { eco, send, receive } = await withRecipients("coder");
    const waiting = receive("coder", { wait_ms: 30_000 });
    await expect.poll(async () => (await queueOver(eco, "mail").status()).workers, patience).toEqual({ coder: 1 });
    await send({ id: "m1", to: "coder", body: 1 });
    expect(idsOf(await waiting)).toEqual(["m1"]);
  });

  test("that nobody took in its time has expired, and is a dead letter; one that was delivered is none", async () => {
    const { eco, send, receive, show, list } = await withRecipients("coder");
    await send({ id: "old", to: "coder", body: 1, expires_ms: 1_000 });
    await receive("coder");
    await send({ id: "lost", to: "coder", body: 2, expires_ms: 1_000 });
    const ended = async () => {
      // Any request has the queue look at its clock.
      await receive("tester");
      return (await list("to=coder&ended=true")).length;
    };
    await expect.poll(ended, patience).toBe(2);
    expect([(await show("old")).state, (await show("lost")).state]).toEqual(["expired", "expired"]);
    const { dead_letters } = await (await call(`/v1/${eco}/dead-letters`)).json<{
      dead_letters: { task: { task_id: string } }[];
    }>();
    expect(dead_letters.map(({ task }) => task.task_id)).toEqual(["lost"]);
  });

  test("that is too large, or has no recipient, is refused where the fault is", async () => {
    const { sendRaw } = await withRecipients("coder");
    const pointers = async (mail: object) =>
      (await problemOf(await sendRaw(mail))).errors?.map(({ pointer }) => pointer);
    expect(await pointers({ to: "coder", body: "x".repeat(70_000) })).toEqual(["/body"]);
    expect(await pointers({ body: 1 })).toEqual(["/to"]);
    expect(await pointers({ to: "*", body: 1 })).toEqual(["/to"]);
    expect(await pointers({ to: "coder", body: 1, priority: 1 })).toEqual(["/priority"]);
  });
});

describe("a recipient of mail", () => {
  test("that nobody knows is refused, with the names that are like it, and no queue is made by that", async () => {
    const { eco, sendRaw } = aMailbox();
    await queueOver(eco).put({ recipient: "tester", type: "T", payload: 1, task_id: "t1" });
    const [task] = await queueOver(eco).lease("tester");
    await queueOver(eco).act("t1", "complete", { lease_id: task?.lease_id });
    const refused = await problemOf(await sendRaw({ to: "testre", body: 1 }));
    expect(refused).toMatchObject({
      status: 422,
      type: "/problems/unknown-recipient",
      near: ["tester"],
      errors: [{ pointer: "/to", message: expect.stringContaining("Did you mean tester?") }],
    });
    const { queues } = await (await call(`/v1/${eco}/queues`)).json<{ queues: { name: string }[] }>();
    expect(queues.map(({ name }) => name)).toEqual(["work"]);
    // It has worked for a queue.
    expect((await sendRaw({ to: "tester", body: 1 })).status).toBe(202);
  });

  test("is known by a token that is bound to it, which reads and answers in its name alone", async () => {
    const { eco, sendRaw } = aMailbox();
    const { token } = await makeToken(eco, ["tasks:work", "tasks:write"], { recipients: ["coder"] });
    expect((await sendRaw({ id: "m1", to: "coder", from: "ada", body: 1 })).status).toBe(202);
    expect((await sendRaw({ to: "ada", body: 1 })).status).toBe(422);
    const own = aMailbox(eco, token);
    expect(idsOf(await own.receive("coder"))).toEqual(["m1"]);
    expect((await own.step("m1", "act")).status).toBe(200);
    expect((await call(`/v1/${eco}/mailboxes/ada`, { token })).status).toBe(403);
    expect((await own.sendRaw({ to: "coder", from: "ada", body: 1 })).status).toBe(403);
    const { id } = await own.send({ to: "coder", body: "to myself" });
    expect(await own.inbox("coder")).toMatchObject([{ id, from: "coder" }]);
    await aMailbox(eco).receive("tester");
    await sendRaw({ id: "m2", to: "tester", body: 1 });
    expect((await own.step("m2", "read")).status).toBe(403);
  });

  test("that does not run is started by the hosts whose settings say so, once for a message", async () => {
    const { eco, send } = aMailbox();
    const agent = (name: string, more: object) => ({ name, state: "stopped", verdict: "dead", restarts: 0, ...more });
    const runs = {
      agents: [
        agent("sleeper", { wakes_on_mail: true }),
        agent("planned", { next_wake_at: "2030-01-01T09:00:00.000Z" }),
        agent("stopped", {}),
      ],
    };
    const openedMs = Date.now();
    const report = { instance: "i", version: 1, links: [{ host: "gpu-01", openedMs }] };
    await registryOf(eco).report(report, new Map([["gpu-01", JSON.stringify({ version: "1", ...runs })]]));
    expect(await send({ id: "m1", to: "sleeper", body: 1 })).toMatchObject({ wake: "asked", hosts: ["gpu-01"] });
    expect(await send({ id: "m1", to: "sleeper", body: 1 })).toMatchObject({ known: true, wake: "asked" });
    const commands = await queueOver(eco, "hosts").lease("gpu-01", { max: 10 });
    expect(commands).toMatchObject([{ type: "supervisor.wake", payload: { names: ["sleeper"] } }]);
    expect(await send({ to: "planned", body: 1 })).toMatchObject({
      wake: "scheduled",
      next_wake_at: "2030-01-01T09:00:00.000Z",
    });
    expect(await send({ to: "stopped", body: 1 })).toMatchObject({ wake: "none" });
  });

  /** A host on which the agent `sleeper` is in a state, as it reports. */
  async function hostOf(eco: string) {
    const openedMs = Date.now();
    let version = 0;
    const report = async (state: string) => {
      const agents = [{ name: "sleeper", state, verdict: "dead", restarts: 0, wakes_on_mail: true }];
      const links = { instance: "i", version: ++version, links: [{ host: "gpu-01", openedMs }] };
      await registryOf(eco).report(links, new Map([["gpu-01", JSON.stringify({ version: "1", agents })]]));
    };
    const commands = () => queueOver(eco, "hosts").lease("gpu-01", { max: 10 });
    return { report, commands };
  }

  test("that ends before its host has said so is woken when the host says so, once, also by an edge that slept meanwhile", async () => {
    const { eco, send } = aMailbox();
    const { report, commands } = await hostOf(eco);
    await report("up");
    expect(await send({ id: "m1", to: "sleeper", body: 1 })).toMatchObject({ wake: "none" });
    await report("up");
    expect(await commands()).toEqual([]);
    await evictDurableObject(registryOf(eco));
    await report("stopped");
    const expected = [{ type: "supervisor.wake", payload: { names: ["sleeper"] } }];
    await expect.poll(commands, patience).toMatchObject(expected);
    await report("stopped");
    await registryOf(eco).fleet(1);
    expect(await commands()).toEqual([]);
  });

  test("that has read its mail before it ended is left alone, and a report of it costs what it cost before there was any", async () => {
    const { eco, send, step, receive } = aMailbox();
    const { report, commands } = await hostOf(eco);
    const rowsOf = async (state: string) => {
      const before = await registryOf(eco).usage();
      await report(state);
      const after = await registryOf(eco).usage();
      return [after.rows_read - before.rows_read, after.rows_written - before.rows_written];
    };
    // The first reports make the host known.
    for (let reports = 0; reports < 3; reports++) await report("up");
    await registryOf(eco).fleet(1);
    const expected = await rowsOf("up");
    expect(expected[1]).toBe(0);
    await send({ id: "m1", to: "sleeper", body: 1 });
    await receive("sleeper");
    expect((await step("m1", "act", { result: 1 })).status).toBe(200);
    await report("stopped");
    await expect
      .poll(
        () =>
          runInDurableObject(registryOf(eco), (_, { storage }) =>
            storage.sql.exec("SELECT * FROM owed_wakes").toArray(),
          ),
        patience,
      )
      .toEqual([]);
    expect(await commands()).toEqual([]);
    expect(await rowsOf("stopped")).toEqual(expected);
  });

  test("whose messages are late stands in the attention list until it has read them", async () => {
    const { eco, send, step } = await withRecipients("coder");
    await send({ id: "m1", to: "coder", body: 1, read_within_ms: 1_000 });
    await send({ id: "m2", to: "coder", body: 1 });
    const items = async () =>
      (await (await call(`/v1/${eco}/attention`)).json<{ items: { kind: string; what: string; why: string }[] }>())
        .items;
    expect(await items()).toEqual([]);
    // The time that the sender gave is over.
    await runInDurableObject(queueStub(eco, "mail"), (_, { storage: { sql } }) => {
      sql.exec(
        "UPDATE tasks SET payload = json_set(payload, '$.deliver_by', '2020-01-01T00:00:00.000Z', '$.read_by', '2020-01-01T00:00:00.000Z') WHERE terms ->> '$[0]' = 'm1'",
      );
    });
    expect(await items()).toMatchObject([{ kind: "mail_late", what: "mail of coder is not delivered in its time" }]);
    await queueOver(eco, "mail").status();
    expect((await step("m1", "read")).status).toBe(200);
    expect(await items()).toEqual([]);
  });

  test("has a mailbox of bounded size", async () => {
    const { eco, sendRaw } = await withRecipients("coder");
    const tasks = Array.from({ length: 1_000 }, () => ({ recipient: "coder", type: "MAIL", payload: 1 }));
    await post(`/v1/${eco}/queues/mail/tasks`, tasks);
    expect(await problemOf(await sendRaw({ to: "coder", body: 1 }))).toMatchObject({
      status: 429,
      type: "/problems/mailbox-full",
    });
  });
});
