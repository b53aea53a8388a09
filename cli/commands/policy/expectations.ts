import { Command } from "commander";
import type { Expectation } from "../../../src/core/policy/api.ts";
import { wholeNumber } from "../../arguments.ts";
import { at, type Column, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { viewOptions, withVerbs } from "../verbs.ts";

const columns: readonly Column<Expectation>[] = [
  ["DUE", ({ due }) => at(due), "key"],
  ["RULE", ({ rule }) => rule, "key"],
  ["WAITS FOR", ({ signal }) => signal.join(" "), "text"],
  ["BY", ({ by }) => by],
  ["SINCE", ({ since }) => at(since), "whole"],
  ["CAUSE", ({ cause }) => `${cause.signal} (${cause.seq})`],
];

export const expectationsCommand = () => withVerbs(expectationsView("expectations"), expectationsView("list"));

const expectationsView = (name: string) =>
  new Command(name)
    .summary("signals that rules wait for, the next to be due first")
    .option("--limit <n>", "how many (default: 100)", wholeNumber(1, 1_000))
    .option("--after <cursor>", "continue after an earlier page")
    .option("--rule <id>", "only expectations of this rule")
    .addHelpText("after", "\nWith --json: one expectation a line.")
    .action(async (_options: object, command: Command) => {
      const options = viewOptions<{ limit?: number; after?: string; rule?: string }>(command);
      const { expectations, total, next } = await clientFor(command).policy.expectations(options);
      if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(expectations);
      await printTable(expectations, columns, "no expectations");
      if (next !== null) remark(`${total} in all; continue with --after ${next}`);
    });
