import { Command, Option } from "commander";
import type { Gap } from "../../src/core/gaps/gap.ts";
import type { Observation } from "../../src/core/observations/observation.ts";
import type { Decision } from "../../src/core/policy/decision.ts";
import { wholeNumber } from "../arguments.ts";
import { type Column, print, printFields, printLines, printTable } from "../output.ts";
import { clientFor, type GlobalOptions } from "../settings.ts";

const wantsJson = (command: Command) => command.optsWithGlobals<GlobalOptions>().json === true;

const observationColumns: readonly Column<Observation>[] = [
  ["TIME", ({ ts }) => ts],
  ["REPORTER", ({ zooid_name }) => zooid_name],
  ["NICHE", ({ niche }) => niche],
  ["OK", ({ ok }) => (ok ? "yes" : "no")],
  ["TTR MS", ({ ttr_ms }) => ttr_ms],
  ["FACTS", ({ facts }) => facts],
];

export const observationsCommand = () =>
  new Command("observations")
    .summary("what was measured lately")
    .option("--seconds <n>", "how far back, 300 at most (default: 60)", wholeNumber(1, 300))
    .option("--zooid <name>", "only of this reporter")
    .option("--limit <n>", "how many, the newest (default: 1000)", wholeNumber(1, 10_000))
    .addHelpText("after", "\nWith --json: one observation a line.")
    .action(async (options: { seconds?: number; zooid?: string; limit?: number }, command: Command) => {
      const { observations } = await clientFor(command).observations(options);
      if (wantsJson(command)) return printLines(observations);
      await printTable(observations, observationColumns, "no observations");
    });

const gapColumns: readonly Column<Gap>[] = [
  ["STATUS", ({ status }) => status],
  ["NAME", ({ name }) => name],
  ["CATEGORY", ({ category }) => category],
  ["SCORE", ({ alignment_score }) => alignment_score.toFixed(2)],
  ["RAISED", ({ raised_at }) => raised_at],
  ["LAST SEEN", ({ last_seen_at }) => last_seen_at],
  ["REASON", ({ reason }) => reason],
];

export const gapsCommand = () =>
  new Command("gaps")
    .summary("what the fleet cannot do well")
    .addOption(new Option("--status <status>", "which").choices(["open", "resolved", "all"]).default("open"))
    .addHelpText("after", "\nWith --json: one gap a line.")
    .action(async ({ status }: { status: "open" | "resolved" | "all" }, command: Command) => {
      const gaps = await clientFor(command).gaps(status);
      if (wantsJson(command)) return printLines(gaps);
      await printTable(gaps, gapColumns, status === "all" ? "no gaps" : `no ${status} gaps`);
    });

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
    .summary("an ecosystem at a glance")
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (_options: object, command: Command) => {
      const status = await clientFor(command).status();
      if (wantsJson(command)) return print(JSON.stringify(status));
      const { ecosystem, log, window, gaps } = status;
      await printFields({
        ecosystem,
        signals: `${log.head_seq} (${log.signals_last_minute} in the last minute)`,
        "oldest kept": log.oldest_seq,
        window: `${window.size} observations in ${window.seconds} s`,
        "open gaps": gaps.open,
        hosts: log.hosts.join(" "),
        subscribers: log.subscribers,
      });
    });
