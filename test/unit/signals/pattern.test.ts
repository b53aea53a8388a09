import { expect, test } from "vitest";
import { compilePatterns, globMatches } from "../../../src/core/signals/pattern.ts";
import fc from "../../fast-check.ts";

test.each([
  [["Q_*"], "Q_A_B", true],
  [["Q_*"], "OBSERVATION", false],
  [["*", "!OBSERVATION"], "OBSERVATION", false],
  [["*", "!OBSERVATION"], "CAPABILITY_GAP", true],
  [["!Q_*"], "Q_A", false],
  [["!Q_*"], "OBSERVATION", true],
  [[], "ANYTHING", true],
  [["Q_*_FAILED", "OBSERVATION"], "Q_DEPLOYMENT_FAILED", true],
] as const)("%j over %s is %s", (patterns, name, matches) => {
  const wants = compilePatterns(patterns);
  expect(wants(name)).toBe(matches);
  expect(wants(name)).toBe(matches);
});

test("a glob matches what the same regular expression matches", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 10 });
  fc.assert(
    fc.property(text, fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 }), (pattern, name) => {
      expect(globMatches(pattern, name)).toBe(new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(name));
    }),
  );
});
