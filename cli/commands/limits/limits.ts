import { Command, Option } from "commander";
import type { Limit } from "../../../src/core/limits/api.ts";
import type { LimitInput } from "../../../src/core/limits/settings.ts";
import { amount, lengthOfTime, seconds, timeAhead, wholeNumber } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { at, type Column, print, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";
import { budgetsCommand } from "./budgets.ts";

const MOST = 1_000_000_000;

interface SetOptions {
  readonly requestsPerMinute?: number;
  readonly inputTokensPerMinute?: number;
  readonly outputTokensPerMinute?: number;
  readonly concurrency?: number;
  readonly usdPerDay?: number;
  readonly zone?: string;
  readonly reservation?: number;
  readonly ramp?: number;
  readonly whenAway?: "open" | "closed";
  readonly description?: string;
}

export const limitsCommand = () =>
  new Command("limits")
    .alias("limit")
    .summary("what may be asked of providers by all agents together")
    .addHelpText("after", "\nWithout a command: lists the limits.")
    .action((_options: object, command: Command) => list(command))
    .addCommand(
      new Command("list")
        .summary("list limits with what is used of them")
        .addHelpText("after", "\nWith --json: one limit a line.")
        .action((_options: object, command: Command) => list(command)),
    )
    .addCommand(
      named("show", "show a limit").action(async (name: string, _options: object, command: Command) =>
        show(await clientFor(command).limits.show(name), command),
      ),
    )
    .addCommand(setCommand())
    .addCommand(
      new Command("delete")
        .summary("delete a limit; tasks that name it are given out again")
        .argument("<name>", "name of the limit")
        .action(async (name: string, _options: object, command: Command) => {
          await clientFor(command).limits.remove(name);
          if (wantsJson(command)) return print(JSON.stringify({ deleted: name }));
          await printFields({ deleted: name });
        }),
    )
    .addCommand(
      named("close", "close a limit for all, because its provider takes no more for now")
        .option("--until <time>", "when the provider takes requests again", timeAhead)
        .option("--for <length>", "the same as a length of time, such as 10m", lengthOfTime)
        .option("--reason <text>", "why, for people")
        .action(async (name: string, options: { until?: string; for?: number; reason?: string }, command: Command) => {
          const { until, for: forMs, reason } = options;
          if (until !== undefined && forMs !== undefined) throw new UsageError("give --until or --for, not both");
          const retry_after_seconds = forMs === undefined ? undefined : forMs / 1_000;
          await show(await clientFor(command).limits.close(name, { until, retry_after_seconds, reason }), command);
        }),
    )
    .addCommand(
      named("open", "open a closed limit at once, and wholly").action(
        async (name: string, _options: object, command: Command) =>
          show(await clientFor(command).limits.open(name), command),
      ),
    )
    .addCommand(budgetsCommand());

const named = (name: string, summary: string) =>
  new Command(name)
    .summary(summary)
    .argument("<name>", "name of the limit")
    .addHelpText("after", "\nWith --json: one document.");

const setCommand = () =>
  named("set", "make a limit, or replace its settings")
    .option("--requests-per-minute <count>", "requests in any minute", wholeNumber(1, MOST))
    .option("--input-tokens-per-minute <count>", "tokens sent in any minute", wholeNumber(1, MOST))
    .option("--output-tokens-per-minute <count>", "tokens received in any minute", wholeNumber(1, MOST))
    .option("--concurrency <count>", "calls at a time", wholeNumber(1, 10_000))
    .option("--usd-per-day <dollars>", "US dollars in a day", amount(1_000_000))
    .option("--zone <zone>", "IANA time zone in which days begin (default: UTC)")
    .option("--reservation <length>", "a reservation expires after this time (default: 10m)", seconds(1, 86_400))
    .option(
      "--ramp <length>",
      "after it was closed, it grows to its whole in this time (default: 1m)",
      seconds(0, 3_600),
    )
    .addOption(
      new Option("--when-away <what>", "what clients do that cannot reach the edge (default: open)").choices([
        "open",
        "closed",
      ]),
    )
    .option("--description <text>", "purpose of the limit")
    .action(async (name: string, options: SetOptions, command: Command) =>
      show(await clientFor(command).limits.put(name, settingsOf(options)), command),
    );

const settingsOf = (options: SetOptions): LimitInput => ({
  requests_per_minute: options.requestsPerMinute,
  input_tokens_per_minute: options.inputTokensPerMinute,
  output_tokens_per_minute: options.outputTokensPerMinute,
  concurrency: options.concurrency,
  usd_per_day: options.usdPerDay,
  zone: options.zone,
  reservation_seconds: options.reservation,
  ramp_seconds: options.ramp,
  when_away: options.whenAway,
  description: options.description,
});

const part = (used: number, limit: number | undefined) => (limit === undefined ? "" : `${used}/${limit}`);

/** Parked tasks have a column where a limit is closed. */
const columns = (all: readonly Limit[]): readonly Column<Limit>[] => [
  ["NAME", ({ name }) => name, "key"],
  ["STATE", ({ state }) => state, "state"],
  ["UNTIL", ({ closed_until }) => at(closed_until)],
  ...(all.some(({ parked }) => parked !== undefined) ? [["PARKED", ({ parked }: Limit) => parked] as const] : []),
  ["REQUESTS", ({ used, requests_per_minute }) => part(used.requests, requests_per_minute)],
  ["INPUT", ({ used, input_tokens_per_minute }) => part(used.input_tokens, input_tokens_per_minute)],
  ["OUTPUT", ({ used, output_tokens_per_minute }) => part(used.output_tokens, output_tokens_per_minute)],
  ["HELD", ({ held, concurrency }) => (concurrency === undefined ? String(held) : part(held, concurrency))],
  ["SHARES", ({ shares }) => shares.map(({ host }) => host ?? "a process").join(" "), "text"],
  ["USD", ({ spent_usd, usd_per_day }) => part(spent_usd, usd_per_day)],
  ["WHY", ({ reason }) => reason, "text"],
];

const shareColumns: readonly Column<Limit["shares"][number]>[] = [
  ["HOST", ({ host }) => host ?? "a process of its own", "key"],
  ["SHARES", ({ shares }) => String(shares)],
  ["CALLS", ({ calls }) => String(calls)],
  ["REQUESTS", ({ requests }) => String(requests)],
  ["USD", ({ usd }) => String(usd)],
];

async function list(command: Command): Promise<void> {
  const all = await clientFor(command).limits.list();
  if (wantsJson(command)) return printLines(all);
  await printTable(all, columns(all), "no limits; make one: ganglion limits set <name> --requests-per-minute 50");
}

async function show(limit: Limit, command: Command): Promise<void> {
  if (wantsJson(command)) return print(JSON.stringify(limit));
  const { used } = limit;
  await printFields({
    name: limit.name,
    description: limit.description,
    state: limit.state,
    until: limit.closed_until ?? undefined,
    why: limit.reason ?? undefined,
    "tasks parked": limit.parked,
    "requests a minute": part(used.requests, limit.requests_per_minute) || undefined,
    "input tokens a minute": part(used.input_tokens, limit.input_tokens_per_minute) || undefined,
    "output tokens a minute": part(used.output_tokens, limit.output_tokens_per_minute) || undefined,
    held: limit.concurrency === undefined ? String(limit.held) : part(limit.held, limit.concurrency),
    "dollars today": part(limit.spent_usd, limit.usd_per_day) || undefined,
    zone: limit.zone,
    "when away": limit.when_away,
  });
  if (limit.shares.length > 0) await printTable(limit.shares, shareColumns, "");
}
