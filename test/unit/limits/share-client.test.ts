import { afterEach, describe, expect, it, vi } from "vitest";
import { createClient } from "../../../src/client/client.ts";
import { startEdge } from "../cli/fake-edge.ts";

afterEach(() => {
  vi.useRealTimers();
});

interface Body {
  readonly share?: object;
  readonly amounts?: Record<string, number>;
  readonly outcome?: object;
  readonly reservation?: string;
}

/** An edge that grants every reservation, and blocks as long as `blocks` says. */
async function edgeWith({ blocks = true, closesOnRefusal = false } = {}) {
  let number = 0;
  const edge = await startEdge(({ url: { pathname }, body }) => {
    const { share, outcome } = body as Body;
    if (pathname.endsWith("/settle")) {
      const closed_until = new Date(Date.now() + 60_000).toISOString();
      return [200, { reservation: "r", state: "settled", ...(outcome && closesOnRefusal ? { closed_until } : {}) }];
    }
    if (share !== undefined && !blocks) return [200, { granted: false, why: "probing" }];
    return [200, { granted: true, reservation: `${share === undefined ? "alone" : "block"}-${++number}` }];
  });
  const { limits } = createClient({ url: edge.url, token: "t", retry: { retries: 0 } });
  const requests = () =>
    edge.received.map(({ url: { pathname }, body }): [string, Body] => [
      pathname.split("/").at(-1) ?? "",
      body as Body,
    ]);
  return { limits, requests };
}

describe("a share of a limit", () => {
  it("costs a request for each block and none for a call, and gives back what is left", async () => {
    const { limits, requests } = await edgeWith();
    const share = limits.share("api", { block: { requests: 100, usd: 10 }, calls: 5, agent: "ada" });
    const calls = Array.from({ length: 60 }, (_, n) => n);
    for (const n of calls) await share.with({ usd: 0.1 }, async (held) => held.used({ usd: n % 2 === 0 ? 0.05 : 0.1 }));
    expect(requests()).toMatchObject([["reserve", { share: { calls: 5, seconds: 10 }, agent: "ada" }]]);
    await share.close();
    expect(requests().slice(1)).toEqual([
      [
        "settle",
        {
          reservation: "block-1",
          amounts: { requests: 60, input_tokens: 0, output_tokens: 0, usd: expect.closeTo(4.5) },
        },
      ],
    ]);
  });

  it("asks for the next block before it needs it, and for calls alone where none is granted", async () => {
    const first = await edgeWith();
    const share = first.limits.share("api", { block: { requests: 3 }, calls: 5 });
    for (let n = 0; n < 4; n++) await share.with({}, async () => n);
    await share.close();
    expect(first.requests().map(([path, { share: of }]) => `${path}${of === undefined ? "" : " block"}`)).toEqual([
      "reserve block",
      "reserve block",
      "settle",
      "settle",
    ]);
    const { limits, requests } = await edgeWith({ blocks: false });
    const refused = limits.share("api", { block: { requests: 3 }, calls: 5 });
    for (let n = 0; n < 3; n++) await refused.with({}, async () => n);
    const asked = requests().map(([path, { share: of }]) => `${path}${of === undefined ? "" : " block"}`);
    expect(asked).toEqual(["reserve block", "reserve", "settle", "reserve", "settle", "reserve", "settle"]);
  });

  it("is settled with what was used, and with its open calls as they were reserved, before it expires", async () => {
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
    const { limits, requests } = await edgeWith();
    const share = limits.share("api", { block: { requests: 9, usd: 9 }, calls: 5, seconds: 10 });
    let finish = (_usd: number) => {};
    await share.with({ usd: 1 }, async (held) => held.used({ usd: 0.5 }));
    const long = share.with({ usd: 2 }, async (held) =>
      held.used({ usd: await new Promise((resolve) => (finish = resolve)) }),
    );
    await vi.advanceTimersByTimeAsync(8_000);
    vi.useRealTimers();
    await expect.poll(() => requests().length).toBe(2);
    expect(requests()[1]).toMatchObject(["settle", { amounts: { requests: 2, usd: 2.5 } }]);
    finish(2.75);
    await long;
    expect(requests()[2]).toMatchObject([
      "settle",
      { reservation: expect.stringMatching(/^share-/), amounts: { usd: 0.75 } },
    ]);
  });

  it("ends where the provider refuses a call, and asks for no other before its reset", async () => {
    const { limits, requests } = await edgeWith({ closesOnRefusal: true });
    const share = limits.share("api", { block: { requests: 9, usd: 9 }, calls: 5 });
    await share.with({ usd: 1 }, async (held) => held.refused({ retry_after_seconds: 60 }));
    await share.close();
    expect(requests()[1]).toMatchObject([
      "settle",
      { outcome: { status: 429, retry_after_seconds: 60 }, amounts: { requests: 1, usd: 0 } },
    ]);
  });
});
