import { expect, it } from "vitest";
import { edgeChecks } from "../../../local-agent/install/doctor/edge-checks.ts";
import type { Export } from "../../../src/core/telemetry/api.ts";
import { startEdge } from "../cli/fake-edge.ts";

const HEALTH = { exported: 5, rejected: 0, dropped: 0, waiting: 2 };

/** The doctor's findings about an export that the edge shows so. @param status - what the edge answers to the question */
async function findingsOf(shown: Partial<Export>, status = 200) {
  const { url } = await startEdge(({ url: { pathname } }) => {
    if (pathname.endsWith("/telemetry/export")) return [status, shown];
    return [200, pathname.endsWith("/webhooks") ? { webhooks: [] } : {}];
  });
  const findings = await edgeChecks({ url, ecosystem: "default", token: () => "t" });
  return findings.filter(({ check }) => check === "export");
}

it("the doctor says nothing of an export that is off, or that an older edge does not know", async () => {
  expect(await findingsOf({ enabled: false })).toEqual([]);
  expect(await findingsOf({}, 404)).toEqual([]);
});

it("the doctor says how an export goes, and warns of one that fails", async () => {
  expect(await findingsOf({ enabled: true, health: HEALTH })).toMatchObject([
    { verdict: "ok", detail: "5 spans are exported, 2 wait" },
  ]);
  const failing = { ...HEALTH, failing_since: "2026-01-31T12:00:00.000Z", last_error: "the receiver answered 401" };
  expect(await findingsOf({ enabled: true, health: failing })).toMatchObject([
    {
      verdict: "warning",
      detail: expect.stringMatching(/^fails since 2026-01-31T12:00:00.000Z: the receiver answered 401/),
      fix: expect.stringContaining("ganglion export test"),
    },
  ]);
});
