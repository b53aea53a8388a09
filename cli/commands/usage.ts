import { Command } from "commander";
import { LINES, type Line } from "../../src/core/billing/prices.ts";
import { type Column, print, printFields, printTable } from "../output.ts";
import { clientFor, type GlobalOptions } from "../settings.ts";
import { budgetText, leftOutField } from "./budget.ts";

const TITLES: Readonly<Record<Line, string>> = {
  worker_requests: "Worker requests",
  worker_cpu: "Worker CPU (estimate)",
  object_requests: "object requests",
  duration: "duration (estimate)",
  rows_written: "rows written",
  rows_read: "rows read",
  queue_operations: "queue operations",
  storage: "storage",
};

export const usageCommand = () =>
  new Command("usage")
    .summary("what an ecosystem uses and costs on Cloudflare: today, this month, and the month at its end")
    .addHelpText(
      "after",
      "\nIncluded and left: what the plan includes for all ecosystems of the account together. An edge on one machine costs\n" +
        "nothing; what is shown there is what Cloudflare would ask for it. With --json: one document.",
    )
    .action(async (_options: object, command: Command) => {
      const account = await clientFor(command).usage();
      if (command.optsWithGlobals<GlobalOptions>().json === true) return print(JSON.stringify(account));
      const { plan, today, month, forecast, allowances, budget } = account;
      const rows = LINES.map((line) => ({ line, allowance: allowances.lines[line] }));
      const columns: readonly Column<(typeof rows)[number]>[] = [
        ["LINE", ({ line }) => TITLES[line], "key"],
        ["UNIT", ({ line }) => month.lines[line].unit],
        ["TODAY", ({ line }) => amount(today.lines[line].used)],
        ["MONTH", ({ line }) => amount(month.lines[line].used), "key"],
        ["FORECAST", ({ line }) => amount(forecast.lines[line].used)],
        [allowances.per === "day" ? "A DAY" : "A MONTH", ({ allowance }) => amount(allowance.included)],
        ["LEFT", ({ allowance }) => amount(allowance.left)],
        ["MONTH $", ({ line }) => dollars(month.lines[line].usd)],
        ["FORECAST $", ({ line }) => dollars(forecast.lines[line].usd)],
      ];
      await printTable(rows, columns, "");
      await print("");
      await printFields({
        plan: plan === "free" ? "free: what exceeds it is refused" : `paid: $${dollars(month.plan_usd)} a month`,
        today: `$${dollars(today.list_usd)} at list prices`,
        "this month": `$${dollars(month.usd)} so far, $${dollars(forecast.usd)} at its end if it goes on like this`,
        "allowances reset": allowances.resets_at,
        ...(budget === undefined ? {} : { budget: budgetText(budget), ...leftOutField(budget) }),
      });
    });

const dollars = (usd: number) => usd.toFixed(2);

/** Three digits are enough for a bill: 1.23M, 45.6k. */
function amount(value: number | null): string {
  if (value === null) return "no limit";
  for (const [size, unit] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const)
    if (value >= size) return `${Number((value / size).toPrecision(3))}${unit}`;
  return String(Number(value.toPrecision(3)));
}
