import { Command, Option } from "commander";
import type { Decision } from "../../../src/core/policy/decision.ts";
import { time, wholeNumber } from "../../arguments.ts";
import { type Column, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";

const columns: readonly Column<Decision>[] = [
  ["TIME", ({ decided_at }) => decided_at],
  ["RULE", ({ rule, rule_version }) => `${rule}@${rule_version}`],
  ["OUTCOME", ({ outcome }) => outcome],
  ["SIGNAL", ({ signal }) => `${signal.signal} ${signal.id}`],
  ["EFFECTS", ({ effects }) => effects.join(" ")],
  ["REASON", ({ reason }) => reason],
];

interface DecisionsOptions {
  readonly limit?: number;
  readonly after?: string;
  readonly rule?: string;
  readonly outcome?: string;
  readonly signal?: string;
  readonly since?: string;
  readonly until?: string;
}

export const decisionsCommand = () =>
  new Command("decisions")
    .summary("what was decided, and why")
    .description("What rules decided, on the newest signals first. To see what came of one, use ganglion explain.")
    .option("--limit <n>", "how many (default: 100)", wholeNumber(1, 1_000))
    .option("--after <cursor>", "go on where an earlier page ended")
    .option("--rule <id>", "only of this rule")
    .addOption(new Option("--outcome <outcome>", "only with this outcome").choices(["fired", "suppressed", "failed"]))
    .option("--signal <id>", "only on the signal of this id")
    .option("--since <time>", "decided since a time, or an age such as 10m", time)
    .option("--until <time>", "decided before a time, or an age", time)
    .addHelpText("after", "\nWith --json: one decision a line.")
    .action(async (options: DecisionsOptions, command: Command) => {
      const { decisions, next } = await clientFor(command).decisions(options);
      if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(decisions);
      await printTable(decisions, columns, "no decisions");
      if (next !== null) remark(`there may be more: --after ${next}`);
    });
