import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Scope } from "../../../src/core/access/scopes.ts";
import type { Attention } from "../../../src/core/attention/api.ts";
import type { Question } from "../../../src/core/questions/api.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, post, problemOf } from "../api/calls.ts";
import { questionsOf } from "./questions-under-test.ts";

afterEach(() => void vi.useRealTimers());

function permissionsOf() {
  const questions = questionsOf();
  const base = `/v1/${questions.eco}/permissions`;
  const tokenOf = async (scopes: Scope[], more: object = {}) => (await makeToken(questions.eco, scopes, more)).token;
  const tryAsk = (more: object = {}, init: object = {}) =>
    post(
      base,
      { tool_name: "Bash", description: "Publish", input_preview: "npm publish", recipient: "ops", ...more },
      init,
    );
  return {
    ...questions,
    tokenOf,
    tryAsk,
    /** Asks with a token of a session of a model. */
    async request(more: object = {}): Promise<{ id: string; token: string }> {
      const token = await tokenOf(["tasks:write", "tasks:read"]);
      const answer = await tryAsk(more, { token });
      if (answer.status !== 201) throw new Error(await answer.text());
      return { id: ((await answer.json()) as { id: string }).id, token };
    },
    decide: (id: string, behavior: unknown, init: object = {}) => post(`${base}/${id}/answer`, { behavior }, init),
  };
}

