/** Report of vitest's JSON reporter, as far as it is counted. */
export interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly unknown[];
  }[];
}

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * A file that failed before its first test, because it does not load, counts as one failure: vitest counts no test there.
 *
 * @param cutOff - files that do not count so, because their runtime ended
 */
export function countTests(report: VitestReport, cutOff: readonly string[] = []): TestCounts {
  const broken = report.testResults.filter(
    ({ name, status, assertionResults }) =>
      status === "failed" && assertionResults.length === 0 && !cutOff.includes(name),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}
