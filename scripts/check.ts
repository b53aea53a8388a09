import { runStep, type Step } from "./test/step.ts";

/**
 * `npm run check`: lint, types and unit tests, for every save, side by side. Each step prints its line, and its output
 * where it failed, when it ends. `npm test` runs everything else too: unused code, the Worker's bundle, tests in workerd
 * and with real processes.
 */
const STEPS: readonly Step[] = [
  {
    name: "unit tests",
    command: ["vitest", "run", "--project", "unit", "--maxWorkers=100%", "--reporter=dot"],
    // A tenth of the random cases that tests try; `npm test` tries all.
    env: { GANGLION_RUNS: "0.1" },
  },
  { name: "types of agent, edge and command", command: typesOf("host") },
  { name: "types of the Worker", command: typesOf("edge") },
  { name: "types of the dashboard", command: typesOf("dashboard") },
  { name: "format and lint", command: ["biome", "ci", "--error-on-warnings"] },
];

// Ctrl-C ends this process, and with it every step.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

const startedAt = performance.now();
const results = await Promise.all(STEPS.map(async (step) => ({ step, ok: await runStep(step) })));
const failed = results.filter(({ ok }) => !ok).map(({ step }) => step.name);

const took = `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
console.log(failed.length === 0 ? `all passed (${took})` : `Failed: ${failed.join(", ")} (${took})`);
process.exit(failed.length === 0 ? 0 : 1);

/** The compiler checks what has changed since the last run, and what depends on it; `npm test` checks everything. */
function typesOf(part: "edge" | "host" | "dashboard"): string[] {
  const known = `node_modules/.cache/tsc/${part}.tsbuildinfo`;
  return ["tsc", "-p", `tsconfig.${part}.json`, "--incremental", "--tsBuildInfoFile", known];
}
