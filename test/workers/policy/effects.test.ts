import { evictDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { freshEcosystem, post } from "../api/calls.ts";
import { allOf, aSignal, deadLettersOf, logOf, policyOf, queueOf } from "../log-under-test.ts";
import { webhooksOf } from "../webhooks/webhooks-under-test.ts";
import { echo, putRule, read } from "./policies-under-test.ts";

vi.setConfig({ testTimeout: 30_000 });
const patient = { timeout: 45_000 };
const append = (eco: string, name: string, facts: object = {}) =>
  logOf(eco).append({ signals: [aSignal(name, { ...facts })] });

/** Puts a rule that sends to the endpoint `pager`, which is deleted then. */
async function putRuleBefore(eco: string, id: string, rule: object): Promise<void> {
  await webhooksOf(eco).add("pager", "200");
  expect((await putRule(eco, id, rule)).status).toBe(200);
  await webhooksOf(eco).stub().remove("pager");
}

describe("effects of a rule", () => {
  test("put a task into its queue once, with the values that the rule read", async () => {
    const eco = freshEcosystem();
    const enqueue = {
      queue: "work",
      recipient: "facts.host",
      type: "clean",
      payload: { path: "facts.path" },
      priority: 2,
      delay: "1h",
      max_attempts: 2,
      limits: ["api"],
    };
    await putRule(eco, "r", { when: "X_FULL", then: [{ enqueue }] });
    await append(eco, "X_FULL", { host: "gpu-01", path: "/tmp" });
    await expect.poll(async () => (await queueOf(eco, "work").status()).depth, patient).toBe(1);
    await evictDurableObject(policyOf(eco));
    await policyOf(eco).rebuild();
    const { tasks } = await queueOf(eco, "work").tasks({ limit: 10, after: 0 });
    expect(tasks.map((task) => JSON.parse(task))).toMatchObject([
      {
        recipient: "gpu-01",
        type: "clean",
        payload: { path: "/tmp" },
        priority: 2,
        sender: "ganglion/policy",
        limits: ["api"],
      },
    ]);
  });

  test("dead-letter a task that a full queue refuses, and deliver the next one", async () => {
    const eco = freshEcosystem();
    await queueOf(eco, "tiny").configure({ capacity: 1 });
    const into = (queue: string) => ({ enqueue: { queue, recipient: "'x'", type: "t" } });
    await putRule(eco, "r", { when: "X_A", then: [into("tiny"), into("tiny"), into("roomy")] });
    await append(eco, "X_A");
    await expect.poll(async () => (await queueOf(eco, "roomy").status()).depth, patient).toBe(1);
    await expect
      .poll(async () => (await deadLettersOf(eco).list({ limit: 10 })).dead_letters, patient)
      .toMatchObject([{ kind: "task", error: "rule r: the queue tiny is full, it holds 1 tasks" }]);
  });

  test("switch maintenance", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "on", { when: "X_ON", then: [{ maintenance: { enabled: true, reason: "facts.why" } }] });
    await append(eco, "X_ON", { why: "moving" });
    await expect
      .poll(() => read(`/v1/${eco}/maintenance`), patient)
      .toMatchObject({ enabled: true, reason: "moving", by: "rule on" });
  });

  test("become a dead letter where the webhook that they call was deleted, and are sent by its replay", async () => {
    const eco = freshEcosystem();
    await putRuleBefore(eco, "page", {
      when: "X_A",
      then: [{ webhook: { endpoint: "pager", body: { why: "facts.why" } } }],
    });
    await append(eco, "X_A", { why: "it burns" });
    const letters = async () => (await deadLettersOf(eco).list({ limit: 10 })).dead_letters;
    await expect
      .poll(letters, patient)
      .toMatchObject([{ kind: "webhook", error: expect.stringMatching(/rule page: no webhook endpoint "pager"/) }]);
    const [letter] = await letters();
    const webhooks = webhooksOf(eco);
    await webhooks.add("pager", "200");
    await post(`/v1/${eco}/dead-letters/${letter?.id}/replay`, {});
    const [message] = await webhooks.received("pager", 1);
    expect(JSON.stringify(message)).toContain("it burns");
  });

  test("that call a webhook which does not exist are named in the record of the decision, and no others", async () => {
    const eco = freshEcosystem();
    await webhooksOf(eco).add("there", "200");
    const hook = (endpoint: string) => ({ webhook: { endpoint } });
    await putRuleBefore(eco, "page", { when: "X_A", then: [hook("there"), hook("pager")] });
    await append(eco, "X_A");
    const undelivered = async () =>
      (await policyOf(eco).decisions({ limit: 5 })).decisions.flatMap(({ deliveries = [] }) =>
        deliveries.map(({ endpoint, undelivered }) => [endpoint, undelivered]),
      );
    await expect.poll(undelivered, patient).toEqual([
      ["there", undefined],
      ["pager", 'there was no webhook endpoint "pager"'],
    ]);
  });

  test("of a built-in rule are dropped without a dead letter while its endpoint does not exist", async () => {
    const eco = freshEcosystem();
    await append(eco, "Q_QUEUE_ALERT", { rule: "queue_deep" });
    await expect.poll(async () => (await policyOf(eco).decisions({ limit: 5 })).decisions.length, patient).toBe(1);
    await putRuleBefore(eco, "page", { when: "X_A", then: [{ webhook: { endpoint: "pager" } }] });
    await append(eco, "X_A");
    const letters = async () => (await deadLettersOf(eco).list({ limit: 10 })).dead_letters;
    await expect.poll(letters, patient).toHaveLength(1);
    expect(await letters()).toMatchObject([{ webhook: { endpoint: "pager" } }]);
  });

  test("that are optional are counted, and become no dead letter, while their endpoint does not exist", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "page", { when: "X_A", then: [{ webhook: { endpoint: "pager", optional: true } }] });
    await append(eco, "X_A");
    await append(eco, "X_A");
    const unheard = async () => (await policyOf(eco).overview()).unheard;
    await expect.poll(unheard, patient).toEqual([{ endpoint: "pager", messages: 2 }]);
    expect((await deadLettersOf(eco).list({ limit: 10 })).dead_letters).toEqual([]);
    expect(await read(`/v1/${eco}/status`)).toMatchObject({
      policies: { unheard: [{ endpoint: "pager", messages: 2 }] },
    });
  });

  test("call a webhook once by its name", async () => {
    const eco = freshEcosystem();
    const webhooks = webhooksOf(eco);
    await webhooks.add("alerts", "200");
    await append(eco, "Q_QUEUE_ALERT", { rule: "queue_deep" });
    const [message] = await webhooks.received("alerts", 1);
    expect(JSON.stringify(message)).toContain("queue_deep");
    await policyOf(eco).rebuild();
    expect(await webhooks.deliveries("alerts")).toHaveLength(1);
    expect((await deadLettersOf(eco).list({ limit: 10 })).dead_letters).toEqual([]);
  });
});

