/**
 * What Vitest runs for `npm run soak`. Vitest knows its options by their names in camel case: one in kebab case that
 * takes no value swallows the file that follows, and everything is run.
 */
export const VITEST_ARGUMENTS = [
  "--project",
  "integration",
  "--disableConsoleIntercept",
  "test/faults/soak/soak.test.ts",
];