describe("permissions to use tools", () => {
  it("are given once, by a token with the scope for it, and a signal tells who gave which", async () => {
    const { request, decide, tokenOf, signals, show } = permissionsOf();
    const { id } = await request();
    const token = await tokenOf(["permissions:answer"]);
    const decided = await decide(id, "allow", { token });
    expect(decided.status).toBe(200);
    expect((await decided.json()) as Question).toMatchObject({ state: "answered", answer: "allow" });
    const second = await problemOf(await decide(id, "deny", { token }));
    expect(second).toMatchObject({ status: 409, answer: "allow", answered_way: "token" });
    expect((await show(id)).answer).toBe("allow");
    await vi.waitFor(async () => expect(await signals("Q_PERMISSION_ASKED")).toHaveLength(1));
    const [asked] = await signals("Q_PERMISSION_ASKED");
    expect(asked?.facts).toMatchObject({
      permission_id: id,
      tool: "Bash",
      input_preview: "npm publish",
      recipient: "ops",
    });
    await vi.waitFor(async () => expect(await signals("Q_PERMISSION_ANSWERED")).toHaveLength(1));
    expect(await signals("Q_PERMISSION_ANSWERED")).toMatchObject([
      { cause: asked?.id, facts: { permission_id: id, tool: "Bash", behavior: "allow", way: "token" } },
    ]);
    expect(await signals("Q_QUESTION_*")).toEqual([]);
  });

  it.each<Scope>(["questions:answer", "tasks:write", "tasks:work", "policy:write", "signals:write"])(
    "are not given with %s",
    async (scope) => {
      const { request, decide, answer, tokenOf, show } = permissionsOf();
      const { id } = await request();
      const token = await tokenOf([scope]);
      expect((await decide(id, "allow", { token })).status).toBe(403);
      expect((await answer(id, "allow", { token })).status).toBe(403);
      expect((await show(id)).state).toBe("open");
    },
  );

  it("are not given by the call for other questions, also of an administrator, and other questions not by theirs", async () => {
    const { request, decide, answer, ask } = permissionsOf();
    const { id } = await request();
    expect(await problemOf(await answer(id, "allow"))).toMatchObject({ status: 403, scope: "permissions:answer" });
    const other = await ask({ options: ["allow", "deny"] });
    expect(await problemOf(await decide(other, "allow"))).toMatchObject({ status: 409 });
  });

  it("are not given by the token that asks, nor for others than those to whom a token is bound", async () => {
    const { tryAsk, decide, tokenOf, eco } = permissionsOf();
    const all = await tokenOf(["tasks:write", "permissions:answer"]);
    expect((await tryAsk({ id: "mine" }, { token: all })).status).toBe(201);
    expect(await problemOf(await decide("mine", "allow", { token: all }))).toMatchObject({ status: 403 });
    const bo = await tokenOf(["permissions:answer"], { recipients: ["bo"] });
    expect(await problemOf(await decide("mine", "allow", { token: bo }))).toMatchObject({ status: 403 });
    const ops = await tokenOf(["permissions:answer"], { recipients: ["ops"] });
    expect((await decide("mine", "deny", { token: ops })).status).toBe(200);
    expect((await call(`/v1/${eco}/questions/mine`)).status).toBe(200);
  });

  it("are not given by rules, whose decision says so", async () => {
    const { request, stub, show } = permissionsOf();
    const { id } = await request();
    const by = { name: "eager", id: "eager", way: "rule" } as const;
    expect(await stub().answer(id, { answer: "allow", comment: null, by, key: null })).toMatchObject({
      refused: "kind",
    });
    expect((await show(id)).state).toBe("open");
  });

  it("expire, and allow nothing by that", async () => {
    const { request, decide, pass, show, signals } = permissionsOf();
    const { id } = await request({ expires: "1m" });
    await pass(60_001);
    expect(await show(id)).toMatchObject({ state: "expired", answer: null });
    expect(await problemOf(await decide(id, "allow"))).toMatchObject({
      status: 409,
      title: "The question has expired",
    });
    expect((await signals("Q_PERMISSION_EXPIRED")).map(({ facts }) => facts.permission_id)).toEqual([id]);
  });

  it("are asked once under an id, and a decision that is sent again under its key is the same", async () => {
    const { tryAsk, decide, tokenOf, list } = permissionsOf();
    const token = await tokenOf(["tasks:write"]);
    expect((await tryAsk({ id: "p1" }, { token })).status).toBe(201);
    expect((await tryAsk({ id: "p1", expires: "5m" }, { token })).status).toBe(201);
    expect((await tryAsk({ id: "p1", input_preview: "rm -rf /" }, { token })).status).toBe(409);
    expect((await list()).questions).toHaveLength(1);
    const headers = { "Idempotency-Key": "once" };
    expect((await decide("p1", "deny", { headers })).status).toBe(200);
    expect((await decide("p1", "deny", { headers })).status).toBe(200);
  });

  it("hold no secrets, wherever they are shown", async () => {
    const { request, show, signals, stub } = permissionsOf();
    const secret = ["gng", "abcdef012345", "A".repeat(43)].join("_");
    const { id } = await request({ description: `use ${secret}`, input_preview: `TOKEN=${secret} ./deploy` });
    const rows = await runInDurableObject(stub(), (_, { storage }) =>
      [...storage.sql.exec<{ body: string }>("SELECT body FROM questions")].map(({ body }) => body),
    );
    await vi.waitFor(async () => expect(await signals("Q_PERMISSION_ASKED")).toHaveLength(1));
    const everywhere = JSON.stringify([await show(id), await signals("Q_PERMISSION_ASKED"), rows]);
    expect(everywhere).not.toContain(secret);
    expect(everywhere).toContain("TOKEN=[hidden] ./deploy");
  });

  it("are listed by their kind, and need somebody at once, with a call for either decision", async () => {
    const { request, list, ask, eco, decide } = permissionsOf();
    const question = await ask();
    const { id } = await request();
    expect((await list("?kind=permission")).questions.map((one) => one.id)).toEqual([id]);
    expect((await list("?kind=question")).questions.map((one) => one.id)).toEqual([question]);
    expect((await list()).questions.map((one) => one.id)).toEqual([id, question]);
    const rows = async () =>
      ((await (await call(`/v1/${eco}/attention`)).json()) as Attention).items.filter(({ id: row }) =>
        row.endsWith(id),
      );
    expect(await rows()).toMatchObject([
      {
        severity: "critical",
        next_step: `ganglion permissions show ${id}`,
        choices: [
          { path: `/v1/${eco}/permissions/${id}/answer`, body: { behavior: "allow" } },
          { path: `/v1/${eco}/permissions/${id}/answer`, body: { behavior: "deny" } },
        ],
      },
    ]);
    await decide(id, "deny");
    expect(await rows()).toEqual([]);
  });

  it("leave no alarm when they are over", async () => {
    const { request, decide, stub } = permissionsOf();
    const { id } = await request();
    await decide(id, "deny");
    await runDurableObjectAlarm(stub());
    expect(await runInDurableObject(stub(), (_, { storage }) => storage.getAlarm())).toBeNull();
  });
});
