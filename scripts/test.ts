import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countTests, type VitestReport } from "./test/count-tests.ts";
import { runStep, runTool, type Step } from "./test/step.ts";

/**
 * `npm test`: everything that CI checks. Each check runs even where the one before failed, so that one run shows the
 * whole list of failures. The last line says how many tests passed and failed.
 */

const CHECKS: readonly Step[] = [
  {
    name: "format and lint",
    command: ["biome", "ci", "--error-on-warnings", `--colors=${process.stdout.isTTY ? "force" : "off"}`],
  },
  { name: "types of the Worker", command: ["tsc", "-p", "tsconfig.edge.json"] },
  { name: "types of agent, edge and command", command: ["tsc", "-p", "tsconfig.host.json"] },
  { name: "types of the dashboard", command: ["tsc", "-p", "tsconfig.dashboard.json"] },
  { name: "nothing unused", command: ["knip"] },
  { name: "wrangler deploy --dry-run", command: ["wrangler", "deploy", "--dry-run"] },
];

// Ctrl-C ends the check that runs, and with it this process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

const failed: string[] = [];
// Most checks keep one core busy: two of them at a time take half as long on the two cores of a small machine.
const left = [...CHECKS];
await Promise.all([runChecks(), runChecks()]);

const { passed, failed: failedTests, skipped } = await runTests();
console.log("");
if (failed.length > 0) console.log(`Failed: ${failed.join(", ")}`);
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failedTests} failed`);
process.exit(failed.length === 0 ? 0 : 1);

async function runChecks() {
  for (let check = left.shift(); check !== undefined; check = left.shift()) {
    if (!(await runStep(check))) failed.push(check.name);
  }
}

async function runTests() {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-test-"));
  const reportFile = join(directory, "report.json");
  console.log("      tests");
  try {
    const { ok } = await runTool(
      ["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`],
      "shown",
    );
    const counts = countTests(readReport(reportFile));
    // A run that found nothing to fail has shown nothing.
    if (!ok || counts.failed > 0 || counts.passed === 0) failed.push("tests");
    return counts;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readReport(file: string): VitestReport {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as VitestReport;
  } catch (error) {
    console.log(`vitest left no report: ${String(error)}`);
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
  }
}
