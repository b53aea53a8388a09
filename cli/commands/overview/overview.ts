import { Command } from "commander";
import type { Overview } from "../../../src/core/overview/api.ts";
import { at, type Column, print, printFields, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";

const causes: readonly Column<Overview["attention"]["items"][number]>[] = [
  ["SEVERITY", ({ severity }) => severity, "state"],
  ["WHAT", ({ what }) => what, "text"],
  ["SINCE", ({ since }) => at(since), "whole"],
  ["NEXT STEP", ({ next_step }) => next_step, "text"],
];
const hosts: readonly Column<Overview["fleet"]["hosts"][number]>[] = [
  ["HOST", ({ host }) => host, "key"],
  ["STATE", ({ state }) => state, "state"],
  ["SINCE", ({ since }) => at(since), "whole"],
  ["PROCESSES", ({ processes }) => processes.length],
  ["ALERTS", ({ alerts }) => alerts.map(({ subject }) => subject).join(", ")],
];
/** What most queues have none of has a column where one has some. */
const queues = (all: Overview["queues"]): readonly Column<Overview["queues"][number]>[] => [
  ["QUEUE", ({ queue }) => queue, "key"],
  ["READY", ({ ready }) => ready],
  ...columnOf("PARKED", all, ({ parked }) => parked),
  ["LEASED", ({ leased }) => leased],
  ...columnOf("TO BE JUDGED", all, ({ verifying }) => verifying),
  ["OLDEST MS", ({ oldest_ms }) => oldest_ms],
  ["WAIT P50 MS", ({ wait_p50_ms }) => wait_p50_ms],
  ["RUN P50 MS", ({ run_p50_ms }) => run_p50_ms],
  ["ALERTS", ({ alerts }) => alerts.map(({ rule }) => rule).join(", ")],
];

function columnOf<Row>(title: string, rows: readonly Row[], cell: (row: Row) => number | undefined): Column<Row>[] {
  return rows.some((row) => cell(row) !== undefined) ? [[title, cell]] : [];
}

export const overviewCommand = () =>
  new Command("overview")
    .summary("show an ecosystem at a glance: what needs somebody, hosts, queues, the log")
    .addHelpText("after", "\nWith --json: one document, as GET /v1/{eco}/overview gives it.")
    .action(async (_options: object, command: Command) => {
      const overview = await clientFor(command).overview();
      if (command.optsWithGlobals<GlobalOptions>().json === true) return print(JSON.stringify(overview));
      const { attention, fleet, gaps, log, dead_letters, breakers, usage, unread } = overview;
      const { totals } = fleet;
      await printFields({
        ecosystem: overview.ecosystem,
        at: overview.at,
        "needs somebody": `${attention.total}, ${attention.critical} of them critical`,
        hosts: `${totals.up} of ${totals.hosts} up`,
        processes: Object.entries(totals.by_verdict)
          .map(([verdict, count]) => `${verdict}: ${count}`)
          .join(", "),
        gaps: gaps.open,
        "dead letters": dead_letters.total,
        breakers: breakers.map(({ queue, recipient, state }) => `${recipient} in ${queue}: ${state}`).join(", "),
        log: `${log.last} signals, ${log.per_minute} in the last minute`,
        budget: usage.budget === null ? null : `$${usage.budget.spent_usd} of $${usage.budget.monthly_usd}`,
      });
      await printTable(attention.items, causes, "nothing needs somebody");
      await printTable(fleet.hosts, hosts, "no hosts");
      await printTable(overview.queues, queues(overview.queues), "no queues");
      if (unread.length > 0) remark(`not looked at: ${unread.join(", ")}`);
    });
