import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import { countTests, type VitestReport } from "./test/count-tests.ts";

/**
 * `npm test`: everything that CI checks. Each check runs whatever became of the one before, because who mends a branch
 * wants the whole list; the last line says how many tests passed and failed.
 */

interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const CHECKS: readonly Check[] = [
  {
    name: "format and lint",
    command: ["biome", "ci", "--error-on-warnings", `--colors=${process.stdout.isTTY ? "force" : "off"}`],
  },
  { name: "types of the Worker", command: ["tsc", "-p", "tsconfig.edge.json"] },
  { name: "types of agent, edge and command", command: ["tsc", "-p", "tsconfig.host.json"] },
  { name: "nothing unused", command: ["knip"] },
  { name: "wrangler deploy --dry-run", command: ["wrangler", "deploy", "--dry-run"] },
];

// Ctrl-C ends the check that runs, and with it this process.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const failed: string[] = [];
for (const check of CHECKS) {
  const startedAt = performance.now();
  const { ok, output } = await run(check.command, "quiet");
  console.log(`${ok ? "ok  " : "FAIL"}  ${check.name} (${seconds(startedAt)})`);
  if (ok) continue;
  failed.push(check.name);
  console.log(output.trimEnd());
}

const { passed, failed: failedTests, skipped } = await runTests();
console.log("");
if (failed.length > 0) console.log(`Failed: ${failed.join(", ")}`);
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failedTests} failed`);
process.exit(failed.length === 0 ? 0 : 1);

async function runTests() {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-test-"));
  const reportFile = join(directory, "report.json");
  console.log("      tests");
  try {
    const { ok } = await run(
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

function run(
  [command = "", ...args]: readonly string[],
  output: "quiet" | "shown",
): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(PROJECT_ROOT, "node_modules", ".bin", command), args, {
      cwd: PROJECT_ROOT,
      stdio: output === "shown" ? "inherit" : ["ignore", "pipe", "pipe"],
      env: testEnvironment(),
    });
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ ok: code === 0, output: text }));
    process.once("exit", () => child.kill());
  });
}

/** What tests run in: settings of the one who starts them, such as the address of a real edge, stay outside. */
function testEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(GANGLION_|KLR_CHEM_|INIT_CWD$)/.test(name));
  return { ...Object.fromEntries(own), WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
}

function seconds(startedAt: number): string {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}
