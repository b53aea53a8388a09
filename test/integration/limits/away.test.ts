import { describe, expect, it } from "vitest";
import { createClient } from "../../../src/client/client.ts";
import { runEdge } from "../../harness/running-edge.ts";

/** The time without an edge is that of a unit test (test/unit/limits/client.test.ts); here the edge really goes, and comes again. */
describe("work within a limit whose edge goes away and comes again", () => {
  it("goes on or stops as each limit says, and what was used meanwhile is charged once", {
    timeout: 120_000,
  }, async () => {
    const first = await runEdge();
    const { url, token, stateDir } = first;
    const { limits, budgets } = createClient({ url, token, retry: { retries: 0 } });
    await limits.put("open", { usd_per_day: 100 });
    await limits.put("closed", { usd_per_day: 100, when_away: "closed" });
    await budgets.put("agents", { scope: "agent", usd: 100, per: "life" });
    const call = (name: string, usd = 1) =>
      limits.with(name, { amounts: { usd: 2 }, agent: "ada" }, async (held) => held.used({ usd }));
    await call("open");
    await call("closed");
    await first.process.killGroup();
    for (let n = 0; n < 30; n++) await call("open");
    for (let n = 0; n < 3; n++) await expect(call("closed")).rejects.toThrow("no edge answers");
    const second = await runEdge({ stateDir, port: Number(new URL(url).port) });
    await call("closed");
    await call("open");
    expect((await limits.show("open")).spent_usd).toBe(32);
    expect((await limits.show("closed")).spent_usd).toBe(2);
    expect((await budgets.show("agents")).used).toMatchObject([{ subject: "ada", usd: 34, held_usd: 0 }]);
    await second.process.stop();
  });
});
