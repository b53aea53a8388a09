import { amountsOf } from "../billing/bill.ts";
import { LINES, UNIT_PRICES } from "../billing/prices.ts";
import { NO_USAGE, sumUsage, type Usage } from "../billing/usage.ts";
import { OTHER } from "../collections/labelled-counts.ts";
import { type Family, familyNamed } from "./families.ts";
import { type KeptReport, type Sample, StateReport } from "./report.ts";
import { SampleSet } from "./sample-set.ts";

/** Adds what objects reported of themselves to a set. */
export class ReportedState {
  readonly #set: SampleSet;
  readonly #nowMs: number;
  readonly #sent = new Map<string, number>();
  readonly #cursors = new Map<string, number>();

  constructor(set: SampleSet, nowMs: number) {
    this.#set = set;
    this.#nowMs = nowMs;
  }

  /** @returns `false`: the report cannot be read, as one of a later version may not */
  add({ label, atMs, body }: KeptReport): boolean {
    const report = readReport(body);
    if (report === undefined) return false;
    const { object, usage, database_bytes, samples, folded, sent, cursor, rest } = report;
    const labels = { object, queue: label };
    if (rest === undefined) {
      this.#set.add("ganglion_state_age_seconds", labels, this.#ageOf(atMs));
      this.#set.add("ganglion_database_bytes", labels, database_bytes);
    }
    this.#set.add("ganglion_series_dropped", {}, folded);
    this.addUsage(object, usage);
    for (const sample of samples) this.#addSample(sample, label, atMs);
    for (const [projection, seq] of Object.entries(sent ?? {})) this.#sent.set(projection, seq);
    if (cursor !== undefined) this.#cursors.set(...cursor);
    return true;
  }

  addUsage(object: string, usage: Usage): void {
    const amounts = amountsOf(usage, 0);
    for (const unit of LINES) {
      if (unit === "storage" || amounts[unit] === 0) continue;
      this.#set.add("ganglion_billed_units", { object, unit }, amounts[unit]);
      this.#set.add("ganglion_list_price_dollars", { unit }, amounts[unit] * UNIT_PRICES[unit]);
    }
  }

  /** To be called after the last report of an ecosystem: what follows from several of its objects. */
  endEcosystem(): void {
    for (const [projection, cursor] of this.#cursors) {
      const lag = Math.max(0, (this.#sent.get(projection) ?? 0) - cursor);
      this.#set.add("ganglion_projection_lag_signals", { projection }, lag);
    }
    this.#sent.clear();
    this.#cursors.clear();
  }

  #addSample([name, values, value]: Sample, queue: string, atMs: number): void {
    const family = familyNamed(name);
    if (family === undefined) return;
    const labels = Object.fromEntries(
      family.labels.map((label, place) => [label, values[place] || (label === "queue" ? queue : "")]),
    );
    this.#set.add(name, labels, typeof value === "number" ? this.#presentValue(family, value, atMs) : value);
  }

  #presentValue({ age, per }: Family, value: number, atMs: number): number {
    if (age === true) return this.#ageOf(value);
    return per !== undefined && periodOf(per, atMs) !== periodOf(per, this.#nowMs) ? 0 : value;
  }

  #ageOf(sinceMs: number): number {
    return Math.max(0, this.#nowMs - sinceMs) / 1_000;
  }
}

export function readReport(body: string): StateReport | undefined {
  try {
    return StateReport.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

const periodOf = (per: "day" | "month", ms: number) => new Date(ms).toISOString().slice(0, per === "day" ? 10 : 7);

const NO_REST: StateReport = {
  object: "PriorityQueue",
  usage: NO_USAGE,
  database_bytes: 0,
  samples: [],
  folded: 0,
  rest: true,
};

/**
 * What is left of queues that were deleted: their counters, under `other`, so that no sum falls with them.
 *
 * @param before - the rest of those that were deleted earlier; `undefined`: none was
 * @param deleted - the last report of the queue
 */
export function restOf(before: string | undefined, deleted: string): string {
  const rest = restFrom(before);
  const gone = readReport(deleted);
  if (gone === undefined) return JSON.stringify(rest);
  const set = new SampleSet();
  for (const [name, values, value] of [...rest.samples, ...gone.samples]) {
    const labels = familyNamed(name)?.labels ?? [];
    const named = labels.map((label, place) => [label, label === "queue" ? OTHER : (values[place] ?? "")]);
    set.add(name, Object.fromEntries(named), value);
  }
  return JSON.stringify({
    ...rest,
    usage: sumUsage(rest.usage, gone.usage),
    samples: set.growing(),
    folded: rest.folded + gone.folded,
  });
}

/** @returns the rest with one more queue that found no label of its own */
export function withFolded(before: string | undefined): string {
  const rest = restFrom(before);
  return JSON.stringify({ ...rest, folded: rest.folded + 1 });
}

const restFrom = (before: string | undefined) => (before === undefined ? NO_REST : (readReport(before) ?? NO_REST));
