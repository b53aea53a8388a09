import { describe, expect, it } from "vitest";
import { OutcomeReport } from "../../../src/core/intelligence/rollout/api.ts";
import { healthOf } from "../../../src/core/intelligence/rollout/health.ts";
import { Rollout } from "../../../src/core/intelligence/rollout/rollout.ts";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const NOW = Date.UTC(2026, 0, 31);

/** Keeps the roll-out as the edge does. */
async function edge() {
  const rollout = new Rollout();
  const fake = await startEdge(({ method, url, body }) => {
    const { note, ...change } = (body ?? {}) as { share: number; note?: string };
    const noted = note === undefined ? {} : { note };
    if (method === "PUT") rollout.set({ ...change, ...noted }, "ada", NOW);
    if (url.pathname.endsWith("/rollback")) rollout.rollBack(note, "ada", NOW);
    if (url.pathname.endsWith("/health")) return [200, healthOf(rollout.evidence, NOW)];
    return [200, method === "GET" ? rollout.view(NOW) : rollout.state];
  });
  return { rollout, run: (...args: string[]) => ganglion(["--url", fake.url, "rollout", ...args]) };
}

describe("ganglion rollout", () => {
  it("sets the share, shows both arms, and rolls back", async () => {
    const { run, rollout } = await edge();
    const set = await run("set", "50", "--note", "second stage");
    expect([set.code, set.err]).toEqual([0, "50 % of the keys ask live hosts\n"]);
    const arms = { live: { successes: 19, errors: 1, latency_ms: [[20, 20]] }, library: { successes: 30 } };
    rollout.take(OutcomeReport.parse({ reporter: "r", number: 1, version: 1, ...arms }), NOW);
    const shown = await run("show", "--key", "TestWriter");
    expect(shown.out).toMatch(/share\s+50 %/);
    expect(shown.out).toMatch(/note\s+second stage/);
    expect(shown.out).toMatch(/key TestWriter\s+(asks live hosts|uses the library)/);
    expect(shown.out).toMatch(/live\s+20\s+95\s+5/);
    expect(shown.out).toMatch(/success_percent\s+95\s+100\s+\S+\s+no difference/);
    const back = await run("rollback", "--note", "odd answers");
    expect(back.err).toContain("rolled back from 50 %");
    expect((await run()).out).toMatch(/rolled back\s+2026-01-31T00:00:00.000Z from 50 %, by_hand/);
  });

  it("shows the figures of all who ask, and what is beyond its target", async () => {
    const { run, rollout } = await edge();
    const live = { successes: 93, timeouts: 7, latency_ms: [[20, 100]] };
    rollout.take(OutcomeReport.parse({ reporter: "r", number: 1, version: 0, live }), NOW);
    const { out } = await run("health");
    expect(out).toMatch(/success_percent\s+93\s+93/);
    expect(out).toMatch(/timeouts\s+-\s+7/);
    expect(out).toMatch(/fallback\s+warning\s+7\s+5/);
    expect(JSON.parse((await run("health", "--json")).out)).toMatchObject({
      requests: 100,
      alerts: [{ alert: "success" }, {}],
    });
  });

  it("gives one document with --json", async () => {
    const { run } = await edge();
    expect(JSON.parse((await run("set", "10", "--json")).out)).toMatchObject({ share: 10, version: 1 });
    expect(JSON.parse((await run("show", "--key", "x", "--json")).out)).toMatchObject({
      share: 10,
      key: "x",
      chosen: expect.any(Boolean),
      arms: { live: { requests: 0 } },
    });
    expect(JSON.parse((await run("rollback", "--json")).out)).toMatchObject({
      share: 0,
      rolled_back: { rule: "by_hand" },
    });
  });

  it.each(["101", "-1", "half"])("refuses the share %s", async (share) => {
    const { run } = await edge();
    expect((await run("set", "--", share)).code).toBe(2);
  });
});
