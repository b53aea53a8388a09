import { describe, expect, test } from "vitest";
import { attentionItems, findingsOf } from "../../../src/core/attention/items.ts";
import { type OverviewParts, overviewOf } from "../../../src/core/overview/compose.ts";
import type { QueueStatus } from "../../../src/core/queue/api.ts";
import { DEFAULT_SETTINGS } from "../../../src/core/queue/queue-settings.ts";
import { down, gap, host, process, quiet } from "../attention/state-under-test.ts";

const parts = (more: Partial<OverviewParts> = {}): OverviewParts => ({
  ecosystem: "e",
  atMs: quiet.nowMs,
  items: [],
  fleet: { hosts: [], total: 0 },
  queues: [],
  queuesInAll: 0,
  gaps: [],
  deadLetters: 0,
  log: { head_seq: 0, oldest_seq: null, signals_last_minute: 0, subscribers: 0, database_bytes: 0 },
  unread: [],
  ...more,
});

const queueStatusOf = (queue: string, more: Partial<QueueStatus>): QueueStatus => ({
  queue,
  depth: 0,
  running: 0,
  by_priority: {},
  by_recipient: {},
  oldest_age_ms: null,
  workers: {},
  alerts: [],
  paused: null,
  bulk: null,
  breakers: [],
  settings: DEFAULT_SETTINGS,
  database_bytes: 0,
  heap: [],
  ...more,
});

describe("an overview", () => {
  test("counts what the fleet does, and not what a host that is down did before", () => {
    const hosts = [
      host("b", {
        processes: [process("x"), process("y", { verdict: "waiting" }), process("z", { state: "gave_up" })],
      }),
      down("c", { processes: [process("x")] }),
    ];
    const { fleet } = overviewOf(parts({ fleet: { hosts, total: 2 } }));
    expect(fleet.hosts.map(({ host: name }) => name)).toEqual(["c", "b"]);
    expect(fleet.totals).toEqual({
      hosts: 2,
      up: 1,
      down: 1,
      processes: 3,
      by_verdict: { working: 1, waiting: 1, gave_up: 1 },
    });
  });

  test("says of queues which tasks wait to be judged by whom, and how many are parked", () => {
    const since = "2026-01-31T12:00:00.000Z";
    const group = { accept: { check: "tests" }, task_id: "a", tasks: 2, since, why: "waits for a host" };
    const checks = queueStatusOf("host-checks", { workers: { tests: 3 } });
    const work = queueStatusOf("work", { verifying: 2, unjudged: [group], parked: 4 });
    expect(overviewOf(parts({ queues: [work, checks] })).queues).toMatchObject([
      {
        queue: "work",
        verifying: 2,
        parked: 4,
        unjudged: [{ ...group, why: "waits for the check tests, which 3 connected hosts have" }],
      },
      { queue: "host-checks" },
    ]);
  });

  test("shows the worst gaps first", () => {
    const { gaps } = overviewOf(parts({ gaps: [gap("mild", 0.1), gap("hot", 0.9)] }));
    expect(gaps.items.map(({ name }) => name)).toEqual(["hot", "mild"]);
  });

  test("is bounded whatever the ecosystem holds, and counts what it leaves out", () => {
    const many = Array.from({ length: 1_000 }, (_, place) =>
      host(`h${place}`, {
        processes: Array.from({ length: 256 }, (_, number) => process(`p${number}`, { task: "t".repeat(1_000) })),
      }),
    );
    const quarantined = Array.from({ length: 500 }, (_, place) => `r${place}`);
    const overview = overviewOf(
      parts({
        fleet: { hosts: many, total: 3_000 },
        items: attentionItems(findingsOf({ ...quiet, quarantined }), quiet.ecosystem),
        gaps: Array.from({ length: 400 }, (_, place) => gap(`g${place}`, 0.5)),
        queuesInAll: 40,
      }),
    );
    expect([overview.attention.items.length, overview.attention.left_out]).toEqual([20, 480]);
    expect([overview.fleet.hosts.length, overview.fleet.left_out]).toEqual([200, 2_800]);
    expect(overview.fleet.processes_left_out).toBe(200 * 256 - 2_000);
    expect([overview.gaps.items.length, overview.gaps.left_out]).toEqual([50, 350]);
    expect(overview.queues_left_out).toBe(40);
    expect(JSON.stringify(overview).length).toBeLessThan(4_000_000);
  });
});
