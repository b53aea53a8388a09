import { basename, dirname, join } from "node:path";
import { formatTimestamp, parseTimestamp } from "../../src/core/signals/timestamp.ts";
import { truthOf } from "../base/truth-value.ts";

/**
 * The files of older tools, and how their records become the facts of an `OBSERVATION`. All fields of a record become
 * facts unchanged; a field with a name on the left is renamed to the name on the right, unless the record has that
 * field already.
 */
const FILES = {
  "inference_metrics.jsonl": { niche: "inference", names: { tokens_per_second: "tokens_per_sec", task: "task_type" } },
  "context_utilization.jsonl": { niche: "context", names: { reference_positions: "references" } },
  "resource_metrics.jsonl": {
    niche: "resources",
    names: { cpu: "cpu_percent", ram: "ram_percent", gpu: "gpu_utilization" },
  },
  "queue_metrics.jsonl": { niche: "queues", names: { queue: "queue_name" } },
  "operation_timings.jsonl": { niche: "operations", names: { name: "operation" } },
  "fitness_ledger.jsonl": { niche: null, names: { latency_ms: "ttr_ms" } },
} as const satisfies Record<string, { niche: string | null; names: Readonly<Record<string, string>> }>;

export type MetricFile = keyof typeof FILES;

export const METRIC_FILES = Object.keys(FILES) as readonly MetricFile[];

/** Metric files by their names in one directory, which are their own names unless the settings give others. */
export type FilesByName = ReadonlyMap<string, MetricFile>;

/** @returns the name under which an entry is, or was before it was rotated: `<file>.1`, `<file>-20260131`, … */
export function metricNameOf(entry: string, files: FilesByName): string | undefined {
  if (files.has(entry)) return entry;
  for (const name of files.keys()) if (entry.startsWith(`${name}.`) || entry.startsWith(`${name}-`)) return name;
  return undefined;
}

/**
 * @param paths - absolute paths of files that do not lie in `directory` under their own names
 * @returns for each directory the files in it; that of `directory` is first, and there even where no file is left in it
 */
export function filesByDirectory(
  directory: string,
  paths: Readonly<Partial<Record<MetricFile, string>>> = {},
): Map<string, FilesByName> {
  const byDirectory = new Map<string, Map<string, MetricFile>>([[directory, new Map()]]);
  for (const file of METRIC_FILES) {
    const path = paths[file] ?? join(directory, file);
    const files = byDirectory.get(dirname(path)) ?? new Map<string, MetricFile>();
    byDirectory.set(dirname(path), files.set(basename(path), file));
  }
  return byDirectory;
}

/** A larger number is a time in milliseconds: in seconds it would lie after the year 5138. */
const LEAST_MS = 1e11;

/**
 * @param record - one line, parsed
 * @returns the input of a signal, not yet admitted
 * @throws TypeError for a record that is no object, or whose time or success cannot be read
 */
export function observationOf(file: MetricFile, record: unknown, hostId: string): Record<string, unknown> {
  if (typeof record !== "object" || record === null || Array.isArray(record))
    throw new TypeError("the line is not one JSON object");
  const { niche, names } = FILES[file];
  const { timestamp, ts, ...facts } = record as Record<string, unknown>;
  for (const [from, to] of Object.entries(names)) {
    if (facts[to] !== undefined || facts[from] === undefined) continue;
    facts[to] = facts[from];
    delete facts[from];
  }
  const success = takeTruth(facts, "success");
  const ok = takeTruth(facts, "ok") ?? success;
  if (ok !== undefined) facts.ok = ok;
  if (facts.zooid === undefined && facts.zooid_name === undefined) facts.zooid = `metrics/${hostId}`;
  if (facts.niche === undefined && niche !== null) facts.niche = niche;
  return { signal: "OBSERVATION", source: `metrics/${hostId}/${file}`, facts, ...timeOf(timestamp ?? ts) };
}

/**
 * Takes a truth value out of the facts. The tools that write these files spell it in many ways.
 *
 * @returns `undefined` for a field that is absent or null
 */
function takeTruth(facts: Record<string, unknown>, field: string): boolean | undefined {
  const given = facts[field];
  delete facts[field];
  if (given === undefined || given === null) return undefined;
  const value = truthOf(given);
  if (value !== undefined) return value;
  const shown = (JSON.stringify(given) ?? "").slice(0, 50);
  throw new TypeError(`${field}: give true or false, also as "yes", "no", 1 or 0; it is ${shown}`);
}

function timeOf(given: unknown): { timestamp?: string } {
  if (given === undefined || given === null) return {};
  const ms = parseTimestamp(typeof given === "number" && given > LEAST_MS ? given / 1_000 : given);
  if (ms === undefined) throw new TypeError("timestamp: give RFC 3339, or seconds since the epoch");
  return { timestamp: formatTimestamp(ms) };
}
