import { Command, Option } from "commander";
import type { RunReport, Schedule } from "../../../src/core/schedules/api.ts";
import { ScheduleTimes, timesProblem } from "../../../src/core/schedules/times.ts";
import { wholeNumber } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { print, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";
import { setCommand } from "./set-schedule.ts";
import { runColumns, scheduleColumns, showSchedule } from "./show-schedule.ts";

const REPORTS = ["started", "progress", "finished", "failed", "alive"] as const;

export const scheduleCommand = () =>
  new Command("schedule")
    .alias("schedules")
    .summary("tasks and signals at certain times, and jobs elsewhere that report theirs")
    .addHelpText("after", "\nWithout a command: lists the schedules.")
    .action((_options: object, command: Command) => list(command))
    .addCommand(
      new Command("list")
        .summary("list schedules with their state")
        .addHelpText("after", "\nWith --json: one schedule a line.")
        .action((_options: object, command: Command) => list(command)),
    )
    .addCommand(
      new Command("show")
        .summary("show a schedule")
        .argument("<name>", "name of the schedule")
        .addHelpText("after", "\nWith --json: one document.")
        .action(async (name: string, _options: object, command: Command) =>
          showSchedule(await clientFor(command).schedules.show(name), command),
        ),
    )
    .addCommand(setCommand())
    .addCommand(
      new Command("delete")
        .summary("delete a schedule; tasks that it has made stay")
        .argument("<name>", "name of the schedule")
        .action(async (name: string, _options: object, command: Command) => {
          await clientFor(command).schedules.remove(name);
          if (wantsJson(command)) return print(JSON.stringify({ deleted: name }));
          await printFields({ deleted: name });
        }),
    )
    .addCommand(changing("pause", "make no runs until the schedule is resumed"))
    .addCommand(changing("resume", "make runs again, from the next time on"))
    .addCommand(
      new Command("run")
        .summary("make a run now")
        .argument("<name>", "name of the schedule")
        .addHelpText("after", "\nWith --json: one document.")
        .action(async (name: string, _options: object, command: Command) => {
          const run = await clientFor(command).schedules.run(name);
          if (wantsJson(command)) return print(JSON.stringify({ run }));
          await printFields({ run });
        }),
    )
    .addCommand(
      new Command("runs")
        .summary("list the last runs, and the times at which there was none")
        .argument("<name>", "name of the schedule")
        .addHelpText("after", "\nWith --json: one run a line.")
        .action(async (name: string, _options: object, command: Command) => {
          const runs = await clientFor(command).schedules.runs(name);
          if (wantsJson(command)) return printLines(runs);
          await printTable(runs, runColumns, "no run yet");
        }),
    )
    .addCommand(
      new Command("report")
        .summary("report a run of a job that runs elsewhere")
        .argument("<name>", "name of the schedule")
        .addArgument(new Command().createArgument("<state>", "what happens").choices(REPORTS))
        .option("--run <id>", "your id of the run: a report that is sent again counts once")
        .option("--error <text>", "why it failed")
        .addHelpText("after", "\nalive: a sign of life, a run without a length. With --json: one document.")
        .action(
          async (
            name: string,
            state: (typeof REPORTS)[number],
            options: Omit<RunReport, "state">,
            command: Command,
          ) => {
            const { schedules } = clientFor(command);
            if (state === "alive" && Object.keys(options).length > 0)
              throw new UsageError("a sign of life has neither --run nor --error: report started, finished or failed");
            const shown = state === "alive" ? schedules.heartbeat(name) : schedules.report(name, { state, ...options });
            await showSchedule(await shown, command);
          },
        ),
    )
    .addCommand(
      new Command("next")
        .summary("show the next times of a cron expression, without an edge")
        .argument("<cron>", 'five fields, or six with seconds, such as "0 3 * * *"')
        .addOption(new Option("--zone <zone>", "IANA time zone").default("UTC"))
        .option("--count <count>", "how many", wholeNumber(1, 1_000), 5)
        .addHelpText("after", "\nWith --json: one time a line.")
        .action((cron: string, { zone, count }: { zone: string; count: number }, command: Command) =>
          printTimes(cron, zone, count, command),
        ),
    );

const changing = (action: "pause" | "resume", summary: string) =>
  new Command(action)
    .summary(summary)
    .argument("<name>", "name of the schedule")
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (name: string, _options: object, command: Command) =>
      showSchedule(await clientFor(command).schedules[action](name), command),
    );

async function list(command: Command): Promise<void> {
  const { schedules } = clientFor(command);
  const all: Schedule[] = [];
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const page = await schedules.list(after, 1_000);
    all.push(...page.schedules);
    after = page.next ?? undefined;
  }
  if (wantsJson(command)) return printLines(all);
  await printTable(
    all,
    scheduleColumns,
    "no schedules; make one: ganglion schedule set <name> --every 1h --recipient <recipient>",
  );
}

async function printTimes(cron: string, zone: string, count: number, command: Command): Promise<void> {
  const problem = timesProblem({ cron, zone });
  if (problem !== undefined) throw new UsageError(problem.message);
  const times = new ScheduleTimes({ cron, zone }, 0);
  const found: string[] = [];
  for (let next = times.next(Date.now()); next !== undefined && found.length < count; next = times.next(next))
    found.push(new Date(next).toISOString());
  if (wantsJson(command)) return printLines(found);
  const there = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  await printTable(
    found,
    [
      ["UTC", (time) => time],
      [zone, (time) => there.format(new Date(time))],
    ],
    "",
  );
}
