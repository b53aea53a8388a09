import { describe, expect, test } from "vitest";
import type { AgentView } from "../../../src/core/hosts/api.ts";
import { fleetHost } from "../../../src/core/hosts/fleet-host.ts";

const AT = "2026-01-01T00:00:00.000Z";
const view = (runs: AgentView["runs"]): AgentView => ({
  host: "h",
  state: "up",
  since: AT,
  reason: "linked",
  last_seen: AT,
  links: 1,
  version: null,
  runs,
  alerts: [],
  failing: {},
  facts: null,
});
const processes = (agents: unknown) => fleetHost(view({ agents })).processes;

describe("a host of the fleet", () => {
  test("has its supervised processes, with what each waits for", () => {
    const agents = [
      {
        name: "coder",
        state: "up",
        verdict: "waiting",
        task: "an approval",
        started_at: "2026-01-01T00:00:00Z",
        restarts: 2,
      },
      { name: "tester", state: "up", verdict: "waiting" },
      { name: "writer", state: "gave_up", verdict: "dead", detail: "the process hung (blocked)" },
    ];
    expect(processes(agents)).toMatchObject([
      { name: "coder", waiting_for: "an approval", since: AT, restarts: 2 },
      { name: "tester", waiting_for: "another system", since: null, restarts: 0 },
      { name: "writer", waiting_for: null, verdict: "dead", detail: "the process hung (blocked)" },
    ]);
  });

  test.each([[undefined], [null], [7], [[7, null, {}, { name: 1, state: "up" }]], [{ name: "a" }]])(
    "has none where it says %j",
    (agents) => expect(processes(agents)).toEqual([]),
  );

  test("has 256 processes at most, with a bounded text each", () => {
    const agents = Array.from({ length: 1_000 }, () => ({
      name: "a",
      state: "up",
      verdict: "idle",
      task: "x".repeat(9_999),
    }));
    expect(processes(agents)).toHaveLength(256);
    expect(processes(agents)[0]?.task).toHaveLength(1_000);
  });
});
