import { Command, InvalidArgumentError, Option } from "commander";
import { parse } from "yaml";
import { OVERLAPS, ScheduleInput } from "../../../src/core/schedules/settings.ts";
import { fact, wholeNumber } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { clientFor } from "../../settings.ts";
import { readText } from "../secret-file.ts";
import { showSchedule } from "./show-schedule.ts";

interface SetOptions {
  readonly file?: string;
  readonly description?: string;
  readonly cron?: string;
  readonly every?: string;
  readonly zone?: string;
  readonly recipient?: string;
  readonly type?: string;
  readonly queue?: string;
  readonly payload?: unknown;
  readonly priority?: number;
  readonly timeout?: string;
  readonly deadline?: string;
  readonly signal?: string;
  readonly fact?: Record<string, unknown>;
  readonly overlap?: (typeof OVERLAPS)[number];
  readonly catchUp?: number;
  readonly spread?: string;
  readonly lateStart?: string;
  readonly lateFinish?: string;
  readonly extendUpTo?: string;
  readonly tooFast?: string;
  readonly tooOften?: { readonly runs: number; readonly within: string };
  readonly paused?: boolean;
}

export const setCommand = () =>
  new Command("set")
    .summary("make a schedule, or replace its settings")
    .argument("<name>", "name of the schedule, such as nightly")
    .option("--cron <expression>", 'five fields, or six with seconds, such as "0 3 * * *"')
    .option("--every <time>", "a length of time in the place of --cron, such as 10m")
    .option("--zone <zone>", "IANA time zone, such as Europe/Berlin (default: UTC)")
    .option("--recipient <recipient>", "each run is a task for this recipient")
    .option("--type <type>", "type of the task (default: the name of the schedule)")
    .option("--queue <queue>", "queue of the task (default: work)")
    .option("--payload <json>", "payload of the task", json)
    .option("--priority <priority>", "priority of the task, 1 (most urgent) to 10", wholeNumber(1, 10))
    .option("--timeout <time>", "longest time of one attempt")
    .option("--deadline <time>", "the task fails when no worker has taken it within this time")
    .option("--signal <name>", "each run is this signal")
    .option("--fact <name=value>", "fact of the signal; may be repeated", fact)
    .addOption(new Option("--overlap <what>", "while an earlier run is not over (default: skip)").choices(OVERLAPS))
    .option("--catch-up <runs>", "times that are made up for after an absence (default: 1)", wholeNumber(0, 100))
    .option("--spread <time>", "runs are later by a part of this, so that schedules do not come at once")
    .option("--late-start <time>", "limit: taken by a worker, or reported, within this time")
    .option("--late-finish <time>", "limit: over within this time")
    .option("--extend-up-to <time>", "a run that is alive may go on up to this time")
    .option("--too-fast <time>", "limit: a run takes longer than this")
    .option("--too-often <runs/time>", "limit: no more runs within that time, such as 5/1h", often)
    .option("--description <text>", "purpose of the schedule")
    .option("--paused", "make no runs until it is resumed")
    .option("--file <file>", "the settings as YAML or JSON, in the place of options; - reads the standard input")
    .addHelpText(
      "after",
      "\nWithout --recipient and --signal the job runs elsewhere and reports its runs: see ganglion schedule report.\nWith --json: one document.",
    )
    .action(async (name: string, options: SetOptions, command: Command) => {
      const { file, ...given } = options;
      if (file !== undefined && Object.keys(given).length > 0)
        throw new UsageError("give --file or the other options, not both: the file has all settings");
      const settings = file === undefined ? settingsOf(name, given) : await settingsIn(file);
      await showSchedule(await clientFor(command).schedules.put(name, settings), command);
    });

function settingsOf(name: string, options: Omit<SetOptions, "file">): ScheduleInput {
  const { description, cron, every, zone, signal, overlap, spread, paused } = options;
  const { recipient, type = name, queue, payload, priority, timeout, deadline } = options;
  const task = recipient === undefined ? undefined : { recipient, type, queue, payload, priority, timeout, deadline };
  const { lateStart: late_start, lateFinish: late_finish, extendUpTo: extend_up_to, tooFast: too_fast } = options;
  return {
    description,
    cron,
    every,
    zone,
    task,
    signal: signal === undefined ? undefined : { signal, facts: options.fact },
    overlap,
    catch_up: options.catchUp,
    spread,
    limits: { late_start, late_finish, extend_up_to, too_fast, too_often: options.tooOften },
    paused,
  };
}

/** What is wrong in the document is said by the edge, with its place. */
async function settingsIn(file: string): Promise<ScheduleInput> {
  let document: unknown;
  try {
    document = parse(await readText(file));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const read = ScheduleInput.safeParse(document);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new UsageError(`${file}, /${issue?.path.join("/") ?? ""}: ${issue?.message}`);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new InvalidArgumentError('Give JSON, such as \'{"disk": "sda"}\'.');
  }
}

function often(text: string): { runs: number; within: string } {
  const [, runs, within] = /^(\d{1,3})\/(\w+)$/.exec(text) ?? [];
  if (runs === undefined || within === undefined) throw new InvalidArgumentError("Give runs/time, such as 5/1h.");
  return { runs: Number(runs), within };
}
