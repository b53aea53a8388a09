import { describe, expect, it } from "vitest";
import { exposition } from "../../../src/core/metrics/exposition.ts";
import { FAMILIES } from "../../../src/core/metrics/families.ts";
import { SampleSet } from "../../../src/core/metrics/sample-set.ts";
import { BucketCounts, DURATION_SECONDS } from "../../../src/core/numbers/bucket-counts.ts";

const textOf = (set: SampleSet, format: "text" | "openmetrics") => [...exposition(set, format)].join("");

describe("the text of a scrape", () => {
  it("names a counter with _total everywhere in the older format, and only its samples in OpenMetrics", () => {
    const set = new SampleSet();
    set.add("ganglion_signals", {}, 7);
    expect(textOf(set, "text")).toContain(
      "# HELP ganglion_signals_total Signals that the log has taken in since it began\n" +
        "# TYPE ganglion_signals_total counter\nganglion_signals_total 7\n",
    );
    expect(textOf(set, "openmetrics")).toContain(
      "# HELP ganglion_signals Signals that the log has taken in since it began\n" +
        "# TYPE ganglion_signals counter\nganglion_signals_total 7\n",
    );
  });

  it("says the unit in OpenMetrics alone, after the type", () => {
    const set = new SampleSet();
    set.add("ganglion_log_limit_bytes", {}, 1);
    expect(textOf(set, "openmetrics")).toContain("gauge\n# UNIT ganglion_log_limit_bytes bytes\n");
    expect(textOf(set, "text")).not.toContain("UNIT");
  });

  it("shows the version as an info, which the older format does not know", () => {
    const set = new SampleSet();
    set.add("ganglion_build", { version: "1" }, 1);
    expect(textOf(set, "text")).toContain('# TYPE ganglion_build_info gauge\nganglion_build_info{version="1"} 1\n');
    expect(textOf(set, "openmetrics")).toContain('# TYPE ganglion_build info\nganglion_build_info{version="1"} 1\n');
  });

  it("escapes back-slashes, quotes and line ends in values of labels", () => {
    const set = new SampleSet();
    set.add("ganglion_decisions", { rule: 'a\\b"c\nd', outcome: "fired" }, 1);
    for (const format of ["text", "openmetrics"] as const)
      expect(textOf(set, format)).toContain('{rule="a\\\\b\\"c\\nd",outcome="fired"} 1\n');
  });

  it("adds up the buckets of a histogram, each with those below it, and ends them with +Inf", () => {
    const set = new SampleSet();
    const counts = new BucketCounts(DURATION_SECONDS);
    for (const seconds of [0.001, 0.01, 0.02, 1, 100_000]) counts.add(seconds);
    set.add("ganglion_task_wait_seconds", { queue: "q" }, counts.toJSON());
    const lines = textOf(set, "openmetrics").split("\n");
    const shown = lines.filter((line) => line.startsWith("ganglion_task"));
    expect(shown.slice(0, 2)).toEqual([
      'ganglion_task_wait_seconds_bucket{queue="q",le="0.01"} 2',
      'ganglion_task_wait_seconds_bucket{queue="q",le="0.05"} 3',
    ]);
    expect(shown.slice(-4)).toEqual([
      'ganglion_task_wait_seconds_bucket{queue="q",le="21600.0"} 4',
      'ganglion_task_wait_seconds_bucket{queue="q",le="+Inf"} 5',
      'ganglion_task_wait_seconds_sum{queue="q"} 100001.031',
      'ganglion_task_wait_seconds_count{queue="q"} 5',
    ]);
  });

  it("says of every family what it is, also without a sample, and leaves out what a later version reports", () => {
    const set = new SampleSet();
    set.add("ganglion_of_tomorrow", {}, 1);
    set.add("ganglion_task_wait_seconds", {}, 1);
    const lines = textOf(set, "openmetrics").split("\n");
    expect(lines.filter((line) => line.startsWith("# TYPE "))).toHaveLength(FAMILIES.length);
    expect(lines.filter((line) => line.startsWith("# HELP "))).toHaveLength(FAMILIES.length);
    expect(lines.filter((line) => !line.startsWith("#"))).toEqual([""]);
    expect(lines.at(-2)).toBe("# EOF");
  });
});
