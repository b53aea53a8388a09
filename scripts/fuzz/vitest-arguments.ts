/** What Vitest runs for `npm run fuzz`; see scripts/soak/vitest-arguments.ts. */
export const VITEST_ARGUMENTS = [
  "--project",
  "integration",
  "--disableConsoleIntercept",
  "test/faults/fuzz/fuzz.test.ts",
];
