import { describe, expect, test, vi } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { aSignal, deadLettersOf, logOf } from "../log-under-test.ts";

const PATIENCE = { timeout: 30_000, interval: 50 };

type Page = { lines: string[]; next: string | null };

async function exported(eco: string, query = ""): Promise<string[]> {
  const lines: string[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const answer = await call(`/v1/${eco}/export?after=${encodeURIComponent(after)}${query}`);
    expect(answer.status).toBe(200);
    const page = (await answer.json()) as Page;
    lines.push(...page.lines);
    after = page.next;
  }
  return lines;
}

const imported = (eco: string, lines: readonly string[], id = "one") =>
  call(`/v1/${eco}/import?import=${id}`, {
    method: "POST",
    headers: { "Content-Type": "application/x-ndjson" },
    body: lines.join("\n"),
  });

const remove = (eco: string) => call(`/v1/${eco}?confirm=${eco}`, { method: "DELETE" });
const read = async (eco: string, path: string): Promise<unknown> => {
  const answer = await call(`/v1/${eco}${path}`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
};

/** An ecosystem with something in every object that people look into. */
async function filled(): Promise<string> {
  const eco = freshEcosystem();
  const rule = await call(`/v1/${eco}/policies/mine`, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ id: "mine", when: "Y", then: [{ emit: { signal: "Z" } }] }),
  });
  expect(rule.ok, await rule.clone().text()).toBe(true);
  for (let n = 0; n < 5; n++)
    await post(`/v1/${eco}/signals`, [
      { signal: "X", source: "s", facts: { n, text: "ä\n\u2028".repeat(50) } },
      { id: `outside-${n}`, signal: "Y", source: "s", facts: {} },
    ]);
  await post(`/v1/${eco}/signals`, { signal: "CAPABILITY_GAP", source: "s", facts: { gap: "g", status: "open" } });
  await post(`/v1/${eco}/queues/work/tasks`, { recipient: "w", type: "T", payload: { a: 1 }, task_id: "t1" });
  await post(`/v1/${eco}/queues/work/tasks`, {
    recipient: "w",
    type: "T",
    payload: null,
    task_id: "t2",
    max_attempts: 1,
  });
  await call(`/v1/${eco}/webhooks/hook`, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ url: "https://hooks.example/a" }),
  });
  await deadLettersOf(eco).record([{ id: "d1", kind: "signal", signal: {}, error: "e", daemon: "test" }]);
  await vi.waitFor(async () => {
    const { projections, log } = (await read(eco, "/status")) as {
      projections: { policy: { cursor: number } };
      log: { head_seq: number };
    };
    expect(projections.policy.cursor).toBeGreaterThan(0);
    expect(log.head_seq).toBeGreaterThan(15);
  }, PATIENCE);
  return eco;
}

/** What must be the same afterwards. */
const LOOKED_AT = [
  "/signals?order=asc&limit=1000",
  "/signals/outside-3",
  "/gaps?status=all",
  "/decisions?limit=100",
  "/queues/work/tasks",
  "/queues",
  "/dead-letters",
  "/policies",
];
const all = (eco: string) => Promise.all(LOOKED_AT.map((path) => read(eco, path)));

describe("an ecosystem that is exported, deleted and imported", () => {
  test("is the same afterwards: signals with their numbers and ids, gaps, decisions, tasks, dead letters", async () => {
    const eco = await filled();
    const before = await all(eco);
    const lines = await exported(eco);
    expect((await remove(eco)).status).toBe(200);
    expect(await read(eco, "/signals?limit=10")).toMatchObject({ signals: [] });
    expect(await read(eco, "/queues")).toMatchObject({ queues: [] });
    const answer = await imported(eco, lines);
    expect([answer.status, await answer.text()]).toEqual([200, '{"complete":true}']);
    expect(await all(eco)).toEqual(before);
  });

  test("goes on: new signals follow the old ones, projections take them, tasks are leased", async () => {
    const eco = await filled();
    const lines = await exported(eco);
    await remove(eco);
    await imported(eco, lines);
    const { log } = (await read(eco, "/status")) as { log: { head_seq: number } };
    const sent = await post(`/v1/${eco}/signals`, { signal: "X", source: "s", facts: { n: "new" } });
    expect(await sent.json()).toMatchObject({ first_seq: log.head_seq + 1 });
    const leased = await post(`/v1/${eco}/queues/work/lease`, { recipient: "w" });
    expect(await leased.json()).toMatchObject({ tasks: [{ task_id: "t1" }] });
  });

  test("knows the numbers of producers: a host that sends again what it sent doubles nothing", async () => {
    const eco = await filled();
    const batch = {
      producer: { name: "gpu-01.e1.local", first: 1 },
      signals: [1, 2, 3].map((n) => aSignal("N", { n })),
    };
    await logOf(eco).append(batch);
    const lines = await exported(eco);
    await remove(eco);
    await imported(eco, lines);
    await logOf(eco).append({ ...batch, signals: [...batch.signals, aSignal("N", { n: 4 })] });
    expect(await read(eco, "/signals?order=asc&signal=N")).toMatchObject({
      signals: [1, 2, 3, 4].map((n) => ({ facts: { n } })),
    });
  });

  test("is known to the directory again, and was not in between", async () => {
    const eco = await filled();
    const names = async () =>
      ((await (await call("/v1/ecosystems")).json()) as { ecosystems: { name: string }[] }).ecosystems.map(
        ({ name }) => name,
      );
    await vi.waitFor(async () => expect(await names()).toContain(eco), PATIENCE);
    const lines = await exported(eco);
    await remove(eco);
    expect(await names()).not.toContain(eco);
    await imported(eco, lines);
    expect(await names()).toContain(eco);
  });

  test("takes lines in several calls, the same lines twice, and counts only when the last line has come", async () => {
    const eco = await filled();
    const before = await all(eco);
    const lines = await exported(eco);
    await remove(eco);
    for (const line of lines.slice(0, -1)) {
      expect(await (await imported(eco, [line])).json()).toEqual({ complete: false });
      if (line.includes('"rows"')) await imported(eco, [line]);
    }
    expect(await read(eco, "/signals?limit=10")).toMatchObject({ signals: [] });
    expect(await (await imported(eco, lines.slice(-1))).json()).toEqual({ complete: true });
    expect(await (await imported(eco, lines.slice(-1))).json()).toEqual({ complete: true });
    expect(await all(eco)).toEqual(before);
  });

  test("is copied under another name beside the first", async () => {
    const eco = await filled();
    const copy = freshEcosystem();
    const lines = await exported(eco);
    expect((await imported(copy, lines)).status).toBe(200);
    expect(await read(copy, "/signals?order=asc&limit=1000")).toEqual(await read(eco, "/signals?order=asc&limit=1000"));
    expect(await read(copy, "/queues/work")).toMatchObject({ depth: 2 });
  });
});

