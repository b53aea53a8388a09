import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import { countTests, type TestCounts, type VitestReport } from "./test/count-tests.ts";
import type { RunEnd } from "./test/run-end-reporter.ts";
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

const NO_REPORT: VitestReport = {
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [],
};
/** A run that did not come to its end is not run again. */
const NO_END: RunEnd = { cutOff: [], errors: ["vitest did not come to its end"] };

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

/**
 * A runtime of the tests may end by itself, which is no word about the code: files that it cut off run once more, in a new
 * one, and that is said. Whatever else fails stays failed, and so does a file that is cut off twice.
 */
async function runTests(): Promise<TestCounts> {
  console.log("      tests");
  const first = await vitest([]);
  if (first.ok) return first.counts;
  if (first.counts.failed > 0 || first.end.errors.length > 0 || first.end.cutOff.length === 0) {
    failed.push("tests");
    return first.counts;
  }
  console.log(`      the runtime ended while these tests ran, which run once more: ${first.end.cutOff.join(", ")}`);
  const second = await vitest(first.end.cutOff);
  if (!second.ok) failed.push("tests");
  const { passed, skipped } = first.counts;
  return {
    passed: passed + second.counts.passed,
    failed: second.counts.failed,
    skipped: Math.max(0, skipped - second.counts.passed) + second.counts.skipped,
  };
}

async function vitest(files: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-test-"));
  const reportFile = join(directory, "report.json");
  const endFile = join(directory, "end.json");
  try {
    const reporters = ["default", "json", join(PROJECT_ROOT, "scripts/test/run-end-reporter.ts")];
    const { ok } = await runTool(
      ["vitest", "run", ...files, ...reporters.map((name) => `--reporter=${name}`), `--outputFile.json=${reportFile}`],
      "shown",
      { GANGLION_RUN_END: endFile },
    );
    const end = readJson<RunEnd>(endFile, NO_END);
    const counts = countTests(readJson<VitestReport>(reportFile, NO_REPORT), end.cutOff);
    // A run that found nothing to fail has shown nothing.
    return { ok: ok && counts.failed === 0 && counts.passed > 0, counts, end };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readJson<Document>(file: string, otherwise: Document): Document {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Document;
  } catch (error) {
    console.log(`vitest left no report: ${String(error)}`);
    return otherwise;
  }
}
