import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import type { Attention, AttentionPage } from "../../../src/core/attention/api.ts";
import { directory } from "../../../src/workers/bindings/objects.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, problemOf } from "../api/calls.ts";
import { deadLettersOf } from "../log-under-test.ts";

const patient = { timeout: 45_000 };
vi.setConfig({ testTimeout: 60_000 });

async function read<Body>(path: string, token?: string): Promise<Body> {
  const answer = await call(path, token === undefined ? {} : { token });
  if (answer.status !== 200) throw new Error(await answer.text());
  return answer.json();
}

/** An ecosystem that is known, with a dead letter. */
async function withDeadLetter(): Promise<string> {
  const eco = freshEcosystem();
  await directory(env).touch(eco, Date.now());
  await deadLettersOf(eco).record([{ id: "d1", kind: "signal", signal: {}, error: "e", daemon: "test" }]);
  return eco;
}

describe("attention", () => {
  test("of an ecosystem lists what needs somebody there", async () => {
    const eco = await withDeadLetter();
    const { items } = await read<Attention>(`/v1/${eco}/attention`);
    expect(items).toMatchObject([{ ecosystem: eco, kind: "dead_letters", next_step: "ganglion dlq list" }]);
    expect((await read<Attention>(`/v1/${freshEcosystem()}/attention`)).items).toEqual([]);
  });

  test("of all ecosystems lists those that the token may see, a page at a time", async () => {
    const [a, b, hidden] = [await withDeadLetter(), await withDeadLetter(), await withDeadLetter()];
    const both = await makeToken(a, ["signals:read"], { ecosystems: [a, b] });
    const page = (query: string) => read<AttentionPage>(`/v1/attention${query}`, both.token);
    const names = async () => (await page("")).ecosystems.map(({ name }) => name);
    await expect.poll(names, patient).toEqual([a, b].sort());
    const { items, ecosystems, next } = await page("");
    expect(items.map(({ ecosystem }) => ecosystem)).toEqual([a, b].sort());
    expect(ecosystems.map(({ items: count, worst }) => [count, worst])).toEqual([
      [1, "warning"],
      [1, "warning"],
    ]);
    expect(next).toBeNull();
    const first = await page("?limit=1");
    expect(first.next).toBe([a, b].sort()[0]);
    expect((await page(`?limit=1&after=${first.next}`)).ecosystems.map(({ name }) => name)).toEqual([[a, b].sort()[1]]);
    const everything = await read<AttentionPage>("/v1/attention?limit=30");
    expect(everything.ecosystems.map(({ name }) => name)).toContain(hidden);
    const none = await makeToken(a, ["signals:write"]);
    expect((await problemOf(await call("/v1/attention", { token: none.token }))).status).toBe(403);
  });
});
