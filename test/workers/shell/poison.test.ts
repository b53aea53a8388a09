import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { agentRegistry, models, workerBoard } from "../../../src/workers/bindings/objects.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { aSignal, deadLettersOf, follow, logOf, observationsOf, policyOf, queueOf } from "../log-under-test.ts";
import { patience } from "../patience.ts";
import { echo, putRule } from "../policy/policies-under-test.ts";

/** Facts from before their depth was limited: admission would refuse them now, and the log may hold them. */
const DEEP = "[".repeat(5_000) + "]".repeat(5_000);
const deepSignal = (name: string, facts: string) =>
  aSignal(name, {}, { factsJson: `{"more":${DEEP},${facts.slice(1)}` });

describe("a signal that is nested too deeply and is in the log already", () => {
  test("stops no decisions of its ecosystem, also after a restart", async () => {
    const eco = freshEcosystem();
    const stream = await follow(eco, ["Q_DREAM_TRIGGER"]);
    await logOf(eco).append({
      signals: [deepSignal("Q_CURIOSITY_INVESTIGATE", '{"question":"why deep?","question_id":"q1"}')],
    });
    await logOf(eco).append({ signals: [aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: 3 })] });
    expect((await stream.next()).signal).toBe("Q_DREAM_TRIGGER");
    await evictDurableObject(policyOf(eco));
    const head = (await logOf(eco).status()).head_seq;
    expect(await policyOf(eco).catchUp(head)).toBe(head);
    const { decisions } = await policyOf(eco).decisions({ limit: 10 });
    expect(decisions.map(({ rule }) => rule)).toContain("promotions-to-dream");
  });

  test("is an observation like others for the window and the status", async () => {
    const eco = freshEcosystem();
    const { last_seq } = (await logOf(eco).append({
      signals: [deepSignal("OBSERVATION", '{"zooid":"a","cpu_percent":5}')],
    })) as { last_seq: number };
    await observationsOf(eco).catchUp(last_seq);
    expect((await call(`/v1/${eco}/status`)).status).toBe(200);
    const window = (await (await call(`/v1/${eco}/observations`)).json()) as { size: number };
    expect(window.size).toBe(1);
    await evictDurableObject(observationsOf(eco));
    expect((await call(`/v1/${eco}/observations`)).status).toBe(200);
  });

  test("that a rule fails on becomes a dead letter, and the next signal is decided on", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "reads", { ...echo("Q_DEEP", "Q_OUT"), where: "facts.nothing" });
    await putRule(eco, "echoes", echo("Q_NEXT", "Q_ECHO"));
    const stream = await follow(eco, ["Q_ECHO"]);
    await logOf(eco).append({ signals: [deepSignal("Q_DEEP", '{"n":1}'), aSignal("Q_NEXT", { n: 2 })] });
    expect((await stream.next()).facts).toEqual({ n: 2 });
    await expect
      .poll(async () => (await deadLettersOf(eco).list({ limit: 10 })).dead_letters, patience)
      .toMatchObject([{ kind: "signal", signal: { signal: "Q_DEEP" }, error: expect.stringContaining("reads: ") }]);
    expect((await call(`/v1/${eco}/dead-letters`)).status).toBe(200);
  });

  test("ends no stream of events, and the signals behind it come", async () => {
    const eco = freshEcosystem();
    const deepest = aSignal("Q_DEEP", {}, { factsJson: `{"more":${"[".repeat(15_000)}${"]".repeat(15_000)}}` });
    await logOf(eco).append({ signals: [deepest, aSignal("Q_NEXT", { n: 2 })] });
    const response = await call(`/v1/${eco}/signals/stream?after=0`);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("Q_NEXT")) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: "" };
      if (done) break;
      text += value;
    }
    await reader?.cancel();
    expect(text).toContain('"signal":"Q_NEXT"');
  });

  test("can be read over HTTP", async () => {
    const eco = freshEcosystem();
    const outcome = await logOf(eco).append({ signals: [deepSignal("Q_DEEP", '{"n":1}')] });
    const [id] = "ids" in outcome ? outcome.ids : [];
    expect((await call(`/v1/${eco}/signals/${id}`)).status).toBe(200);
    expect((await call(`/v1/${eco}/signals`)).status).toBe(200);
    expect((await call(`/v1/${eco}/signals/${id}/lineage`)).status).toBe(200);
  });
});

