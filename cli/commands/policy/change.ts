import { createInterface } from "node:readline/promises";
import { Command } from "commander";
import { time, wholeNumber } from "../../arguments.ts";
import { Failure, UsageError } from "../../failure.ts";
import { print, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { compareRules, describeChanges, type RuleChange, withWritten } from "./compare.ts";
import { bodyOf, readRuleFile, type WrittenRule } from "./rule-file.ts";
import { showDifferences, warmUpOption } from "./simulate.ts";

const wantsJson = (command: Command) => command.optsWithGlobals<GlobalOptions>().json === true;

interface DiffOptions {
  readonly since?: string;
  readonly until?: string;
  readonly warmUp?: number;
  readonly limit: number;
}

export const diffCommand = () =>
  new Command("diff")
    .summary("how a file of rules differs from those in force")
    .argument("<file>")
    .option("--since <time>", "and what would have been decided otherwise, since a time or an age such as 24h", time)
    .option("--until <time>", "until a time, or an age (default: now)", time)
    .addOption(warmUpOption())
    .option("--limit <n>", "differences shown", wholeNumber(1), 50)
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (file: string, options: DiffOptions, command: Command) => {
      const client = clientFor(command);
      const written = readRuleFile(file);
      const deployed = await client.policy.list();
      const changes = compareRules(written, deployed);
      const json = wantsJson(command);
      if (!json) await print(describeChanges(changes).join("\n"));
      const { since, until, warmUp, limit } = options;
      const tried =
        since === undefined
          ? undefined
          : await showDifferences(client, deployed, withWritten(written, deployed), {
              since,
              until,
              warmUp,
              limit,
              json,
            });
      if (json) await print(JSON.stringify({ changes, ...tried }));
    });

export const applyCommand = () =>
  new Command("apply")
    .summary("put the rules of a file in force")
    .description(
      "Show how the file differs from the rules in force, ask, and put in force what is new or changed. Rules that the " +
        "file does not name stay as they are.",
    )
    .argument("<file>")
    .option("-y, --yes", "do not ask")
    .addHelpText(
      "after",
      "\nAll of them or, where one is refused, none. With --json: one document, the ids of what changed.",
    )
    .action(async (file: string, { yes }: { yes?: true }, command: Command) => {
      const client = clientFor(command);
      const written = readRuleFile(file);
      const changes = compareRules(written, await client.policy.list());
      const json = wantsJson(command);
      // For programs standard output holds the result alone.
      const lines = describeChanges(changes).join("\n");
      if (json) remark(lines);
      else await print(lines);
      const wanted = changes.filter(({ change }) => change !== "same");
      if (wanted.length === 0) {
        if (json)
          await print(
            JSON.stringify({ created: [], changed: [], unchanged: changes.map(({ id }) => id), deleted: [] }),
          );
        return remark("nothing to do");
      }
      if (yes !== true) await confirm(wanted.length);
      const done = await client.policy.change(wanted.map((change) => shown(written, change)));
      if (json) return print(JSON.stringify(done));
      for (const { id } of wanted) await print(`${id} is in force`);
    });

/** With the version that the difference was shown to: who changed the rule meanwhile is not overwritten unseen. */
function shown(written: readonly WrittenRule[], { id, version }: RuleChange) {
  const rule = written.find((one) => one.id === id);
  if (rule === undefined) throw new Error(`no rule ${id}`);
  return bodyOf(rule, version ?? 0);
}

async function confirm(count: number): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError("nobody is there to be asked; give --yes");
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question(`Put ${count} ${count === 1 ? "rule" : "rules"} in force? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Failure("nothing was changed");
  } finally {
    asking.close();
  }
}
