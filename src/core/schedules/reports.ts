import { type RunLedger, runId } from "./run-ledger.ts";
import { MAX_OPEN, msOf } from "./settings.ts";
import type { OpenRun } from "./state.ts";

/** A report so short before a time is the report of that time. */
const EARLY_MS = 60_000;
/** Ids of ended runs by which a report that is repeated is recognised. */
const KEPT_REPORTS = 10;
const UNHEARD = "the next run began, and no end was reported";

/** A report of a job that runs elsewhere. */
export interface Report {
  readonly state: "started" | "progress" | "finished" | "failed";
  /** The caller's id of the run. */
  readonly run?: string | undefined;
  readonly error?: string | undefined;
}

/** Takes the report of a job that runs elsewhere. A report that is repeated changes nothing where it names its run. */
export function takeReport(ledger: RunLedger, { state: what, run: named, error }: Report, nowMs: number): void {
  const { state } = ledger;
  if (named !== undefined && state.reported.includes(named)) return;
  const open = named === undefined ? state.open[0] : ledger.find(named);
  if (what === "progress") {
    if (open !== undefined) open.aliveMs = nowMs;
    return;
  }
  if (what === "started") {
    if (named === undefined || open === undefined) begin(ledger, named, nowMs);
    return;
  }
  const run = open ?? reportedRun(ledger, named, nowMs);
  const ranMs = open === undefined || open.takenMs === null ? null : nowMs - open.takenMs;
  ledger.end(run, { endedMs: nowMs, outcome: what === "finished" ? "complete" : "failed", ranMs, why: error });
  if (named !== undefined) state.reported = [...state.reported, named].slice(-KEPT_REPORTS);
}

/** A sign of life: a run without a length, whatever else runs. */
export function takeBeat(ledger: RunLedger, nowMs: number): void {
  ledger.end(reportedRun(ledger, undefined, nowMs), { endedMs: nowMs, outcome: "complete", ranMs: null });
}

/** Lets runs go on that have reported progress since their last extension. */
export function extendReported(ledger: RunLedger, nowMs: number): void {
  for (const run of ledger.state.open)
    if (run.aliveMs !== undefined && run.aliveMs > nowMs - ledger.extensionMs) ledger.extend(run, nowMs);
}

function begin(ledger: RunLedger, named: string | undefined, nowMs: number): void {
  const { state, settings } = ledger;
  const run = reportedRun(ledger, named, nowMs);
  const over = settings.overlap === "allow" ? state.open.slice(MAX_OPEN - 1) : [...state.open];
  for (const open of over) ledger.end(open, { endedMs: nowMs, outcome: "lost", ranMs: null, why: UNHEARD });
  state.open.push({ ...run, takenMs: nowMs });
}

/** The run that a report is about: of the time that is waited for, or of none. */
function reportedRun(ledger: RunLedger, named: string | undefined, nowMs: number): OpenRun {
  const { state, settings, name } = ledger;
  const due = state.expectedMs ?? ledger.times.between(state.lastMs, nowMs, 1).at(-1);
  const timeMs = due ?? coming(ledger, nowMs) ?? nowMs;
  state.expectedMs = null;
  if (settings.every === undefined) state.lastMs = Math.max(state.lastMs, timeMs);
  else {
    // The job counts from its own last report.
    state.anchorMs = nowMs;
    state.lastMs = nowMs;
  }
  ledger.count(nowMs);
  const id = named ?? `${runId(name, timeMs)}/${nowMs}`;
  const run = ledger.newRun({ id, timeMs, dueMs: timeMs, by: "report" }, nowMs);
  const limit = settings.limits.late_start;
  const late = limit !== undefined && due !== undefined && nowMs >= due + msOf(limit);
  return {
    ...run,
    handed: true,
    finishByMs: ledger.finishBy(Math.max(timeMs, nowMs)),
    broke: late ? ["late_start"] : [],
  };
}

/** The time that comes in a moment, where a report is a little early. */
function coming({ state, times, settings }: RunLedger, nowMs: number): number | undefined {
  if (settings.every !== undefined) return undefined;
  const next = times.next(Math.max(state.lastMs, nowMs));
  if (next === undefined) return undefined;
  const after = times.next(next);
  const early = after === undefined ? EARLY_MS : Math.min(EARLY_MS, (after - next) / 4);
  return next - nowMs <= early ? next : undefined;
}
