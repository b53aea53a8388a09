import { describe, expect, it } from "vitest";
import type { FleetProcess } from "../../../src/core/hosts/fleet.ts";
import { countRestarts, type RestartCount } from "../../../src/core/hosts/restart-count.ts";

const process = (name: string, restarts: number): FleetProcess => ({
  name,
  state: "up",
  verdict: "working",
  task: null,
  waiting_for: null,
  since: null,
  restarts,
  detail: null,
});

describe("restarts of supervised processes", () => {
  it("are counted on where the host counts anew, and never fall", () => {
    let count: RestartCount | undefined;
    const seen = [2, 2, 3, 0, 1, 1, 4].map((restarts) => {
      count = countRestarts(count, [process("a", restarts)]);
      return count?.counted;
    });
    expect(seen).toEqual([2, 2, 3, 3, 4, 4, 7]);
  });

  it("of a process that is gone for a while are not counted twice", () => {
    const before = countRestarts(undefined, [process("a", 3), process("b", 1)]);
    const without = countRestarts(before, [process("b", 1)]);
    expect(without).toBe(before);
    expect(countRestarts(without, [process("a", 4)])?.counted).toBe(5);
  });

  it("are no count where nothing was restarted", () => {
    expect(countRestarts(undefined, [process("a", 0)])).toBe(undefined);
  });

  it("are bounded, whatever a host makes up", () => {
    const many = Array.from({ length: 1_000 }, (_, n) => process(`p${n}`, 1));
    expect(countRestarts(undefined, many)?.counted).toBe(256);
  });
});
