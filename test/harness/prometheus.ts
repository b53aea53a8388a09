import { spawnSync } from "node:child_process";

const runs = (command: string, args: readonly string[]) => spawnSync(command, args).status === 0;

/** Without Debian's `prometheus` and `python3-prometheus-client` tests that need them are skipped, and say so. `.ci/run` installs both. */
export const hasPrometheus =
  runs("promtool", ["--version"]) && runs("/usr/bin/python3", ["-c", "import prometheus_client"]);

/** Runs promtool. @returns what it says where it refuses something; "" where it does not */
export function promtool(args: readonly string[], input = ""): string {
  const { status, stdout, stderr } = spawnSync("promtool", args, { input, encoding: "utf8" });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

const STRICT = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
print(*[family.name for family in text_string_to_metric_families(sys.stdin.read())])
`;

/** Reads OpenMetrics by the strict parser of Prometheus' own Python client. @returns the names of the families */
export function openMetricsFamilies(text: string): string[] {
  const { status, stdout, stderr } = spawnSync("/usr/bin/python3", ["-c", STRICT], { input: text, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim().split(" ");
}
