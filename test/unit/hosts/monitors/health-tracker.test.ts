import { describe, expect, it } from "vitest";
import {
  type HealthChange,
  type HealthState,
  updateHealth,
} from "../../../../src/core/hosts/monitors/health-tracker.ts";
import { DEFAULT_MONITOR_SETTINGS } from "../../../../src/core/hosts/monitors/monitor-settings.ts";
import fc from "../../../fast-check.ts";

const limits = DEFAULT_MONITOR_SETTINGS.health;

function watcher(inRow = 2) {
  let state: Record<string, HealthState> = {};
  let nowMs = 0;
  return {
    look: (value: number | null, more: { limits?: typeof limits } = {}): HealthChange[] => {
      nowMs += 60_000;
      const readings = value === null ? [] : [{ kind: "disk", instance: "/", value }];
      const { after, changes } = updateHealth(state, readings, more.limits ?? limits, inRow, nowMs);
      // As stored and read back between any two looks.
      state = JSON.parse(JSON.stringify(after));
      return changes;
    },
    get remembered() {
      return Object.keys(state);
    },
  };
}
const twice = (look: () => unknown) => [look(), look()];
const states = (changes: readonly HealthChange[]) => changes.map(({ state }) => state);

describe("health alert of a host", () => {
  it("begins after two readings in a row above the limit, and ends after two below", () => {
    const { look } = watcher();
    expect(look(95)).toEqual([]);
    expect(look(96)).toEqual([
      { kind: "disk", subject: "disk:/", state: "raised", value: 96, limit: 90, sinceMs: 120_000 },
    ]);
    expect(look(99)).toEqual([]);
    expect(look(84)).toEqual([]);
    expect(look(83)).toMatchObject([{ state: "resolved", value: 83, limit: 85, sinceMs: 120_000 }]);
  });

  it("ignores a single reading beyond a limit", () => {
    const { look } = watcher();
    expect([95, 50, 95, 50].flatMap((value) => look(value))).toEqual([]);
    twice(() => look(95));
    expect([50, 88, 50, 88].flatMap((value) => look(value))).toEqual([]);
  });

  it("ends when its subject is no longer measured, but not after one round without it", () => {
    const gone = watcher();
    twice(() => gone.look(95));
    expect([null, null].flatMap((value) => gone.look(value))).toMatchObject([{ state: "resolved", value: null }]);
    expect(gone.remembered).toEqual([]);
  });

  it("ends at once when its limit is removed", () => {
    const { look } = watcher();
    twice(() => look(95));
    expect(look(95, { limits: { ...limits, disk: null } })).toMatchObject([{ state: "resolved" }]);
  });

  it("begins and ends in turn over any history, only after enough readings and never within the band", () => {
    const value = fc.constantFrom(null, 0, 84.9, 85, 85.1, 88, 90, 90.1, 100);
    const holds = fc.property(fc.array(value, { maxLength: 80 }), fc.constantFrom(1, 2, 3), (values, inRow) => {
      const watch = watcher(inRow);
      let raised = false;
      values.forEach((reading, place) => {
        const told = states(watch.look(reading));
        const recent = values.slice(place - inRow + 1, place + 1);
        const beyond = recent.length === inRow && recent.every((one) => one !== null && one > 90);
        const well = recent.length === inRow && recent.every((one) => one === null || one < 85);
        const before: boolean = raised;
        if (!before && beyond) raised = true;
        else if (before && well) raised = false;
        expect(told).toEqual(raised === before ? [] : [raised ? "raised" : "resolved"]);
      });
    });
    fc.assert(holds, { numRuns: 1_000 });
  });
});
