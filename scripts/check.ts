import { runStep, type Step } from "./test/step.ts";

/**
 * `npm run check`: lint, types and unit tests, for every save. It says how long each part took; `npm test` runs
 * everything else too: unused code, the Worker's bundle, tests in workerd and with real processes.
 */
const STEPS: readonly Step[] = [
  { name: "format and lint", command: ["biome", "ci", "--error-on-warnings"] },
  { name: "types of the Worker", command: ["tsc", "-p", "tsconfig.edge.json"] },
  { name: "types of agent, edge and command", command: ["tsc", "-p", "tsconfig.host.json"] },
  { name: "unit tests", command: ["vitest", "run", "--project", "unit", "--reporter=dot"] },
];

// Ctrl-C ends the step that runs, and with it this process.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const startedAt = performance.now();
const failed: string[] = [];
for (const step of STEPS) if (!(await runStep(step))) failed.push(step.name);

const took = `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
console.log(failed.length === 0 ? `all passed (${took})` : `Failed: ${failed.join(", ")} (${took})`);
process.exit(failed.length === 0 ? 0 : 1);
