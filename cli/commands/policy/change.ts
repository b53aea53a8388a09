import { createInterface } from "node:readline/promises";
import { Command } from "commander";
import type { PolicyChanges } from "../../../src/core/policy/api.ts";
import { time, wholeNumber } from "../../arguments.ts";
import { Failure, UsageError } from "../../failure.ts";
import { print, remark } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";
import { compareRules, describeRuleDifferences, type RuleDifference, withWritten } from "./compare.ts";
import { bodyOf, readRuleFile, type WrittenRule } from "./rule-file.ts";
import { showDifferences, warmUpOption } from "./simulate.ts";

interface DiffOptions {
  readonly since?: string;
  readonly until?: string;
  readonly warmUp?: number;
  readonly limit: number;
}

export const diffCommand = () =>
  new Command("diff")
    .summary("compare a file of rules with the rules in force")
    .argument("<file>")
    .option(
      "--since <time>",
      "also show decisions that would have been different, since a time or an age such as 24h",
      time,
    )
    .option("--until <time>", "until a time, or an age (default: now)", time)
    .addOption(warmUpOption())
    .option("--limit <n>", "differences shown", wholeNumber(1), 50)
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (file: string, options: DiffOptions, command: Command) => {
      const client = clientFor(command);
      const written = await readRuleFile(file);
      const deployed = await client.policy.list();
      const differences = compareRules(written, deployed);
      const json = wantsJson(command);
      if (!json) await print(describeRuleDifferences(differences).join("\n"));
      const { since, until, warmUp, limit } = options;
      const simulated =
        since === undefined
          ? undefined
          : await showDifferences(client, deployed, withWritten(written, deployed), {
              since,
              until,
              warmUp,
              limit,
              json,
            });
      if (json) await print(JSON.stringify({ changes: differences, ...simulated }));
    });

export const applyCommand = () =>
  new Command("apply")
    .summary("put the rules of a file in force")
    .description(
      "Show how the file differs from the rules in force, ask for confirmation, and put the new and changed rules in " +
        "force. Rules that the file does not name stay as they are.",
    )
    .argument("<file>")
    .option("-y, --yes", "do not ask for confirmation")
    .addHelpText(
      "after",
      "\nAll rules or, if one is refused, none. With --json: one document with the ids of the changed rules.",
    )
    .action(async (file: string, { yes }: { yes?: true }, command: Command) => {
      const client = clientFor(command);
      const written = await readRuleFile(file);
      const differences = compareRules(written, await client.policy.list());
      const json = wantsJson(command);
      // With --json, standard output holds the result alone.
      const lines = describeRuleDifferences(differences).join("\n");
      if (json) remark(lines);
      else await print(lines);
      const toApply = differences.filter(({ change }) => change !== "same");
      if (toApply.length === 0) {
        if (json)
          await print(
            JSON.stringify({ created: [], changed: [], unchanged: differences.map(({ id }) => id), deleted: [] }),
          );
        return remark("nothing to apply");
      }
      if (yes !== true) await confirm(toApply.length);
      const changes = await client.policy.change(toApply.map((difference) => editOf(written, difference)));
      remarkWarnings(changes.warnings);
      if (json) return print(JSON.stringify(changes));
      for (const { id } of toApply) await print(`${id} is in force`);
    });

/** On standard error, so that the output stays what was asked for. */
export function remarkWarnings(warnings: PolicyChanges["warnings"] = []): void {
  for (const { policy, pointer, message } of warnings) remark(`warning: ${policy} ${pointer}: ${message}`);
}

/** Names the version that the difference was computed from: a later change by another caller is not overwritten unseen. */
function editOf(written: readonly WrittenRule[], { id, version }: RuleDifference) {
  const rule = written.find((one) => one.id === id);
  if (rule === undefined) throw new Error(`no rule ${id}`);
  return bodyOf(rule, version ?? 0);
}

async function confirm(count: number): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError("Not a terminal: add --yes to apply");
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`Put ${count} ${count === 1 ? "rule" : "rules"} in force? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Failure("not confirmed: nothing was changed");
  } finally {
    prompt.close();
  }
}
