import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { BUILT_IN_RULES } from "../../../src/core/policy/built-in-rules.ts";
import type { Rule } from "../../../src/core/policy/rule.ts";
import { type CaseResult, historyOf, readTestFile, runCase } from "../../../src/core/policy/rule-test.ts";
import { Failure } from "../../failure.ts";
import { cellText, print, remark } from "../../output.ts";
import type { GlobalOptions } from "../../settings.ts";
import { describeErrors, readDocument } from "./document.ts";
import { asRule, readRuleFile, type WrittenRule } from "./rule-file.ts";

interface TestedCase extends CaseResult {
  readonly file: string;
  /** `file:line:column` */
  readonly at: string;
}

export const testCommand = () =>
  new Command("test")
    .summary("run test cases of rules")
    .description(
      "Run files of test cases: given these signals at these times, the rules must have these effects. Needs no edge.",
    )
    .argument("<file...>")
    .addHelpText("after", "\nWith --json: one case a line. Exit code 1 if a case fails.")
    .action(async (files: string[], _options: object, command: Command) => {
      const results: TestedCase[] = [];
      // One after the other: the first file with an error ends the command, whichever is read faster.
      for (const file of files) results.push(...(await testFile(file)));
      const failed = results.filter(({ ok }) => !ok).length;
      if (command.optsWithGlobals<GlobalOptions>().json === true) {
        for (const { file, at, name, ok, lines } of results) await print(JSON.stringify({ file, at, name, ok, lines }));
      } else {
        for (const result of results) await print(describeResult(result));
        remark(`${results.length - failed} of ${results.length} ${results.length === 1 ? "case" : "cases"} passed`);
      }
      if (failed > 0) process.exitCode = 1;
    });

async function testFile(file: string): Promise<TestedCase[]> {
  const document = await readDocument(file);
  const read = readTestFile(document.value);
  if (!read.ok) throw new Failure(describeErrors(document, read.errors));
  const rules = await rulesOf(file, read.file.rules);
  return read.file.cases.map((testCase, index) => {
    const history = historyOf(testCase);
    const errorsFound = history.flatMap((item) => ("pointer" in item ? [item] : []));
    if (errorsFound.length > 0) {
      const errors = errorsFound.map(({ pointer, message }) => ({ pointer: `/cases/${index}${pointer}`, message }));
      throw new Failure(describeErrors(document, errors));
    }
    const signals = history.flatMap((item) => ("pointer" in item ? [] : [item]));
    return { ...runCase(rules, testCase, signals), file, at: document.place(`/cases/${index}/name`) };
  });
}

/** Names the rules that every ecosystem starts with. */
const BUILT_IN = "built-in";

async function rulesOf(file: string, named: readonly string[]): Promise<Rule[]> {
  const rules = new Map<string, Rule>();
  // As in an ecosystem, a rule of the same id replaces a built-in rule.
  if (named.includes(BUILT_IN)) for (const rule of BUILT_IN_RULES) rules.set(rule.id, rule);
  const written = named.filter((name) => name !== BUILT_IN);
  const own: WrittenRule[] = [];
  for (const name of written) own.push(...(await readRuleFile(resolve(dirname(file), name))));
  for (const [index, rule] of own.entries()) {
    if (own.findIndex(({ id }) => id === rule.id) < index) {
      throw new Failure(`${file}: two of its rule files hold the rule "${rule.id}"`);
    }
    rules.set(rule.id, asRule(rule));
  }
  return [...rules.values()];
}

const SIGNS = { same: " ", missing: "-", unexpected: "+" } as const;

function describeResult({ ok, name, at, lines }: TestedCase): string {
  if (ok) return `ok    ${cellText(name)}`;
  const shown = lines.map(({ kind, text }) => `        ${SIGNS[kind]} ${cellText(text)}`);
  return [`FAIL  ${cellText(name)}  (${at})`, "        - expected, + actual", ...shown].join("\n");
}
