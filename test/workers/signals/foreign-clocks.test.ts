import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { call, freshEcosystem } from "../api/calls.ts";
import { allOf, aSignal, follow, logOf, observationsOf, policyOf } from "../log-under-test.ts";
import { echo, putRule } from "../policy/policies-under-test.ts";

const DAY_MS = 86_400_000;

describe("a host whose clock is far from that of the edge", () => {
  it.each([
    ["400 days behind", -400],
    ["30 days ahead", 30],
  ])("has its signals kept in their order, followed and decided on: %s", async (_, days) => {
    const eco = freshEcosystem();
    await putRule(eco, "echoes", echo("Q_IN", "Q_OUT"));
    const stream = await follow(eco, ["Q_OUT"]);
    const timestampMs = Date.now() + days * DAY_MS;
    const producer = { name: "h.e.local", first: 1, remote: true };
    const signals = [1, 2].map((n) => aSignal("Q_IN", { n }, { timestampMs: timestampMs + n }));
    expect(await logOf(eco).append({ owner: "h", producer, signals })).toMatchObject({ accepted: 2 });
    // A host that is right beside it changes nothing, and a restart neither.
    await logOf(eco).append({ signals: [aSignal("Q_IN", { n: 3 })] });
    await evictDurableObject(logOf(eco));
    const facts = [await stream.next(), await stream.next(), await stream.next()].map((signal) => signal.facts);
    expect(facts).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    const mine = (await allOf(eco)).filter(({ signal }) => signal === "Q_IN");
    expect(mine.map(({ timestamp }) => Date.parse(timestamp)).slice(0, 2)).toEqual([timestampMs + 1, timestampMs + 2]);
    const around = (ms: number) => new Date(ms).toISOString();
    const found = `since=${around(timestampMs)}&until=${around(timestampMs + 10)}&signal=Q_IN`;
    expect(((await (await call(`/v1/${eco}/signals?${found}`)).json()) as { signals: [] }).signals).toHaveLength(2);
  });

  it("has its observations judged as of their arrival where they are ahead, and hides nobody else's", async () => {
    const eco = freshEcosystem();
    const observe = (zooid: string, days: number) =>
      logOf(eco).append({
        signals: Array.from({ length: 5 }, () =>
          aSignal("OBSERVATION", { zooid, cpu_percent: 99 }, { timestampMs: Date.now() + days * DAY_MS }),
        ),
      });
    for (const [zooid, days] of [
      ["behind", -400],
      ["ahead", 30],
      ["right", 0],
    ] as const)
      await observe(zooid, days);
    const { head_seq } = await logOf(eco).status();
    expect(await observationsOf(eco).catchUp(head_seq)).toBe(head_seq);
    expect(await policyOf(eco).catchUp(head_seq)).toBe(head_seq);
    const { gaps } = (await (await call(`/v1/${eco}/gaps`)).json()) as { gaps: { name: string }[] };
    expect(gaps.map(({ name }) => name).sort()).toEqual(["cpu_bottleneck_ahead", "cpu_bottleneck_right"]);
    expect((await call(`/v1/${eco}/status`)).status).toBe(200);
  });
});