describe("an import", () => {
  test("into an ecosystem that holds something is refused, and changes nothing", async () => {
    const eco = await filled();
    const lines = await exported(eco);
    const before = await all(eco);
    const refused = await problemOf(await imported(eco, lines));
    expect([refused.status, refused.type]).toEqual([409, expect.stringContaining("not-empty")]);
    expect(await all(eco)).toEqual(before);
  });

  test.each([
    ["rules of its own", "policies", { id: "mine", when: "X", then: [{ emit: { signal: "Z" } }] }],
    ["a queue with a task", "queues/q/tasks", { recipient: "w", type: "T", payload: 1 }],
  ])("into an ecosystem that has only %s is refused", async (_, path, body) => {
    const eco = freshEcosystem();
    const answer =
      path === "policies"
        ? await call(`/v1/${eco}/policies/mine`, {
            method: "PUT",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify(body),
          })
        : await post(`/v1/${eco}/${path}`, body);
    expect(answer.ok, await answer.clone().text()).toBe(true);
    const lines = await exported(freshEcosystem());
    expect((await problemOf(await imported(eco, lines))).status).toBe(409);
  });

  test("of a document that lacks lines of an object is refused", async () => {
    const eco = await filled();
    const lines = await exported(eco);
    const cut = lines.filter((line) => !line.includes('"ended":true') || !line.includes("SignalLog"));
    const copy = freshEcosystem();
    expect((await problemOf(await imported(copy, cut))).type).toContain("incomplete-import");
    expect(await read(copy, "/signals?limit=10")).toMatchObject({ signals: [] });
  });

  test("of lines that are none of an export names the line", async () => {
    const refused = await problemOf(await imported(freshEcosystem(), ["{}", "no"]));
    expect([refused.status, refused.errors?.[0]?.pointer]).toEqual([422, "/lines/0"]);
  });
});

describe("an export", () => {
  test("holds the secrets of webhooks only where it is asked for them", async () => {
    const eco = await filled();
    expect((await exported(eco)).join("\n")).not.toContain("whsec_");
    expect((await exported(eco, "&with_secrets=true")).join("\n")).toContain("whsec_");
  });

  test("suspends the ecosystem until its last page", async () => {
    const eco = await filled();
    const first = (await (await call(`/v1/${eco}/export`)).json()) as Page;
    const refused = await problemOf(await post(`/v1/${eco}/signals`, { signal: "X", source: "s", facts: {} }));
    expect([refused.status, refused.type]).toEqual([503, expect.stringContaining("suspended")]);
    for (let after = first.next; after !== null; )
      after = ((await (await call(`/v1/${eco}/export?after=${encodeURIComponent(after)}`)).json()) as Page).next;
    expect((await post(`/v1/${eco}/signals`, { signal: "X", source: "s", facts: {} })).status).toBe(202);
  });
});

describe("the deletion of an ecosystem", () => {
  test("is refused without its name", async () => {
    const eco = await filled();
    const refused = await problemOf(await call(`/v1/${eco}`, { method: "DELETE" }));
    expect([refused.status, refused.detail]).toEqual([409, expect.stringContaining(`?confirm=${eco}`)]);
    expect(await read(eco, "/queues")).toMatchObject({ queues: [{ name: "work" }] });
  });
});
