import { describe, expect, it } from "vitest";
import { makeToken } from "../access/tokens-under-test.ts";
import { aSignal, logOf } from "../log-under-test.ts";
import { aTask, queueOver } from "../queue/queue-under-test.ts";
import { call, freshEcosystem, post } from "./calls.ts";

describe("the header Link", () => {
  it("leads through all pages of a list, with its filters, and ends where the list does", async () => {
    const eco = freshEcosystem();
    await logOf(eco).append({ signals: Array.from({ length: 5 }, (_, n) => aSignal(`Q_A_${n % 2}`, { n })) });
    const seen: number[] = [];
    let path: string | undefined = `/v1/${eco}/signals?signal=Q_A_0&order=asc&limit=1`;
    while (path !== undefined) {
      const answer = await call(path);
      const { signals, next } = (await answer.json()) as { signals: { facts: { n: number } }[]; next: number | null };
      seen.push(...signals.map(({ facts }) => facts.n));
      const [, following] = /^<([^>]*)>; rel="next"$/.exec(answer.headers.get("link") ?? "") ?? [];
      expect(following === undefined).toBe(next === null);
      path = following;
    }
    expect(seen).toEqual([0, 2, 4]);
  });

  it("stands on pages of tasks and of producers, too", async () => {
    const eco = freshEcosystem();
    await queueOver(eco, "jobs").put([1, 2].map((n) => aTask({ task_id: `t${n}` })));
    for (const name of ["a.x", "b.x"])
      await logOf(eco).append({ producer: { name, first: 1 }, signals: [aSignal("Q_A_B", {})] });
    for (const path of [`/v1/${eco}/queues/jobs/tasks?limit=1`, `/v1/${eco}/producers?limit=1`]) {
      const answer = await call(path);
      const { next } = (await answer.json()) as { next: string | number };
      expect(answer.headers.get("link")).toBe(`<${path}&after=${next}>; rel="next"`);
    }
  });
});

describe("the headers RateLimit", () => {
  it("tell a token that sends signals what it may still send today, and leave the body as it was", async () => {
    const eco = freshEcosystem();
    const { token } = await makeToken(eco, ["signals:write"]);
    const emit = async () => {
      const answer = await post(`/v1/${eco}/signals`, { signal: "Q_A_B", source: "s", facts: { n: 1 } }, { token });
      expect(Object.keys((await answer.json()) as object).sort()).toEqual([
        "accepted",
        "duplicates",
        "first_seq",
        "ids",
        "last_seq",
      ]);
      expect(answer.headers.get("ratelimit-policy")).toBe('"log_bytes";q=4000000000;qu="content-bytes";w=86400');
      return Number(/^"log_bytes";r=(\d+);t=\d+$/.exec(answer.headers.get("ratelimit") ?? "")?.[1]);
    };
    const [first, second] = [await emit(), await emit()];
    expect(first).toBeLessThan(4_000_000_000);
    expect(second).toBeLessThan(first);
  });
});

describe("a conditional read", () => {
  it("of a signal that the caller has gets 304, until the signal is erased", async () => {
    const eco = freshEcosystem();
    await logOf(eco).append({ signals: [aSignal("Q_A_B", { secret: 1 }, { id: "one", source: "gone" })] });
    const first = await call(`/v1/${eco}/signals/one`);
    const etag = first.headers.get("etag") ?? "";
    const again = (tag: string) => call(`/v1/${eco}/signals/one`, { headers: { "If-None-Match": tag } });
    expect([(await again(etag)).status, (await again('"another"')).status]).toEqual([304, 200]);
    expect(await (await again(etag)).text()).toBe("");
    await post(`/v1/${eco}/erasures`, { source: "gone" });
    await expect.poll(async () => (await again(etag)).status).not.toBe(304);
  });

  it("of the API's document gets 304 for the document that the caller has, also by HEAD", async () => {
    const first = await call("/openapi.json", { token: null, method: "HEAD" });
    const etag = first.headers.get("etag") ?? "";
    expect([first.status, await first.text()]).toEqual([200, ""]);
    for (const method of ["GET", "HEAD"])
      expect((await call("/openapi.json", { token: null, method, headers: { "If-None-Match": etag } })).status).toBe(
        304,
      );
  });
});
