import { Command } from "commander";
import type { Decision } from "../../src/core/policy/decision.ts";
import { wholeNumber } from "../arguments.ts";
import { type Column, print, printFields, printLines, printTable } from "../output.ts";
import { clientFor, type GlobalOptions } from "../settings.ts";
import { localAgents, printAgents } from "./supervisor.ts";

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

export const statusCommand = () =>
  new Command("status")
    .summary("an ecosystem at a glance, and the agents that this machine supervises")
    .addHelpText(
      "after",
      "\nWith --json: one document, about the ecosystem alone; for agents see `ganglion ps --json`.",
    )
    .action(async (_options: object, command: Command) => {
      const status = await clientFor(command).status();
      if (wantsJson(command)) return print(JSON.stringify(status));
      const agents = await localAgents();
      const { ecosystem, log, window, gaps, dead_letters } = status;
      await printFields({
        ecosystem,
        signals: `${log.head_seq} (${log.signals_last_minute} in the last minute)`,
        "oldest kept": log.oldest_seq,
        window: `${window.size} observations in ${window.seconds} s`,
        "open gaps": gaps.open,
        "dead letters": dead_letters,
        hosts: log.hosts.join(" "),
        subscribers: log.subscribers,
      });
      if (agents.length > 0) {
        await print("");
        await printAgents(agents, "");
      }
    });
