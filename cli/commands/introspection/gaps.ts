import { Command, Option } from "commander";
import type { Gap } from "../../../src/core/introspection/api.ts";
import type { GapEvidence } from "../../../src/core/introspection/gaps/gap-evidence.ts";
import { UsageError } from "../../failure.ts";
import { at, type Column, print, printFields, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { argumentAndCommand, viewOptions, withArgument, withVerbs } from "../verbs.ts";

const columns: readonly Column<Gap>[] = [
  ["STATUS", ({ status }) => status, "state"],
  ["NAME", ({ name }) => name, "key"],
  ["CATEGORY", ({ category }) => category],
  ["SCORE", ({ alignment_score }) => alignment_score.toFixed(2)],
  ["RAISED", ({ raised_at }) => at(raised_at), "whole"],
  ["LAST SEEN", ({ last_seen_at }) => at(last_seen_at), "whole"],
  ["REASON", ({ reason }) => reason, "text"],
];

interface GapsOptions {
  readonly status?: Status;
  readonly samples?: true;
}

type Status = "open" | "resolved" | "all";

export const gapsCommand = () =>
  withVerbs(gapsView("gaps", "[name]"), gapsView("list", undefined), gapsView("show", "<name>"));

const gapsView = (verb: string, argument: "[name]" | "<name>" | undefined) =>
  withArgument(new Command(verb), argument, "one gap, with its evidence")
    .summary("Open problems, with their evidence")
    .addOption(
      new Option("--status <status>", "which (default: open; all for one gap)").choices(["open", "resolved", "all"]),
    )
    .option("--samples", "of one gap: the samples it rests on, with both thresholds")
    .addHelpText("after", "\nWith --json: one gap a line; with --samples one document.")
    .action(async (...given: unknown[]) => {
      const [name, command] = argumentAndCommand(given);
      const { status, samples } = viewOptions<GapsOptions>(command);
      if (samples === true) return showSamples(name, command);
      const wanted = status ?? (name === undefined ? "open" : "all");
      const gaps = await clientFor(command).gaps(wanted, name);
      if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(gaps);
      const [newest, ...earlier] = gaps;
      const nothing = name === undefined ? "" : ` called ${name}`;
      if (name === undefined || newest === undefined)
        return printTable(gaps, columns, wanted === "all" ? `no gaps${nothing}` : `no ${wanted} gaps${nothing}`);
      await printEvidence(newest);
      if (earlier.length > 0) {
        await print("\nearlier gaps of this name");
        await printTable(earlier, columns, "");
      }
    });

const sampleColumns: readonly Column<GapEvidence["samples"][number]>[] = [
  ["TIME", (row) => at(row.at), "key"],
  ["VALUE", ({ value }) => value, "key"],
  ["REPORTER", ({ reporter }) => reporter],
  ["SIGNAL", ({ seq }) => seq],
];

async function showSamples(name: string | undefined, command: Command): Promise<void> {
  if (name === undefined)
    throw new UsageError("--samples is about one gap: name it, as in ganglion gaps <name> --samples");
  const client = clientFor(command);
  const [gap] = await client.gaps("all", name);
  if (gap === undefined) return remark(`no gaps called ${name}`);
  const evidence = await client.gapEvidence(gap.fingerprint);
  if (command.optsWithGlobals<GlobalOptions>().json === true) return print(JSON.stringify(evidence));
  const { metric, unit, raise, clear, worse, samples, left_out, window_seconds } = evidence;
  await printFields({ name, metric, unit, worse, "raised beyond": raise, "resolved at": clear });
  await printTable(samples, sampleColumns, `no samples in the window of ${window_seconds} s`);
  if (left_out > 0) remark(`${left_out} older samples are left out`);
}

async function printEvidence(gap: Gap): Promise<void> {
  const { metadata } = gap;
  const { metric, value, threshold, unit, sample_count, reporters, first_seq, last_seq, details } = metadata;
  const times = (count: number | undefined) => (count === undefined ? undefined : `${count} times`);
  const known = (fields: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined));
  await printFields(
    known({
      name: gap.name,
      status: gap.status,
      reason: gap.reason,
      category: gap.category,
      score: gap.alignment_score,
      "install cost": gap.install_cost,
      raised: gap.raised_at,
      "last seen": gap.last_seen_at,
      "quiet since": gap.calm_since,
      resolved: gap.resolved_at,
      reopened: times(gap.reopened),
      reminded: times(gap.reminders),
      signal: gap.signal_id,
      fingerprint: gap.fingerprint,
      [String(metric ?? "value")]: `${String(value)} ${String(unit)} (limit ${String(threshold)})`,
      samples: sample_count,
      reporters: Array.isArray(reporters) ? reporters.join(" ") : undefined,
      "seen in": `signals ${String(first_seq)} to ${String(last_seq)}`,
      ...(typeof details === "object" && details !== null ? details : {}),
    }),
  );
}
