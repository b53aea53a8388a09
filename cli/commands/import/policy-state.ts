import { stat } from "node:fs/promises";
import { Command } from "commander";
import { parse } from "yaml";
import type { Client } from "../../../src/client/client.ts";
import type { Policy } from "../../../src/core/policy/api.ts";
import { MAX_MARKS, planStateImport, StateImport, type StateMarks } from "../../../src/core/policy/state-import.ts";
import { formatTimestamp } from "../../../src/core/signals/timestamp.ts";
import { Failure } from "../../failure.ts";
import { type Column, print, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { readOlderState } from "./older-state/read.ts";
import type { Mark, OlderField } from "./older-state/rows.ts";
import { textOf } from "./text-of.ts";

/** A field of the file, and what has become of it. */
interface Row {
  readonly field: string;
  readonly means: string;
  readonly rule: string | null;
  readonly outcome: "taken" | "would_be_taken" | "unchanged" | "not_taken";
  /** How long the rule is held back. */
  readonly until?: string;
  readonly reason?: string;
}

const columns: readonly Column<Row>[] = [
  ["FIELD", ({ field }) => field],
  ["MEANS", ({ means }) => means],
  ["RULE", ({ rule }) => rule],
  ["HERE", hereOf],
];

function hereOf({ outcome, until, reason }: Row): string | undefined {
  if (outcome === "taken") return `held back until ${until} at most`;
  if (outcome === "would_be_taken") return `would be held back until ${until} at most`;
  return outcome === "unchanged" ? "held back already, or imported before" : reason;
}

export const policyStateCommand = () =>
  new Command("policy-state")
    .summary("take over what an older policy daemon has in flight, and has done")
    .description(
      "Reads the file in which an older policy daemon kept its state, shows what each field means to the rules here, and " +
        "holds the rules back that would begin the same again: a dream that is in flight, a gap that was investigated. A file " +
        "that is imported twice counts once. docs/coming-from/orchestrator.md has the fields that are recognised.",
    )
    .argument("<file>", "JSON or YAML: one object")
    .option("--dry-run", "show what would be taken over, and change nothing")
    .addHelpText("after", "\nWith --json: one document {file, saved_at, dry_run, fields}.")
    .action(async (file: string, { dryRun = false }: { dryRun?: boolean }, command: Command) => {
      const client = clientFor(command);
      const document = await documentOf(file);
      const rules = await client.policy.list();
      const nowMs = Date.now();
      const changedMs = Math.min((await stat(file)).mtimeMs, nowMs);
      const { fields, savedMs } = readFields(file, document, rules, changedMs);
      const rows = await outcomesOf(fields, rules, nowMs, dryRun ? undefined : client);
      if (command.optsWithGlobals<GlobalOptions>().json === true) {
        const saved_at = formatTimestamp(Math.round(savedMs));
        return print(JSON.stringify({ file, saved_at, dry_run: dryRun, fields: rows }));
      }
      await printTable(rows, columns, "the file has no fields");
      const held = rows.filter(({ until }) => until !== undefined).length;
      remark(`${held} of ${rows.length} ${dryRun ? "would hold" : "hold"} a rule back from now on`);
    });

async function documentOf(file: string): Promise<unknown> {
  const text = await textOf(file);
  try {
    return parse(text);
  } catch (error) {
    throw new Failure(`${file} is neither JSON nor YAML: ${(error as Error).message}`);
  }
}

function readFields(file: string, document: unknown, rules: readonly Policy[], changedMs: number) {
  try {
    return readOlderState(document, rules, changedMs);
  } catch (error) {
    throw new Failure(`${file}: ${(error as Error).message}`);
  }
}

/** A field whose mark the rule can keep, and its place in the rows. */
interface Wanted {
  readonly place: number;
  readonly rule: string;
  readonly mark: Mark;
  readonly until: string;
}

/** @param client - absent: nothing is changed */
async function outcomesOf(fields: readonly OlderField[], rules: readonly Policy[], nowMs: number, client?: Client) {
  const wanted: Wanted[] = [];
  const rows = fields.map(({ field, means, rule: id, mark, reason }, place): Row => {
    const given = { field, means, rule: id };
    const rule = rules.find((one) => one.id === id);
    if (mark === undefined || rule === undefined) return { ...given, outcome: "not_taken", ...(reason && { reason }) };
    const until = untilOf(rule, mark, nowMs);
    if (until.error !== undefined) return { ...given, outcome: "not_taken", reason: until.error };
    wanted.push({ place, rule: rule.id, mark, until: until.at });
    return { ...given, outcome: "would_be_taken", until: until.at };
  });
  if (client === undefined) return rows;
  for (const id of new Set(wanted.map(({ rule }) => rule))) {
    const own = wanted.filter(({ rule }) => rule === id);
    for (let from = 0; from < own.length; from += MAX_MARKS) {
      await send(client, id, own.slice(from, from + MAX_MARKS), rows);
    }
  }
  return rows;
}

/** Until when the mark would hold the rule back, or why not. */
function untilOf(rule: Policy, mark: Mark, nowMs: number): { at: string; error?: undefined } | { error: string } {
  const request = StateImport.safeParse(requestOf([mark]));
  if (!request.success) return { error: request.error.issues.map(({ message }) => message).join("; ") };
  const plan = planStateImport(rule, request.data, nowMs);
  if ("errors" in plan) return { error: plan.errors.map(({ message }) => message).join("; ") };
  const [ignored] = plan.ignored;
  if (ignored !== undefined) return { error: ignored.message };
  return { at: formatTimestamp(Math.max(...plan.marks.map(({ untilMs }) => untilMs))) };
}

async function send(client: Client, rule: string, some: readonly Wanted[], rows: Row[]): Promise<void> {
  const { unchanged, ignored } = await client.policy.importState(rule, requestOf(some.map(({ mark }) => mark)));
  const counts = { in_flight: 0, fired: 0 };
  for (const { place, mark, until } of some) {
    const pointer = `/${mark.kind}/${counts[mark.kind]++}`;
    const { field, means, rule: id } = rows[place] as Row;
    const given = { field, means, rule: id };
    const reason = ignored.find((one) => one.pointer === pointer)?.message;
    if (reason !== undefined) rows[place] = { ...given, outcome: "not_taken", reason };
    else if (unchanged.includes(pointer)) rows[place] = { ...given, outcome: "unchanged" };
    else rows[place] = { ...given, outcome: "taken", until };
  }
}

function requestOf(marks: readonly Mark[]): StateMarks {
  const of = (kind: Mark["kind"]) => marks.filter((mark) => mark.kind === kind);
  const common = ({ key, untilMs }: Mark) => ({
    ...(key === undefined ? {} : { key }),
    ...(untilMs === undefined ? {} : { until: formatTimestamp(Math.round(untilMs)) }),
  });
  return {
    in_flight: of("in_flight").map((mark) => ({ ...common(mark), since: formatTimestamp(Math.round(mark.sinceMs)) })),
    fired: of("fired").map((mark) => ({ ...common(mark), at: formatTimestamp(Math.round(mark.sinceMs)) })),
  };
}
