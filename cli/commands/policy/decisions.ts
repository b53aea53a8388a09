import { Command, Option } from "commander";
import type { Decision } from "../../../src/core/policy/decision.ts";
import { time, wholeNumber } from "../../arguments.ts";
import { at, type Column, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { viewOptions, withVerbs } from "../verbs.ts";

const columns: readonly Column<Decision>[] = [
  ["TIME", ({ decided_at }) => at(decided_at), "key"],
  ["RULE", ({ rule, rule_version }) => `${rule}@${rule_version}`, "key"],
  ["OUTCOME", ({ outcome }) => outcome, "state"],
  ["SIGNAL", ({ signal }) => `${signal.signal} ${signal.id}`, "text"],
  ["EFFECTS", ({ effects }) => effects.join(" ")],
  ["REASON", ({ reason, deliveries }) => reason ?? undeliveredText(deliveries), "text"],
];

function undeliveredText(deliveries: Decision["deliveries"] = []): string | undefined {
  const lost = deliveries.flatMap(({ undelivered }) => undelivered ?? []);
  return lost.length === 0 ? undefined : `went nowhere: ${lost.join("; ")}`;
}

interface DecisionsOptions {
  readonly limit?: number;
  readonly after?: string;
  readonly rule?: string;
  readonly outcome?: string;
  readonly signal?: string;
  readonly since?: string;
  readonly until?: string;
}

export const decisionsCommand = () => withVerbs(decisionsView("decisions"), decisionsView("list"));

const decisionsView = (name: string) =>
  new Command(name)
    .summary("decisions of rules, with their reasons")
    .description(
      "List the decisions of rules, on the newest signals first. `ganglion explain` shows what a decision led to.",
    )
    .option("--limit <n>", "how many (default: 100)", wholeNumber(1, 1_000))
    .option("--after <cursor>", "continue after an earlier page")
    .option("--rule <id>", "only decisions of this rule")
    .addOption(
      new Option("--outcome <outcome>", "only decisions with this outcome").choices(["fired", "suppressed", "failed"]),
    )
    .option("--signal <id>", "only decisions on the signal with this id")
    .option("--since <time>", "decided since a time, or an age such as 10m", time)
    .option("--until <time>", "decided before a time, or an age", time)
    .addHelpText("after", "\nWith --json: one decision a line.")
    .action(async (_options: object, command: Command) => {
      const options = viewOptions<DecisionsOptions>(command);
      const { decisions, next } = await clientFor(command).decisions(options);
      if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(decisions);
      await printTable(decisions, columns, "no decisions");
      if (next !== null) remark(`there may be more: continue with --after ${next}`);
    });
