import { describe, expect, it } from "vitest";
import { hasReserved, reservedFields } from "../../../src/core/signals/reserved.ts";
import type { NewSignal } from "../../../src/core/signals/signal.ts";

const aSignal = (more: Partial<NewSignal>): NewSignal => ({
  id: undefined,
  signal: "Q_JOB_DONE",
  source: "jobs",
  timestampMs: undefined,
  factsJson: "{}",
  cause: undefined,
  trace: undefined,
  depth: undefined,
  ...more,
});

describe("a signal that the edge emits about itself", () => {
  it.each([
    "CAPABILITY_GAP_RESOLVED",
    "Q_AGENT_UP",
    "Q_AGENT_DOWN",
    "Q_QUEUE_BREAKER",
    "Q_QUEUE_PAUSE",
    "Q_QUEUE_BULK",
    "Q_POLICY_CHANGED",
    "Q_POLICY_STATE_IMPORTED",
    "Q_POLICY_QUARANTINED",
    "Q_SCANNER_CHANGED",
    "Q_OBSERVATION_SETTINGS_CHANGED",
    "Q_MAINTENANCE_CHANGED",
    "Q_ROLLOUT_CHANGED",
    "Q_ROLLOUT_ROLLED_BACK",
    "Q_SESSION_WAITING",
    "Q_SESSION_FROZEN",
    "Q_SESSION_RESUMED",
    "Q_INTELLIGENCE_HEALTH",
    "Q_LOG_TRUNCATED",
    "Q_LOG_SET_BACK",
    "Q_ERASED",
    "ganglion.budget.warned",
    "ganglion.budget.changed",
  ])("is emitted by nobody else but an administrator who tries a rule: %s", (signal) => {
    const one = aSignal({ signal });
    expect(reservedFields(one, false, "/0").map(({ pointer }) => pointer)).toEqual(["/0/signal"]);
    expect([hasReserved(one, false), hasReserved(one, true)]).toEqual([true, false]);
    expect(reservedFields(one, true, "/0")).toEqual([]);
  });
});

describe("the edge's own sources and ids", () => {
  it.each([
    [{ source: "ganglion" }, "/source"],
    [{ source: "ganglion/policy" }, "/source"],
    [{ id: "ganglion.policy.abcdef.7" }, "/id"],
  ])("are not an administrator's either: %j", (more, pointer) => {
    expect(reservedFields(aSignal(more), true, "").map((error) => error.pointer)).toEqual([pointer]);
  });

  it.each([{ source: "ganglions" }, { source: "my/ganglion/policy" }, { id: "ganglion-1" }])(
    "are not those that only look like them: %j",
    (more) => expect(hasReserved(aSignal(more), false)).toBe(false),
  );
});
