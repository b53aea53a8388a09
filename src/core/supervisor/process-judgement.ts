import type { Heartbeat } from "./heartbeat.ts";
import type { ProcessRules } from "./process-rules.ts";

/** What was measured of a process group. */
export interface Reading {
  readonly memoryBytes: number;
  /** Since the reading before; 100 is one processor. */
  readonly cpuPercent: number;
  /** Some process of the group computes, or could if it were let. */
  readonly running: boolean;
  /** Every process of the group was stopped by a signal (SIGSTOP, SIGTSTP). A debugger's stop does not count. */
  readonly stopped: boolean;
}

export type ProcessVerdict = "working" | "waiting" | "idle" | "hung" | "dead";
/** `stopped`: by a signal. `spinning`: it computes and does not come forward. `blocked`: it does nothing at all. */
export type HangReason = "stopped" | "spinning" | "blocked";

export interface Judgement {
  readonly verdict: ProcessVerdict;
  readonly reason?: HangReason;
}

/** What is known of a process that exists. */
export interface Evidence {
  readonly startedMs: number;
  readonly beat: Heartbeat | null;
  /** When the last heartbeat came. */
  readonly beatMs: number;
  /** When its state, task or progress last changed. */
  readonly progressedMs: number;
  readonly reading: Reading | null;
  /** Since when it has been seen stopped. */
  readonly stoppedMs: number | null;
}

/** Below this a process that says nothing of itself counts as idle, in percent of a processor. */
const IDLE_BELOW_PERCENT = 5;
/** Who computes that much does not merely wait, whatever it was doing when it was looked at. */
const SPINNING_PERCENT = 25;
/** A loop that never rests is seen running, and may get no more than this on a crowded machine. */
const CROWDED_PERCENT = 3;

/**
 * When the process must be taken for hung if nothing comes from it until then.
 *
 * @returns `undefined` for one that owes nobody a sign of life
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

/** Working, waiting, idle and hung told apart. One that is waiting is let alone, however long: it is not its fault. */
export function judge(evidence: Evidence, rules: ProcessRules, nowMs: number): Judgement {
  const { beat, reading } = evidence;
  const hangs = hangsAtMs(evidence, rules);
  if (hangs !== undefined && nowMs >= hangs) return { verdict: "hung", reason: hangReason(reading) };
  if (beat !== null) return { verdict: beat.state };
  return { verdict: (reading?.cpuPercent ?? 0) >= IDLE_BELOW_PERCENT ? "working" : "idle" };
}

function hangReason(reading: Reading | null): HangReason {
  if (reading?.stopped) return "stopped";
  const percent = reading?.running ? CROWDED_PERCENT : SPINNING_PERCENT;
  return (reading?.cpuPercent ?? 0) >= percent ? "spinning" : "blocked";
}
