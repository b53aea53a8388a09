import { describe, expect, it, vi } from "vitest";
import { EdgeUnreachable, problemFrom } from "../../../src/client/http/problem-errors.ts";
import { AskerRollout, type AskerRolloutOptions } from "../../../src/client/intelligence/asker-rollout.ts";
import { IntelligenceUnavailable } from "../../../src/client/intelligence/errors.ts";
import { IntelligenceGatherer } from "../../../src/client/intelligence/gatherer.ts";
import { builtInLibrary } from "../../../src/client/intelligence/library-file.ts";
import type { OutcomeInput, RolloutState } from "../../../src/core/intelligence/rollout/api.ts";

const library = builtInLibrary();
const ASKED = { node_type: "EFFECT", service_name: "TestWriter" };
const FOUND = { source_path: "x", patterns: [{ file_path: "a", confidence: 0.95 }] };
const stateOf = (share: number, version: number): RolloutState => ({
  share,
  version,
  since: null,
  by: null,
  note: null,
  rolled_back: null,
});

/** An asker whose reports are answered as the test says; an error is thrown. */
function asker(answer: () => RolloutState | Error, more: Partial<AskerRolloutOptions> = {}) {
  const reports: OutcomeInput[] = [];
  const rollout = new AskerRollout({
    report: async (report) => {
      reports.push(report);
      const state = answer();
      if (state instanceof Error) throw state;
      return state;
    },
    ...more,
  });
  const discover = vi.fn(async () => FOUND);
  return { rollout, reports, discover, gatherer: new IntelligenceGatherer({ library, client: { discover }, rollout }) };
}

describe("an asker under a roll-out", () => {
  it("asks for the share once, and decides each request by itself", async () => {
    const { gatherer, reports, discover, rollout } = asker(() => stateOf(0, 3));
    const contexts = await Promise.all(Array.from({ length: 100 }, () => gatherer.gather(ASKED)));
    expect(new Set(contexts.map(({ fallback_reason }) => fallback_reason))).toEqual(new Set(["not_in_share"]));
    expect([discover.mock.calls.length, reports.length]).toEqual([0, 1]);
    await rollout.close();
    expect(reports[1]).toMatchObject({ version: 3, library: { successes: 100 } });
    expect(reports).toHaveLength(2);
  });

  it("takes the smaller share of its settings and the edge", async () => {
    const { rollout, discover } = asker(() => stateOf(100, 1));
    const gatherer = new IntelligenceGatherer({ library, client: { discover }, rollout, share: 0 });
    expect((await gatherer.gather(ASKED)).fallback_reason).toBe("not_in_share");
  });

  it.each([
    ["correlation_mismatch", { errors: 1, mismatches: 1 }],
    ["unreadable_answer", { errors: 1, corrupted: 1 }],
  ] as const)("reports %s at once, and asks no live host after the answer", async (reason, live) => {
    let share = 100;
    const { gatherer, reports, discover } = asker(() => stateOf(share, 100 - share));
    await gatherer.gather(ASKED);
    share = 0;
    discover.mockRejectedValueOnce(new IntelligenceUnavailable(reason, "x"));
    await gatherer.gather(ASKED);
    await vi.waitFor(() => expect(reports.at(-1)).toMatchObject({ live: { ...live, successes: 1 } }));
    await vi.waitFor(async () => expect((await gatherer.gather(ASKED)).fallback_reason).toBe("not_in_share"));
  });

  it("learns a change that is pushed, without a request of its own", async () => {
    let push: (signal: unknown) => void = () => undefined;
    const pushed = new Promise((resolve) => {
      push = resolve;
    });
    const follow = async function* ({ signal }: { signal?: AbortSignal }) {
      yield (await pushed) as never;
      await new Promise((resolve) => signal?.addEventListener("abort", resolve));
    };
    const { rollout, reports } = asker(() => stateOf(100, 1), { follow });
    await rollout.ready();
    push({ source: "ganglion/intelligence", facts: { rollout: "intelligence", share: 0, version: 2 } });
    await vi.waitFor(() => expect(rollout.share).toBe(0));
    expect(reports).toHaveLength(1);
    await rollout.close();
  });

  it("sends a report that was not confirmed again, under its number", async () => {
    let away = true;
    const { rollout, reports, gatherer } = asker(() =>
      away ? new EdgeUnreachable("http://127.0.0.1:1", new Error("x")) : stateOf(100, 0),
    );
    await gatherer.gather(ASKED);
    await rollout.flush();
    away = false;
    await rollout.flush();
    const full = reports.filter(({ live }) => live !== undefined);
    expect(full).toHaveLength(2);
    expect(full[0]).toEqual(full[1]);
  });

  it("goes by its settings where the edge knows no roll-out, and asks no more", async () => {
    const onRemark = vi.fn();
    const unknown = problemFrom(404, JSON.stringify({ type: "/problems/not-found", title: "x", status: 404 }), null);
    const { gatherer, reports, rollout } = asker(() => unknown, { onRemark });
    expect((await gatherer.gather(ASKED)).fallback_reason).toBeNull();
    await rollout.close();
    expect(reports).toHaveLength(1);
    expect(onRemark).toHaveBeenCalledTimes(1);
  });
});
