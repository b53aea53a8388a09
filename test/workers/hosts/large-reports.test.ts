import { describe, expect, test, vi } from "vitest";
import type { AgentView } from "../../../src/core/hosts/api.ts";
import { call, freshEcosystem } from "../api/calls.ts";
import { link, registryOf } from "./registry-under-test.ts";

vi.setConfig({ testTimeout: 60_000 });

interface Page {
  readonly agents: AgentView[];
  readonly next?: string;
}
const nameOf = (n: number) => `host-${String(n).padStart(3, "0")}`;

/** Reports hosts as the log does, some at a time. */
async function report(eco: string, count: number, chars: number): Promise<void> {
  const links = Array.from({ length: count }, (_, n) => ({ host: nameOf(n), openedMs: 1 }));
  const status = JSON.stringify({ version: "9.9.9", sources: "x".repeat(chars) });
  for (let from = 0; from < count; from += 50) {
    const some = links.slice(from, from + 50).map(({ host }) => [host, status] as const);
    await registryOf(eco).report({ instance: "log", version: from, links }, new Map(some));
  }
}

async function pagesOf(eco: string, query = ""): Promise<Page[]> {
  const pages: Page[] = [];
  for (let after = ""; ; ) {
    const response = await call(`/v1/${eco}/agents?after=${after}${query}`);
    expect(response.status).toBe(200);
    const page = await response.json<Page>();
    pages.push(page);
    if (page.next === undefined) return pages;
    after = page.next;
  }
}

describe("list of hosts", () => {
  test("of 400 hosts that report 120 KB each is answered, with a word on what was left out", async () => {
    const eco = freshEcosystem();
    await report(eco, 400, 120_000);
    const agents = (await pagesOf(eco)).flatMap((page) => page.agents);
    expect(agents.map(({ host }) => host)).toEqual(Array.from({ length: 400 }, (_, n) => nameOf(n)));
    expect(agents[7]).toMatchObject({
      version: "9.9.9",
      runs: { too_large: expect.stringContaining("65536 are kept") },
    });
  });

  test("of hosts that report much has pages, each host on one of them", async () => {
    const eco = freshEcosystem();
    await report(eco, 400, 60_000);
    const pages = await pagesOf(eco);
    expect(pages.length).toBeGreaterThan(2);
    const agents = pages.flatMap((page) => page.agents);
    expect(agents.map(({ host }) => host)).toEqual(Array.from({ length: 400 }, (_, n) => nameOf(n)));
    expect(agents[399]?.runs).toMatchObject({ sources: "x".repeat(60_000) });
  });

  test("is divided as the caller asks", async () => {
    const eco = freshEcosystem();
    await report(eco, 5, 10);
    const pages = await pagesOf(eco, "&limit=2");
    expect(pages.map(({ agents }) => agents.length)).toEqual([2, 2, 1]);
  });
});

describe("answer of a host to its monitors", () => {
  test("that is too long fails the monitors, with the reason", async () => {
    const eco = freshEcosystem();
    await link(eco, "a", () => ({ health: { readings: [] }, promotions: "x".repeat(300_000) }));
    await expect.poll(async () => (await registryOf(eco).agents()).agents.length).toBe(1);
    expect(await registryOf(eco).tick()).toMatchObject({ answered: ["a"] });
    expect((await registryOf(eco).agent("a"))?.failing).toMatchObject({
      health: expect.stringContaining("is too long"),
      promotions: expect.stringContaining("is too long"),
    });
  });
});
