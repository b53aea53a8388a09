import type { Heartbeat } from "./heartbeat.ts";
import type { ProcessRules } from "./process-rules.ts";

/** One measurement of a process group. */
export interface Reading {
  readonly memoryBytes: number;
  /** Since the reading before; 100 is one processor. */
  readonly cpuPercent: number;
  /** A process of the group is running or runnable. */
  readonly running: boolean;
  /** Every process of the group was stopped by a signal (SIGSTOP, SIGTSTP). A debugger's stop does not count. */
  readonly stopped: boolean;
}

export type ProcessVerdict = "working" | "waiting" | "idle" | "hung" | "dead";
/** `stopped`: by a signal. `spinning`: computes without progress. `blocked`: uses no CPU. */
export type HangReason = "stopped" | "spinning" | "blocked";

export interface Judgement {
  readonly verdict: ProcessVerdict;
  readonly reason?: HangReason;
}

/** What was received from an existing process, and measured of it. */
export interface Evidence {
  readonly startedMs: number;
  readonly beat: Heartbeat | null;
  /** When the last heartbeat came. */
  readonly beatMs: number;
  /** When its state, task or progress last changed. */
  readonly progressedMs: number;
  readonly reading: Reading | null;
  /** Since when readings show the process as stopped. */
  readonly stoppedMs: number | null;
}

/** Below this a process without heartbeats counts as idle, in percent of a processor. */
const IDLE_BELOW_PERCENT = 5;
/** A process with so much CPU use is not waiting, even if it was not running at the moment of the reading. */
const SPINNING_PERCENT = 25;
/** A busy loop is always runnable, and may get no more CPU than this on a loaded machine. */
const RUNNABLE_SPINNING_PERCENT = 3;

/**
 * When the process counts as hung unless it sends a heartbeat or makes progress before.
 *
 * @returns `undefined` for a process that need not send heartbeats
 */
export function hangsAtMs(evidence: Evidence, rules: ProcessRules): number | undefined {
  const { beat, beatMs, progressedMs, startedMs, stoppedMs } = evidence;
  const deadlines: number[] = [];
  if (stoppedMs !== null) deadlines.push(stoppedMs + rules.heartbeatMs);
  if (beat !== null) deadlines.push(beatMs + rules.heartbeatMs);
  else if (rules.heartbeatExpected) deadlines.push(startedMs + rules.heartbeatMs);
  if (beat?.state === "working" && typeof beat.progress === "number") deadlines.push(progressedMs + rules.progressMs);
  return deadlines.length === 0 ? undefined : Math.min(...deadlines);
}

/** Decides between working, waiting, idle and hung. A process may wait for any time, because the cause lies elsewhere. */
export function judge(evidence: Evidence, rules: ProcessRules, nowMs: number): Judgement {
  const { beat, reading } = evidence;
  const hangs = hangsAtMs(evidence, rules);
  if (hangs !== undefined && nowMs >= hangs) return { verdict: "hung", reason: hangReason(reading) };
  if (beat !== null) return { verdict: beat.state };
  return { verdict: (reading?.cpuPercent ?? 0) >= IDLE_BELOW_PERCENT ? "working" : "idle" };
}

function hangReason(reading: Reading | null): HangReason {
  if (reading?.stopped) return "stopped";
  const percent = reading?.running ? RUNNABLE_SPINNING_PERCENT : SPINNING_PERCENT;
  return (reading?.cpuPercent ?? 0) >= percent ? "spinning" : "blocked";
}
