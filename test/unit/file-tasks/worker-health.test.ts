import { expect, test } from "vitest";
import { fileWorkerHealth } from "../../../src/core/file-tasks/worker-health.ts";
import type { AgentView } from "../../../src/core/hosts/api.ts";

const NOW = Date.UTC(2026, 0, 1, 12);
const agent = (host: string, state: AgentView["state"], workers: unknown, agoMs = 1_000): AgentView => ({
  host,
  state,
  since: new Date(NOW - 3_600_000).toISOString(),
  reason: "linked",
  last_seen: new Date(NOW - agoMs).toISOString(),
  links: 1,
  version: null,
  runs: { workers },
  alerts: [],
  failing: {},
  facts: null,
});
const counts = (host: string) => ({
  worker: "review",
  host,
  complete: 7,
  failed: 1,
  timed_out: 0,
  last_at: new Date(NOW).toISOString(),
  running: 0,
  overdue: 0,
});
const runs = (state: string) => [{ worker: "review", state, running: [] }];

test("the health of a worker on a host follows from the host's last report and its age", () => {
  const health = fileWorkerHealth(
    "review",
    [counts("idle"), counts("gone"), counts("moved")],
    [
      agent("idle", "up", runs("working")),
      agent("broken", "up", runs("open")),
      agent("down", "down", runs("idle")),
      agent("late", "up", runs("idle"), 91_000),
      agent("moved", "up", [{ worker: "other", state: "idle" }]),
      agent("without", "up", []),
    ],
    NOW,
  );
  expect(health.map((one) => `${one.host} ${one.health} ${one.heartbeat_age_ms} ${one.complete}`)).toEqual([
    "broken open 1000 0",
    "down stale 1000 0",
    "gone stale null 7",
    "idle healthy 1000 7",
    "late stale 91000 0",
    "moved absent 1000 7",
  ]);
});