describe("loop guard of rules", () => {
  test("ends a loop of rules after sixteen signals, with the chain of causes in a dead letter", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "ping", echo("X_PING", "X_PONG"));
    await putRule(eco, "pong", echo("X_PONG", "X_PING"));
    await append(eco, "X_PING");
    const letters = deadLettersOf(eco);
    await expect.poll(async () => (await letters.list({ limit: 10 })).dead_letters.length, patient).toBe(1);
    const signals = (await allOf(eco)).filter(({ signal }) => signal.startsWith("X_P"));
    expect(signals).toHaveLength(17);
    const [letter] = (await letters.list({ limit: 10 })).dead_letters;
    expect(letter?.error).toContain("cut off: the chain of causes above");
    expect(letter?.lineage).toEqual(signals.map(({ id }) => id).reverse());
  });

  test("ends a rule that fires beyond its rate", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "r", echo("X_A", "X_B", { rate: { n: 3, per: "1h" } }));
    await logOf(eco).append({ signals: Array.from({ length: 9 }, (_, n) => aSignal("X_A", { n })) });
    const letters = deadLettersOf(eco);
    await expect.poll(async () => (await letters.list({ limit: 10 })).dead_letters.length, patient).toBe(3);
    const fired = async () => (await allOf(eco)).filter(({ signal }) => signal === "X_B").length;
    await expect.poll(fired, patient).toBe(3);
  });
});