describe("an object with a damaged row", () => {
  test("decides by its other rules", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "good", echo("Q_IN", "Q_GOOD"));
    await putRule(eco, "bad", echo("Q_IN", "Q_BAD"));
    await runInDurableObject(policyOf(eco), (_, { storage }) => {
      storage.sql.exec("UPDATE rules SET body = '{\"id\":' WHERE id = 'bad'");
      storage.sql.exec("INSERT INTO rule_state VALUES ('count', 'good', 'k', 'not JSON')");
    });
    await evictDurableObject(policyOf(eco));
    const stream = await follow(eco, ["Q_GOOD"]);
    await post(`/v1/${eco}/signals`, { signal: "Q_IN", source: "t", facts: { n: 1 } });
    expect((await stream.next()).facts).toEqual({ n: 1 });
  });

  test("hands over the signals and dead letters behind it", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "good", echo("Q_IN", "Q_GOOD"));
    await runInDurableObject(policyOf(eco), (_, { storage }) => {
      storage.sql.exec("INSERT INTO outgoing (number, body) VALUES (0, 'no signal')");
      storage.sql.exec("INSERT INTO buried (body) VALUES ('no record')");
    });
    const stream = await follow(eco, ["Q_GOOD"]);
    await post(`/v1/${eco}/signals`, { signal: "Q_IN", source: "t", facts: { n: 1 } });
    expect((await stream.next()).facts).toEqual({ n: 1 });
    await expect.poll(async () => (await deadLettersOf(eco).list({ limit: 10 })).dead_letters.length, patience).toBe(2);
  });
});

describe("an object that stored a value which cannot be read", () => {
  const kinds: readonly [name: string, object: (eco: string) => DurableObjectStub, damage: string, path: string][] = [
    [
      "statistics of a queue",
      (eco) => queueOf(eco, "work"),
      "INSERT OR REPLACE INTO notes VALUES ('statistics', '{')",
      "queues/work",
    ],
    [
      "alerts of a queue",
      (eco) => queueOf(eco, "work"),
      "INSERT OR REPLACE INTO notes VALUES ('alerts', '{')",
      "queues/work",
    ],
    [
      "settings of a queue",
      (eco) => queueOf(eco, "work"),
      "INSERT OR REPLACE INTO notes VALUES ('settings', '{')",
      "queues/work",
    ],
    ["decisions", policyOf, "INSERT INTO decided VALUES (1, 'r', 'fired', 0, '{')", "decisions"],
    ["open questions", policyOf, "INSERT INTO questions VALUES ('q', '{')", "policies"],
    ["settings of the window", observationsOf, "INSERT INTO settings VALUES ('observations', '{')", "observations"],
    ["the maintenance", observationsOf, "INSERT INTO settings VALUES ('maintenance', '{')", "maintenance"],
    ["subscriptions", logOf, "INSERT INTO interests VALUES ('policy', '{')", "signals"],
    ["monitors", (eco) => agentRegistry(env, eco), "INSERT OR REPLACE INTO notes VALUES ('settings', '{')", "monitors"],
    ["hosts", (eco) => agentRegistry(env, eco), "INSERT INTO hosts VALUES ('h', '{', 0)", "agents"],
    ["models", (eco) => models(env, eco), "INSERT INTO kept VALUES ('settings', '{')", "models"],
    ["spending", (eco) => models(env, eco), "INSERT INTO kept VALUES ('spent', '{')", "models"],
    ["file tasks", (eco) => workerBoard(env, eco), "INSERT INTO open_tasks VALUES ('w', 't', 'c', 0, '{')", "workers"],
  ];

  test.each(kinds)("answers all the same: %s", async (_, objectOf, damage, path) => {
    const eco = freshEcosystem();
    // A queue is there once it has held a task.
    if (path.startsWith("queues/")) await post(`/v1/${eco}/${path}/tasks`, { recipient: "a", type: "T", payload: 1 });
    const object = objectOf(eco);
    await runInDurableObject(object, (_instance, { storage }) => void storage.sql.exec(damage));
    await evictDurableObject(object);
    expect((await call(`/v1/${eco}/${path}`)).status).toBe(200);
  });

  test("shows a dead letter that cannot be read, which can then be discarded", async () => {
    const eco = freshEcosystem();
    await runInDurableObject(deadLettersOf(eco), (_, { storage }) => {
      storage.sql.exec("INSERT INTO letters (id, body, attempts, first_ms, last_ms) VALUES ('bad', '{', 1, 0, 0)");
    });
    const page = (await (await call(`/v1/${eco}/dead-letters`)).json()) as { dead_letters: { id: string }[] };
    expect(page.dead_letters).toMatchObject([{ id: "bad", error: expect.stringContaining("cannot be read") }]);
    expect((await call(`/v1/${eco}/dead-letters/bad`, { method: "DELETE" })).status).toBe(204);
  });
});
