import { Command, Option } from "commander";
import type { BudgetUse, SpendingBudget } from "../../../src/core/limits/budgets/api.ts";
import { BUDGET_SCOPES, type BudgetInput } from "../../../src/core/limits/budgets/settings.ts";
import { amount, wholeNumber } from "../../arguments.ts";
import { type Column, print, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

interface SetOptions {
  readonly scope: BudgetInput["scope"];
  readonly match?: string;
  readonly tokens?: number;
  readonly usd?: number;
  readonly per?: "day" | "life";
  readonly zone?: string;
  readonly atEnd?: "open" | "closed";
  readonly description?: string;
}

export const budgetsCommand = () =>
  new Command("budgets")
    .summary("what each agent, task or chain may use of the limits, or all together")
    .addHelpText(
      "after",
      "\nWithout a command: lists the budgets. The budget for the bill of the edge is `ganglion budget`.",
    )
    .action((_options: object, command: Command) => list(command))
    .addCommand(
      new Command("list")
        .summary("list budgets with who has used most of each")
        .addHelpText("after", "\nWith --json: one budget a line.")
        .action((_options: object, command: Command) => list(command)),
    )
    .addCommand(
      named("show", "show a budget, and who has used most of it")
        .option("--subject <name>", "only this agent, task or chain")
        .action(async (name: string, { subject }: { subject?: string }, command: Command) =>
          show(await clientFor(command).budgets.show(name, subject), command),
        ),
    )
    .addCommand(setCommand())
    .addCommand(
      new Command("delete")
        .summary("delete a budget; what was counted is forgotten")
        .argument("<name>", "name of the budget")
        .action(async (name: string, _options: object, command: Command) => {
          await clientFor(command).budgets.remove(name);
          if (wantsJson(command)) return print(JSON.stringify({ deleted: name }));
          await printFields({ deleted: name });
        }),
    );

const named = (name: string, summary: string) =>
  new Command(name)
    .summary(summary)
    .argument("<name>", "name of the budget")
    .addHelpText("after", "\nWith --json: one document.");

const setCommand = () =>
  named("set", "make a budget, or replace its settings")
    .addOption(
      new Option("--scope <what>", "what has the budget, each of its own").choices(BUDGET_SCOPES).makeOptionMandatory(),
    )
    .option("--match <pattern>", "names that have it, such as coder-* (default: all)")
    .option("--tokens <count>", "tokens, sent and received together", wholeNumber(1, 1_000_000_000_000))
    .option("--usd <dollars>", "US dollars", amount(1_000_000))
    .addOption(new Option("--per <time>", "a day, or once for life (default: day)").choices(["day", "life"]))
    .option("--zone <zone>", "IANA time zone in which days begin (default: UTC)")
    .addOption(
      new Option("--at-end <what>", "closed: nothing more is granted; open: it only tells (default: closed)").choices([
        "closed",
        "open",
      ]),
    )
    .option("--description <text>", "purpose of the budget")
    .action(async (name: string, { atEnd, ...options }: SetOptions, command: Command) =>
      show(await clientFor(command).budgets.put(name, { ...options, at_end: atEnd }), command),
    );

const part = (used: number | undefined, most: number | undefined) => (most === undefined ? "" : `${used ?? 0}/${most}`);

const columns: readonly Column<SpendingBudget>[] = [
  ["NAME", ({ name }) => name],
  ["OF", ({ scope, match }) => (scope === "ecosystem" ? scope : `${scope} ${match}`)],
  ["PER", ({ per }) => per],
  ["AT END", ({ at_end }) => at_end],
  ["MOST BY", ({ used }) => used[0]?.subject],
  ["TOKENS", ({ used, tokens }) => part(used[0]?.tokens, tokens)],
  ["USD", ({ used, usd }) => part(used[0]?.usd, usd)],
  ["STATE", ({ used }) => used[0]?.state, "state"],
];

async function list(command: Command): Promise<void> {
  const all = await clientFor(command).budgets.list();
  if (wantsJson(command)) return printLines(all);
  await printTable(all, columns, "no budgets; make one: ganglion limits budgets set <name> --scope agent --usd 5");
}

async function show(budget: SpendingBudget, command: Command): Promise<void> {
  if (wantsJson(command)) return print(JSON.stringify(budget));
  const { scope, match, tokens, usd } = budget;
  await printFields({
    name: budget.name,
    description: budget.description,
    of: scope === "ecosystem" ? "all together" : `each ${scope} ${match}`,
    tokens: tokens === undefined ? undefined : String(tokens),
    dollars: usd === undefined ? undefined : String(usd),
    per: budget.per,
    zone: budget.per === "day" ? budget.zone : undefined,
    "at its end": budget.at_end,
  });
  const uses: readonly Column<BudgetUse>[] = [
    ["USED BY", ({ subject }) => subject ?? "all"],
    ["TOKENS", (use) => part(use.tokens, tokens)],
    ["USD", (use) => part(use.usd, usd)],
    ["HELD", (use) => (usd === undefined ? String(use.held_tokens) : `$${use.held_usd}`)],
    ["STATE", ({ state }) => state, "state"],
  ];
  if (budget.used.length > 0) await printTable(budget.used, uses, "");
}
