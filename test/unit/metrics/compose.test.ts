import { describe, expect, it } from "vitest";
import { NO_USAGE } from "../../../src/core/billing/usage.ts";
import { ReportedState, restOf, withFolded } from "../../../src/core/metrics/compose.ts";
import { exposition } from "../../../src/core/metrics/exposition.ts";
import type { Sample, StateReport } from "../../../src/core/metrics/report.ts";
import { SampleSet } from "../../../src/core/metrics/sample-set.ts";
import { metricsTargets } from "../../../src/core/metrics/targets.ts";
import { BucketCounts, DURATION_SECONDS } from "../../../src/core/numbers/bucket-counts.ts";
import fc from "../../fast-check.ts";

const NOW = Date.UTC(2026, 10, 30, 12);
const body = (report: Partial<StateReport>) =>
  JSON.stringify({ object: "PriorityQueue", usage: NO_USAGE, database_bytes: 10, samples: [], folded: 0, ...report });

function shown(reports: readonly { label?: string; atMs?: number; body: string }[], set = new SampleSet()) {
  const state = new ReportedState(set, NOW);
  for (const one of reports) state.add({ label: "", atMs: NOW, ...one });
  state.endEcosystem();
  return [...exposition(set, "text")].join("").split("\n");
}

const finished = (count: number): Sample => ["ganglion_tasks_finished", ["", "complete"], count];

describe("the metrics of an ecosystem", () => {
  it("have the queue of each sample, and how old its state is", () => {
    const lines = shown([{ label: "work", atMs: NOW - 90_000, body: body({ samples: [finished(3)] }) }]);
    expect(lines).toContain('ganglion_tasks_finished_total{queue="work",outcome="complete"} 3');
    expect(lines).toContain('ganglion_state_age_seconds{object="PriorityQueue",queue="work"} 90');
  });

  it("say the age of the oldest task as it is now, also where the queue has slept since it reported", () => {
    const samples: Sample[] = [["ganglion_task_oldest_seconds", [], NOW - 600_000]];
    const lines = shown([{ label: "work", atMs: NOW - 500_000, body: body({ samples }) }]);
    expect(lines).toContain('ganglion_task_oldest_seconds{queue="work"} 600');
  });

  it("count nothing as spent today or in this month that was spent before", () => {
    const samples: Sample[] = [
      ["ganglion_model_spent_dollars", [], 3],
      ["ganglion_budget_spent_dollars", [], 4],
    ];
    const yesterday = shown([{ atMs: NOW - 86_400_000, body: body({ samples }) }]);
    expect(yesterday).toContain("ganglion_model_spent_dollars 0");
    expect(yesterday).toContain("ganglion_budget_spent_dollars 4");
    const lastMonth = shown([{ atMs: NOW - 31 * 86_400_000, body: body({ samples }) }]);
    expect(lastMonth).toContain("ganglion_budget_spent_dollars 0");
  });

  it("say how far a projection is behind the last signal that concerns it, and not behind all signals", () => {
    const log = body({ object: "SignalLog", sent: { policy: 90, workers: 0 } });
    const lines = shown([
      { body: log },
      { body: body({ object: "PolicyState", cursor: ["policy", 70] }) },
      { body: body({ object: "WorkerBoard", cursor: ["workers", 40] }) },
    ]);
    expect(lines).toContain('ganglion_projection_lag_signals{projection="policy"} 20');
    expect(lines).toContain('ganglion_projection_lag_signals{projection="workers"} 0');
  });

  it("count billed units and their list price from what each object stored", () => {
    const lines = shown([{ body: body({ usage: { ...NO_USAGE, rows_written: 2_000_000 } }) }]);
    expect(lines).toContain('ganglion_billed_units_total{object="PriorityQueue",unit="rows_written"} 2000000');
    expect(lines).toContain('ganglion_list_price_dollars_total{unit="rows_written"} 2');
  });

  it("leave out a report that cannot be read", () => {
    const samples = shown([{ body: "{" }, { body: "{}" }]).filter((line) => !line.startsWith("#"));
    expect(samples).toEqual([""]);
  });

  it("have fifty values of a label, and the rest under `other`", () => {
    const set = new SampleSet();
    for (let n = 0; n < 60; n++) set.add("ganglion_tasks", { queue: `q${n}`, state: "ready" }, 1);
    const lines = [...exposition(set, "text")].join("").split("\n");
    expect(lines.filter((line) => line.startsWith("ganglion_tasks{"))).toHaveLength(51);
    expect(lines).toContain('ganglion_tasks{queue="other",state="ready"} 10');
  });
});

describe("the counters of queues that were deleted", () => {
  const waited = new BucketCounts(DURATION_SECONDS);
  waited.add(2);
  const gone = body({
    usage: { ...NO_USAGE, rows_read: 5 },
    samples: [finished(3), ["ganglion_tasks", ["", "ready"], 4], ["ganglion_task_wait_seconds", [], waited.toJSON()]],
    folded: 1,
  });

  it("stay in the sums, and nothing else of them does", () => {
    const rest = restOf(restOf(undefined, gone), gone);
    const lines = shown([{ label: "other", body: rest }]).filter((line) => !line.startsWith("#"));
    expect(lines).toContain('ganglion_tasks_finished_total{queue="other",outcome="complete"} 6');
    expect(lines).toContain('ganglion_task_wait_seconds_sum{queue="other"} 4');
    expect(lines).toContain('ganglion_billed_units_total{object="PriorityQueue",unit="rows_read"} 10');
    expect(lines).toContain("ganglion_series_dropped_total 2");
    expect(lines.join("\n")).not.toMatch(/ganglion_tasks\{|state_age|database/);
  });

  it("are the rest also where a report cannot be read, and beside queues that found no label", () => {
    const rest = withFolded(restOf(restOf(undefined, "{"), gone));
    expect(shown([{ label: "other", body: rest }])).toContain("ganglion_series_dropped_total 2");
  });

  it("never make a sum smaller, in any order of reports and deletions", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 20 }), (counts) => {
        const reports = counts.map((count) => body({ samples: [finished(count)] }));
        const rest = reports.reduce<string | undefined>((before, one) => restOf(before, one), undefined);
        const sum = counts.reduce((all, count) => all + count, 0);
        if (rest !== undefined)
          expect(shown([{ label: "other", body: rest }])).toContain(
            `ganglion_tasks_finished_total{queue="other",outcome="complete"} ${sum}`,
          );
      }),
    );
  });
});

describe("the targets of the service discovery", () => {
  it("are the ecosystems at the address by which they were asked for", () => {
    expect(metricsTargets(["default"], "https://edge.example/metrics/targets")).toEqual([
      {
        targets: ["edge.example"],
        labels: { __scheme__: "https", __metrics_path__: "/v1/default/metrics", ecosystem: "default" },
      },
    ]);
    expect(metricsTargets(["a"], "http://127.0.0.1:8787/metrics/targets")[0]).toMatchObject({
      targets: ["127.0.0.1:8787"],
      labels: { __scheme__: "http" },
    });
  });
});
