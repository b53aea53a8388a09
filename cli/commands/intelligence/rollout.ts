import { Command } from "commander";
import type {
  ArmComparison,
  ArmName,
  Breach,
  IntelligenceHealth,
  RolloutState,
  RolloutView,
} from "../../../src/core/intelligence/rollout/api.ts";
import { placeOfKey } from "../../../src/core/intelligence/stable-share.ts";
import { amount } from "../../arguments.ts";
import { type Column, print, printFields, printTable, remark } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

const note = ["--note <text>", "why, for people and for the log"] as const;

/** `ganglion rollout`: which share of those who ask about code asks live hosts. */
export const rolloutCommand = () =>
  new Command("rollout")
    .summary("the share of requests about code that asks live hosts: show, set, rollback, health")
    .addHelpText("after", "\nWithout a command: shows it. With --json: one document.")
    .action((_options: object, command: Command) => show({}, command))
    .addCommand(
      new Command("show")
        .summary("the share, both arms of the last minutes, and their comparison")
        .option("--key <name>", "say on which side a service is")
        .addHelpText("after", "\nWith --json: one document.")
        .action(show),
    )
    .addCommand(
      new Command("health")
        .summary("the figures of all who ask, and what is beyond its target")
        .addHelpText("after", "\nWith --json: one document.")
        .action(health),
    )
    .addCommand(
      new Command("set")
        .summary("set the share; ends a rollback")
        .argument("<percent>", "0 to 100", amount(100))
        .option(...note)
        .addHelpText("after", "\nStages that are usual: 10, 50, 100. With --json: one document.")
        .action(async (share: number, given: { note?: string }, command: Command) => {
          const state = await clientFor(command).rollout.set({ share, ...given });
          await shown(state, command, `${share} % of the keys ask live hosts`);
        }),
    )
    .addCommand(
      new Command("rollback")
        .summary("no request asks live hosts until the share is set again")
        .option(...note)
        .addHelpText("after", "\nWith --json: one document.")
        .action(async (given: { note?: string }, command: Command) => {
          const state = await clientFor(command).rollout.rollBack(given.note);
          const before = state.rolled_back?.share_before ?? 0;
          await shown(state, command, `rolled back from ${before} %: every asker uses the built-in library`);
        }),
    );

async function shown(state: RolloutState, command: Command, text: string): Promise<void> {
  if (wantsJson(command)) return print(JSON.stringify(state));
  remark(text);
  await printFields({ share: state.share, version: state.version });
}

async function show({ key }: { key?: string }, command: Command): Promise<void> {
  const view = await clientFor(command).rollout.show();
  const place = key === undefined ? undefined : placeOfKey(key);
  const chosen = place === undefined ? undefined : { key, place, chosen: place < view.share };
  if (wantsJson(command)) return print(JSON.stringify(chosen === undefined ? view : { ...view, ...chosen }));
  await printFields({
    share: `${view.share} %`,
    version: view.version,
    since: view.since,
    by: view.by,
    note: view.note,
    ...(view.rolled_back === null ? {} : { "rolled back": rollbackText(view.rolled_back) }),
    ...(chosen === undefined ? {} : { [`key ${key}`]: chosen.chosen ? "asks live hosts" : "uses the library" }),
  });
  await print("");
  await printTable(armRows(view), armColumns, "");
  await print("");
  await printTable(view.comparison.metrics, comparisonColumns, "");
}

async function health(_options: object, command: Command): Promise<void> {
  const { alerts, last_five_minutes: lately, ...hour } = await clientFor(command).rollout.health();
  if (wantsJson(command)) return print(JSON.stringify({ ...hour, last_five_minutes: lately, alerts }));
  const rows = Object.entries({ ...hour, ...lately }).map(([name]) => ({
    name,
    hour: new Map(Object.entries(hour)).get(name),
    lately: new Map(Object.entries(lately)).get(name),
  }));
  await printTable(rows, figureColumns, "");
  await print("");
  await printTable(alerts, alertColumns, "nothing is beyond its target");
}

interface FigureRow {
  readonly name: string;
  readonly hour: unknown;
  readonly lately: unknown;
}
const figureColumns: readonly Column<FigureRow>[] = [
  ["FIGURE", ({ name }) => name, "key"],
  ["LAST HOUR", ({ hour }) => hour],
  ["LAST 5 MINUTES", ({ lately }) => lately],
];

const alertColumns: readonly Column<IntelligenceHealth["alerts"][number]>[] = [
  ["ALERT", ({ alert }) => alert, "key"],
  ["SEVERITY", ({ severity }) => severity, "state"],
  ["VALUE", ({ value }) => value],
  ["LIMIT", ({ limit }) => limit],
];

function rollbackText({
  rule,
  value,
  limit,
  unit,
  share_before,
  at,
}: NonNullable<RolloutState["rolled_back"]>): string {
  const measured = value === null ? "" : `: ${value} ${unitText(unit)}, limit ${limit}`;
  return `${at} from ${share_before} %, ${rule}${measured}`;
}

const unitText = (unit: Breach["unit"] | null) => (unit === "percent" ? "%" : (unit ?? ""));

type ArmRow = RolloutView["arms"][ArmName] & { readonly arm: ArmName };
const armRows = ({ arms }: RolloutView): ArmRow[] => [
  { arm: "live", ...arms.live },
  { arm: "library", ...arms.library },
];

const armColumns: readonly Column<ArmRow>[] = [
  ["ARM", ({ arm }) => arm, "key"],
  ["REQUESTS", ({ requests }) => requests, "key"],
  ["SUCCESS %", ({ success_percent }) => success_percent],
  ["FALLBACK %", ({ fallback_percent }) => fallback_percent],
  ["CONNECTION %", ({ connection_error_percent }) => connection_error_percent],
  ["P50 MS", ({ p50_ms }) => p50_ms],
  ["P95 MS", ({ p95_ms }) => p95_ms],
  ["P99 MS", ({ p99_ms }) => p99_ms],
  ["CONFIDENCE", ({ confidence }) => confidence],
  ["MISMATCHES", ({ mismatches }) => mismatches],
  ["CORRUPTED", ({ corrupted }) => corrupted],
];

const comparisonColumns: readonly Column<ArmComparison>[] = [
  ["COMPARED", ({ metric }) => metric, "key"],
  ["LIVE", ({ live }) => live],
  ["LIBRARY", ({ library }) => library],
  ["P", ({ p_value }) => p_value],
  ["VERDICT", ({ verdict }) => verdict.replaceAll("_", " "), "text"],
];
