import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { admitRule } from "../../../src/core/policy/admit-rule.ts";
import { BUILT_IN_RULES } from "../../../src/core/policy/built-in-rules.ts";

test("the built-in rules equal policies/built-in.yaml, which is written as people write rules", () => {
  const written = parse(readFileSync(join(PROJECT_ROOT, "policies/built-in.yaml"), "utf8")) as unknown[];
  const admitted = written.map((rule) => admitRule(rule));
  expect(admitted.filter(({ ok }) => !ok)).toEqual([]);
  const rules = admitted.map((one) => (one.ok ? { ...one.rule, version: 1 } : one));
  expect(rules).toEqual(BUILT_IN_RULES);
});
