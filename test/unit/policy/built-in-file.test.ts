import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { admitRule } from "../../../src/core/policy/admit-rule.ts";
import { BUILT_IN_RULES } from "../../../src/core/policy/built-in-rules.ts";
import { RULE_PACKS } from "../../../src/core/policy/rule-packs.ts";

test.each(Object.keys(RULE_PACKS))(
  "the built-in rules of the pack %s equal its file, which is written as people write rules",
  (pack) => {
    const written = parse(readFileSync(join(PROJECT_ROOT, `policies/${pack}.yaml`), "utf8")) as unknown[];
    const admitted = written.map((rule) => admitRule(rule));
    expect(admitted.filter(({ ok }) => !ok)).toEqual([]);
    const rules = admitted.map((one) => (one.ok ? { ...one.rule, version: 1 } : one));
    expect(rules).toEqual(BUILT_IN_RULES.filter(({ id }) => RULE_PACKS[pack]?.includes(id)));
  },
);

test("each built-in rule is in one pack", () => {
  expect(Object.values(RULE_PACKS).flat().sort()).toEqual(BUILT_IN_RULES.map(({ id }) => id).sort());
});
