import { expect, test } from "vitest";
import { sampleOf } from "../../../../src/core/introspection/window/sample.ts";
import type { Signal } from "../../../../src/core/signals/signal.ts";

const signal = (facts: Record<string, unknown>, timestamp: string): Signal => ({
  seq: 1,
  id: "s1",
  signal: "OBSERVATION",
  source: "me",
  ecosystem: "e",
  timestamp,
  received_at: "2026-01-01T00:00:00.000Z",
  facts,
});

test("a timestamp in the future counts as the time of arrival", () => {
  expect(sampleOf(signal({ zooid: "r" }, "2027-01-01T00:00:00.000Z")).tsMs).toBe(Date.UTC(2026, 0, 1));
  expect(sampleOf(signal({ zooid: "r" }, "2025-12-31T23:59:59.000Z")).tsMs).toBe(Date.UTC(2026, 0, 1) - 1_000);
});

test("the older spelling of the reporter is read, and what is left out has its default", () => {
  expect(sampleOf(signal({ zooid_name: "r" }, "2026-01-01T00:00:00.000Z"))).toMatchObject({
    reporter: "r",
    ok: true,
    ttrMs: null,
    niche: null,
    incidentId: null,
  });
});

test("nobody's observation is an error", () => {
  expect(() => sampleOf(signal({}, "2026-01-01T00:00:00.000Z"))).toThrow("facts.zooid");
});
