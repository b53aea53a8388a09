import { Command, Option } from "commander";
import type { HistoryPage, HistoryPoint, Observation } from "../../../src/core/introspection/api.ts";
import { seconds, time, wholeNumber } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { at, type Column, cellText, clock, print, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { chart, columnsOf, figure } from "./chart.ts";

const columns: readonly Column<Observation>[] = [
  ["TIME", ({ ts }) => at(ts), "key"],
  ["REPORTER", ({ zooid_name }) => zooid_name, "text"],
  ["NICHE", ({ niche }) => niche],
  ["OK", ({ ok }) => (ok ? "yes" : "no"), "state"],
  ["TTR MS", ({ ttr_ms }) => ttr_ms],
  ["FACTS", ({ facts }) => facts, "text"],
];

const pointColumns: readonly Column<HistoryPoint>[] = [
  ["TIME", ({ ts }) => at(ts), "key"],
  ["COUNT", ({ count }) => count],
  ["MEAN", ({ mean }) => figure(mean)],
  ["MIN", ({ min }) => figure(min)],
  ["P50", ({ p50 }) => figure(p50)],
  ["P95", ({ p95 }) => figure(p95)],
  ["MAX", ({ max }) => figure(max)],
];

interface Options {
  readonly seconds?: number;
  readonly reporter?: string;
  /** The earlier name of `reporter`. */
  readonly zooid?: string;
  readonly limit?: number;
  readonly history?: true;
  readonly metric?: string;
  readonly since?: string;
  readonly until?: string;
  readonly step?: number;
  readonly table?: true;
}

export const observationsCommand = () =>
  new Command("observations")
    .summary("recent observations, or a metric over time")
    .option("--seconds <time>", "how far back, up to the length of the window (default: 60s)", seconds(1, 3_600))
    .option("--reporter <name>", "only observations of this reporter")
    .addOption(new Option("--zooid <name>", "the same as --reporter").hideHelp())
    .option("--limit <n>", "number of observations, the newest (default: 1000)", wholeNumber(1, 10_000))
    .option("--history", "a metric over time, up to thirty days back")
    .option("--metric <name>", "with --history: the metric, such as cpu_percent, ttr_ms, or ok (the success rate)")
    .option("--since <time>", "with --history: a time or an age such as 2h (default: 1h)", time)
    .option("--until <time>", "with --history: a time or an age (default: now)", time)
    .option(
      "--step <time>",
      "with --history: time between two points, 1m at least (default: chosen by the length of time)",
      seconds(60),
    )
    .option("--table", "with --history: figures instead of a chart")
    .addHelpText("after", "\nWith --json: one observation, or one point, a line.")
    .action(async (options: Options, command: Command) => {
      if (options.history) return history(options, command);
      const { reporter: zooid = options.zooid, limit, metric } = options;
      if (metric !== undefined) throw new UsageError("--metric is allowed only with --history");
      const query = {
        ...(options.seconds === undefined ? {} : { seconds: options.seconds }),
        ...(zooid === undefined ? {} : { zooid }),
        ...(limit === undefined ? {} : { limit }),
      };
      const { observations } = await clientFor(command).observations(query);
      if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(observations);
      await printTable(observations, columns, "no observations");
    });

async function history(options: Options, command: Command): Promise<void> {
  const { metric, reporter = options.zooid, since, until, step, table } = options;
  if (metric === undefined)
    throw new UsageError("--metric is required with --history: for example --metric cpu_percent");
  const page = await clientFor(command).history({
    metric,
    ...(reporter === undefined ? {} : { reporter }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(step === undefined ? {} : { step }),
  });
  if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(page.points);
  const emptyText = `no measurements of ${metric} in this time`;
  if (table) return printTable(page.points, pointColumns, emptyText);
  const drawn = draw(page);
  if (drawn === undefined) return remark(emptyText);
  await print(drawn.join("\n"));
}

const WIDTH = 80;
const HEIGHT = 8;

function draw({ metric, reporter, step_seconds, points, reporters }: HistoryPage): string[] | undefined {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const width = process.stdout.isTTY ? Math.max(20, process.stdout.columns - 16) : WIDTH;
  const columns = columnsOf(points, step_seconds * 1_000, width);
  const count = points.reduce((sum, point) => sum + point.count, 0);
  const mean = points.reduce((sum, point) => sum + point.mean * point.count, 0) / count;
  const who = reporter ?? (reporters.length === 1 ? reporters[0] : `${reporters.length} reporters`);
  return [
    `${metric} of ${cellText(who)}, mean of every ${duration(step_seconds)}`,
    ...chart(columns, HEIGHT),
    `${clock(first.ts)} to ${clock(last.ts)}`,
    `mean ${figure(mean)}  min ${figure(Math.min(...points.map(({ min }) => min)))}  max ${figure(Math.max(...points.map(({ max }) => max)))}  highest p95 ${figure(Math.max(...points.map(({ p95 }) => p95)))}  count ${count}`,
  ];
}

function duration(seconds: number): string {
  if (seconds % 3_600 === 0) return `${seconds / 3_600} h`;
  return `${seconds / 60} min`;
}
