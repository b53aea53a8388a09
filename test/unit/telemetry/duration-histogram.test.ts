import { type OpenMetricsContentType, Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { durationHistogram } from "../../../local-agent/feature/duration-histogram.ts";

describe("a histogram of times of the agent", () => {
  it("counts in seconds, and nothing below 0 where the clock was set back", async () => {
    const metrics = new Registry<OpenMetricsContentType>();
    metrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const took = durationHistogram({ metrics }, "ganglion_test_seconds", "How long it took", ["reaction"]);
    took({ reaction: "look" }, 1_500);
    took({ reaction: "look" }, -10);
    const text = await metrics.metrics();
    expect(text).toContain('ganglion_test_seconds_bucket{le="1",reaction="look"} 1');
    expect(text).toContain('ganglion_test_seconds_bucket{le="5",reaction="look"} 2');
    expect(text).toContain('ganglion_test_seconds_sum{reaction="look"} 1.5');
  });
});
