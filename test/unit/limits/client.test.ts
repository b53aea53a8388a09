import { describe, expect, it } from "vitest";
import { createClient } from "../../../src/client/client.ts";
import { type Answer, startEdge } from "../cli/fake-edge.ts";

const GRANTED: Answer = [200, { granted: true, reservation: "r-1", when_away: "closed" }];
const SETTLED: Answer = [200, { reservation: "r-1", state: "settled" }];
const clientOf = (url: string) => createClient({ url, token: "t", retry: { retries: 0 } });

describe("work within a limit", () => {
  it("is done with a reservation, and settled with what it says that it used, also where it fails", async () => {
    const edge = await startEdge(({ url: { pathname } }) => (pathname.endsWith("/reserve") ? GRANTED : SETTLED));
    const { limits } = clientOf(edge.url);
    const done = await limits.with("api", { amounts: { usd: 1 }, agent: "ada" }, async (held) => {
      held.used({ usd: 0.25 });
      return 7;
    });
    expect(done).toBe(7);
    const failing = limits.with("api", {}, async (held) => {
      held.refused({ retry_after_seconds: 60 });
      throw new Error("the model is away");
    });
    await expect(failing).rejects.toThrow("the model is away");
    expect(edge.received.map(({ url: { pathname }, body }) => [pathname.split("/").at(-1), body])).toEqual([
      ["reserve", { amounts: { usd: 1 }, agent: "ada", wait_ms: 0 }],
      ["settle", { reservation: "r-1", amounts: { usd: 0.25 }, agent: "ada" }],
      ["reserve", { wait_ms: 0 }],
      ["settle", { reservation: "r-1", amounts: {}, outcome: { status: 429, retry_after_seconds: 60 } }],
    ]);
  });

  it("is refused at once where nothing is granted before the caller gives up", async () => {
    const closed_until = new Date(Date.now() + 3_600_000).toISOString();
    const edge = await startEdge(() => [
      200,
      { granted: false, why: "closed", detail: "the plan is used up", closed_until },
    ]);
    const work = clientOf(edge.url).limits.with("api", {}, async () => 1);
    await expect(work).rejects.toThrow(`grants nothing until ${closed_until}: the plan is used up`);
    expect(edge.received).toHaveLength(1);
  });

  it("goes on or fails without an edge, as the limit says, and is settled when one answers", async () => {
    const edge = await startEdge(({ url: { pathname } }) => (pathname.endsWith("/reserve") ? GRANTED : SETTLED));
    let isAway = true;
    const { limits } = createClient({
      url: edge.url,
      token: "t",
      retry: { retries: 0 },
      fetch: (url, init) => (isAway ? Promise.reject(new TypeError("no edge")) : fetch(url, init as RequestInit)),
    });
    expect(await limits.with("api", { amounts: { usd: 2 } }, async () => "done")).toBe("done");
    expect(edge.received).toEqual([]);
    isAway = false;
    await limits.with("api", {}, async () => "done");
    const settled = edge.received.filter(({ url: { pathname } }) => pathname.endsWith("/settle"));
    expect(settled.map(({ body }) => body)).toMatchObject([
      { reservation: "r-1" },
      { reservation: expect.stringMatching(/^away-/), amounts: { requests: 1, usd: 2 } },
    ]);
    isAway = true;
    await expect(limits.with("api", {}, async () => "done")).rejects.toThrow("no edge answers");
  });

  it("is settled once each, when an edge answers, where twenty go on at the same time for an hour without one", async () => {
    const edge = await startEdge(({ url: { pathname } }) =>
      pathname.endsWith("/reserve") ? [200, { granted: true, reservation: "r-1", when_away: "open" }] : SETTLED,
    );
    let isAway = true;
    const { limits } = createClient({
      url: edge.url,
      token: "t",
      retry: { retries: 0 },
      fetch: (url, init) => (isAway ? Promise.reject(new TypeError("no edge")) : fetch(url, init as RequestInit)),
    });
    const all = (round: number) =>
      Promise.all(
        Array.from({ length: 20 }, (_, n) => limits.with("api", { amounts: { usd: round + n } }, async () => 1)),
      );
    for (let round = 0; round < 10; round++) await all(round);
    expect(edge.received).toEqual([]);
    isAway = false;
    await all(0);
    const settled = edge.received.flatMap(({ url: { pathname }, body }) =>
      pathname.endsWith("/settle") ? [(body as { reservation: string }).reservation] : [],
    );
    const away = settled.filter((reservation) => reservation.startsWith("away-"));
    expect([away.length, new Set(away).size, settled.length]).toEqual([200, 200, 220]);
  });
});
