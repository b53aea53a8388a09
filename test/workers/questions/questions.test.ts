import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Scope } from "../../../src/core/access/scopes.ts";
import type { Attention } from "../../../src/core/attention/api.ts";
import { directory } from "../../../src/workers/bindings/objects.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { evict } from "../evict.ts";
import { questionsOf } from "./questions-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

const HOUR = 3_600_000;

describe("questions", () => {
  it("are answered once: the second is told who answered, and when", async () => {
    const { ask, answer, show } = questionsOf();
    const id = await ask();
    expect(await show(id)).toMatchObject({ state: "open", answer: null, answered_by: null, recipient: "ops" });
    const first = await answer(id, "yes");
    expect([first.status, await first.json()]).toMatchObject([200, { state: "answered", answer: "yes" }]);
    const { answered_at } = await show(id);
    const refused = await problemOf(await answer(id, "no"));
    expect(refused).toMatchObject({ status: 409, answer: "yes", answered_at, answered_way: "token" });
    expect(refused.detail).toContain('answered "yes" at');
    expect((await show(id)).answer).toBe("yes");
  });

  it("take one of a hundred answers that come at once", async () => {
    const { ask, answer, show, signals } = questionsOf();
    const id = await ask({ options: undefined });
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async (_, place) => (await answer(id, `answer ${place}`)).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(99);
    expect((await show(id)).answer).toBe(`answer ${statuses.indexOf(200)}`);
    await vi.waitFor(async () => expect(await signals("Q_QUESTION_ANSWERED")).toHaveLength(1));
  });

  it("give the same answer to a request that comes again with its key, also where the first answer was lost", async () => {
    const { ask, answer, stub } = questionsOf();
    const id = await ask();
    const key = { headers: { "Idempotency-Key": "one" } };
    expect((await answer(id, "yes", key)).status).toBe(200);
    await crash(stub());
    const again = await answer(id, "yes", key);
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
    // The object itself knows the request, too: where the edge ended before the answer was kept, the request runs again.
    const [question] = await Promise.all([stub().show(id)]);
    const given = { answer: "yes", comment: null, by: { name: "a", id: "b", way: "token" as const } };
    const stored = await runInDurableObject(stub(), (_, { storage }) =>
      storage.sql.exec<{ key: string }>("SELECT body ->> '$.answerKey' AS key FROM questions").one(),
    );
    expect(await stub().answer(id, { ...given, key: stored.key })).toEqual({ question });
    expect(await stub().answer(id, { ...given, key: "another" })).toMatchObject({ refused: "answered" });
  });

  it("refuse what is none of the options, and answers nobody knows of", async () => {
    const { ask, answer } = questionsOf();
    const id = await ask();
    expect(await problemOf(await answer(id, "perhaps"))).toMatchObject({
      status: 422,
      errors: [{ pointer: "/answer", message: "give one of yes, no" }],
    });
    expect((await answer("never", "yes")).status).toBe(404);
    expect((await answer(id, "")).status).toBe(422);
  });

  it("are the same question when they are asked again under their id, and not another one", async () => {
    const { tryAsk, list } = questionsOf();
    const id = "deploy-42";
    expect((await tryAsk({ id })).status).toBe(201);
    const again = await tryAsk({ id });
    expect([again.status, await again.json()]).toMatchObject([201, { id, state: "open" }]);
    expect(await problemOf(await tryAsk({ id, question: "Delete?" }))).toMatchObject({ status: 409 });
    expect((await list()).questions).toHaveLength(1);
  });

  it("expire without an answer, and silence is none, unless their asker says so", async () => {
    const { ask, pass, show, answer, signals } = questionsOf();
    const id = await ask({ expires: "1h" });
    const silent = await ask({ expires: "1h", on_timeout: "no" });
    await pass(HOUR + 1);
    expect(await show(id)).toMatchObject({ state: "expired", answer: null, answered_by: null });
    expect(await problemOf(await answer(id, "yes"))).toMatchObject({ status: 409, title: "The question has expired" });
    expect(await show(silent)).toMatchObject({
      state: "answered",
      answer: "no",
      answered_by: { name: "timeout", way: "timeout" },
    });
    expect((await problemOf(await answer(silent, "yes"))).detail).toContain("as its asker said");
    await vi.waitFor(async () =>
      expect(await signals("Q_QUESTION_EXPIRED")).toMatchObject([{ facts: { question_id: id } }]),
    );
  });

  it("expire on time for who answers, also before the alarm", async () => {
    const { ask, answer } = questionsOf();
    const id = await ask({ expires: "1h" });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + HOUR });
    expect((await problemOf(await answer(id, "yes"))).title).toBe("The question has expired");
  });

  it("remind, and ask somebody else when nobody answers, each told by a signal that follows from the question", async () => {
    const { ask, pass, signals, list } = questionsOf();
    const id = await ask({ expires: "10h", remind_after: "1h", escalate_to: "boss", escalate_after: "90m" });
    await pass(HOUR);
    await pass(HOUR);
    await vi.waitFor(async () => {
      const [asked] = await signals("Q_QUESTION_ASKED");
      expect(asked?.facts).toMatchObject({ question_id: id, recipient: "ops", options: ["yes", "no"] });
      const cause = asked?.id;
      expect(await signals("Q_QUESTION_REMINDED")).toMatchObject([
        { cause, facts: { reminders: 1 } },
        { cause, facts: { reminders: 2 } },
      ]);
      expect(await signals("Q_QUESTION_ESCALATED")).toMatchObject([{ cause, facts: { escalate_to: "boss" } }]);
    });
    expect((await list("?recipient=boss")).questions.map((question) => question.id)).toEqual([id]);
  });

  it("belong to the chain of the signal that led to them", async () => {
    const { eco, ask, answer, signals } = questionsOf();
    const sent = await post(`/v1/${eco}/signals`, { signal: "Q_DEPLOY_WANTED", source: "ci", facts: {} });
    const { ids } = (await sent.json()) as { ids: string[] };
    await answer(await ask({ cause: ids[0] }), "yes");
    await vi.waitFor(async () => expect(await signals("Q_QUESTION_ANSWERED")).toHaveLength(1));
    const lineage = (await (await call(`/v1/${eco}/signals/${ids[0]}/lineage`)).json()) as {
      effects: { signal?: string }[];
    };
    expect(JSON.stringify(lineage)).toContain("Q_QUESTION_ANSWERED");
  });

  it("are waited for, for a time: an answer wakes who waits, and so does the end", async () => {
    const { ask, answer, show, stub } = questionsOf();
    const id = await ask();
    const waiting = show(id, "?wait_ms=30000");
    await vi.waitFor(async () => {
      const waits = await runInDurableObject(stub(), () => true);
      expect(waits).toBe(true);
    });
    await answer(id, "no");
    expect(await waiting).toMatchObject({ state: "answered", answer: "no" });
    expect(await show(await ask(), "?wait_ms=20")).toMatchObject({ state: "open" });
    expect((await call(`/v1/none-${id}/questions/${id}?wait_ms=30001`)).status).toBe(422);
  });

  it("are taken back by their asker, and not after their end", async () => {
    const { ask, answer, base, show } = questionsOf();
    const id = await ask();
    expect((await call(`${base}/${id}/cancel`, { method: "POST" })).status).toBe(200);
    expect(await problemOf(await answer(id, "yes"))).toMatchObject({
      status: 409,
      title: "The question was taken back",
    });
    const done = await ask();
    await answer(done, "yes");
    await call(`${base}/${done}/cancel`, { method: "POST" });
    expect(await show(done)).toMatchObject({ state: "answered", answer: "yes" });
  });

  it("survive evictions and crashes between any two steps, each once", async () => {
    const { ask, answer, stub, show, signals } = questionsOf();
    const ids: string[] = [];
    for (let number = 0; number < 10; number++) {
      ids.push(await ask({ id: `q${number}` }));
      await (number % 2 === 0 ? evict(stub()) : crash(stub()));
    }
    for (const [place, id] of ids.entries()) {
      expect((await answer(id, place % 3 === 0 ? "no" : "yes")).status).toBe(200);
      await (place % 2 === 0 ? crash(stub()) : evict(stub()));
    }
    for (const [place, id] of ids.entries()) expect((await show(id)).answer).toBe(place % 3 === 0 ? "no" : "yes");
    await runDurableObjectAlarm(stub());
    await vi.waitFor(async () => {
      expect((await signals("Q_QUESTION_ASKED")).map(({ facts }) => facts.question_id).sort()).toEqual([...ids].sort());
      expect((await signals("Q_QUESTION_ANSWERED")).map(({ facts }) => facts.question_id).sort()).toEqual(
        [...ids].sort(),
      );
    });
  });

  it("are listed by state and recipient, the newest first, in pages", async () => {
    const { ask, answer, list } = questionsOf();
    const ids = [await ask(), await ask({ recipient: "ada" }), await ask()];
    await answer(ids[0] ?? "", "yes");
    const named = async (query: string) => (await list(query)).questions.map(({ id }) => id);
    expect(await named("")).toEqual([...ids].reverse());
    expect(await named("?state=open")).toEqual([ids[2], ids[1]]);
    expect(await named("?state=open&recipient=ops")).toEqual([ids[2]]);
    const page = await list("?limit=2");
    expect(page.questions.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
    expect(await named(`?limit=2&after=${page.next}`)).toEqual([ids[0]]);
  });

  it("need somebody while they are open, a row each, the more urgent the sooner they expire", async () => {
    const { eco, ask, answer } = questionsOf();
    const later = await ask({ expires: "2h" });
    const soon = await ask({ expires: "5m" });
    const attention = async () => (await (await call(`/v1/${eco}/attention`)).json()) as Attention;
    const rows = (await attention()).items.filter(({ kind }) => kind === "question_open");
    expect(rows).toMatchObject([
      { id: `question_open/${soon}`, severity: "critical", why: "Deploy? (yes, no)" },
      { id: `question_open/${later}`, severity: "info", next_step: `ganglion questions answer ${later} "yes"` },
    ]);
    await answer(soon, "yes");
    await answer(later, "yes");
    expect((await attention()).items.filter(({ kind }) => kind === "question_open")).toEqual([]);
  });

  it("cost nothing while nothing is asked: the directory forgets the ecosystem, and no alarm is set", async () => {
    const { eco, ask, answer, stub } = questionsOf();
    const id = await ask();
    expect((await directory(env).known(eco)).asking).toBe(true);
    await answer(id, "yes");
    await runDurableObjectAlarm(stub());
    expect((await directory(env).known(eco)).asking).toBe(false);
    expect(await runInDurableObject(stub(), (_, { storage }) => storage.getAlarm())).toBeNull();
  });

  it("are answered with the scope for it alone, and for the recipients to which the token is bound", async () => {
    const { eco, ask, answer, list, tryAsk } = questionsOf();
    const id = await ask();
    const token = async (scopes: Scope[], more: object = {}) => (await makeToken(eco, scopes, more)).token;
    const agent = await token(["tasks:write", "tasks:work", "tasks:read", "signals:write"]);
    expect((await tryAsk({}, { token: agent })).status).toBe(201);
    expect((await answer(id, "yes", { token: agent })).status).toBe(403);
    const ada = await token(["tasks:read", "questions:answer"], { recipients: ["ada"] });
    expect(await problemOf(await answer(id, "yes", { token: ada }))).toMatchObject({ status: 403 });
    const hers = await ask({ recipient: "ada" });
    expect((await list("", ada)).questions.map((question) => question.id)).toEqual([hers]);
    expect((await answer(hers, "yes", { token: ada })).status).toBe(200);
  });

  it("are no more than an ecosystem may hold", async () => {
    const { tryAsk, stub, ask } = questionsOf();
    await ask();
    await runInDurableObject(stub(), (_, { storage }) =>
      storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
         INSERT INTO questions (id, state, recipient, expires_ms, body) SELECT 'n' || i, 'open', 'ops', 1e15, '{}' FROM n`,
      ),
    );
    expect(await problemOf(await tryAsk())).toMatchObject({ status: 409, title: "Too many questions" });
  });

  it("are no signals of others: nobody tells of an answer that nobody gave", async () => {
    const eco = freshEcosystem();
    const { token } = await makeToken(eco, ["signals:write"]);
    const facts = { question_id: "q", question: "Go?", recipient: "ops", asked_by: "a" };
    const sent = await post(`/v1/${eco}/signals`, { signal: "Q_QUESTION_ANSWERED", source: "me", facts }, { token });
    expect((await problemOf(sent)).errors).toMatchObject([{ pointer: "/signal" }]);
  });
});
