import { describe, expect, it } from "vitest";
import { metricsFormat } from "../../../src/core/metrics/format.ts";

const PROMETHEUS_3 =
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5," +
  "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

describe("the format of a scrape", () => {
  it.each([
    ["is the older one where nothing is asked for", undefined, "text"],
    ["is the older one for whoever takes anything", "*/*", "text"],
    ["is OpenMetrics for Prometheus 3", PROMETHEUS_3, "openmetrics"],
    ["is OpenMetrics where that is named alone", "application/openmetrics-text", "openmetrics"],
    ["is the older one where that is preferred", "application/openmetrics-text;q=0.4, text/plain;q=0.5", "text"],
    ["is the older one where both are equally welcome", "application/openmetrics-text, text/plain", "text"],
    ["is the older one where OpenMetrics is refused", "application/openmetrics-text;q=0, */*", "text"],
    ["is OpenMetrics where text is refused", "text/plain;q=0, */*;q=0.1", "openmetrics"],
    [
      "is the older one where another version of OpenMetrics is asked for",
      "application/openmetrics-text;version=2.0.0",
      "text",
    ],
    [
      "reads types in any case, with spaces and quotes",
      'Application/OpenMetrics-Text ; Version="1.0.0"',
      "openmetrics",
    ],
    ["is the older one where the quality is no number", "application/openmetrics-text;q=high", "text"],
    ["is the older one for a browser", "text/html,application/xhtml+xml,*/*;q=0.8", "text"],
    ["is the older one where text of any kind is preferred", "application/*;q=0.1, text/*", "text"],
  ])("%s", (_, accept, format) => {
    expect(metricsFormat(accept)).toBe(format);
  });
});
