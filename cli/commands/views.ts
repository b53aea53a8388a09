import { Command } from "commander";
import type { Decision } from "../../src/core/policy/decision.ts";
import { wholeNumber } from "../arguments.ts";
import { type Column, printLines, printTable } from "../output.ts";
import { clientFor, type GlobalOptions } from "../settings.ts";

const wantsJson = (command: Command) => command.optsWithGlobals<GlobalOptions>().json === true;

const decisionColumns: readonly Column<Decision>[] = [
  ["TIME", ({ decided_at }) => decided_at],
  ["RULE", ({ rule, rule_version }) => `${rule}@${rule_version}`],
  ["OUTCOME", ({ outcome }) => outcome],
  ["SIGNAL", ({ signal }) => `${signal.signal} (${signal.seq})`],
  ["EFFECTS", ({ effects }) => effects.join(" ")],
  ["REASON", ({ reason }) => reason],
];

export const decisionsCommand = () =>
  new Command("decisions")
    .summary("what was decided, and why")
    .option("--limit <n>", "how many (default: 100)", wholeNumber(1, 1_000))
    .option("--after <cursor>", "go on where an earlier page ended")
    .option("--rule <id>", "only of this rule")
    .addHelpText("after", "\nWith --json: one decision a line.")
    .action(async (options: { limit?: number; after?: string; rule?: string }, command: Command) => {
      const { decisions } = await clientFor(command).decisions(options);
      if (wantsJson(command)) return printLines(decisions);
      await printTable(decisions, decisionColumns, "no decisions");
    });
