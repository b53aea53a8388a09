/** What Vitest runs for `npm run maxima`. */
export const VITEST_ARGUMENTS = [
  "--project",
  "integration",
  "--disableConsoleIntercept",
  "test/faults/maxima/maxima.test.ts",
];
