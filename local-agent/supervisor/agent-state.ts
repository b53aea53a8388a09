import { type AgentState, stateInWords } from "../../src/core/supervisor/api.ts";
import type { ProcessView } from "../../src/core/supervisor/process-protocol.ts";

/** The state of a supervised agent in the host's status, which the edge shows. */
export type AgentSummary = Omit<AgentState, "uptime_ms" | "log" | "desired">;

/** @param nowMs - of the clock by which the view was made; `wallMs` is the same moment since the epoch */
export function stateOf(
  name: string,
  view: ProcessView,
  log: string,
  nextWakeMs: number | null,
  nowMs: number,
  wallMs: number,
): AgentState {
  const { phase, verdict, silent, desired, pid, startedMs, task, cpuPercent, memoryBytes, restarts, detail } = view;
  const uptimeMs = startedMs === null ? null : Math.round(nowMs - startedMs);
  return {
    name,
    state: phase,
    verdict,
    silent,
    desired,
    pid,
    started_at: uptimeMs === null ? null : new Date(wallMs - uptimeMs).toISOString(),
    uptime_ms: uptimeMs,
    task,
    cpu_percent: cpuPercent,
    memory_mb: memoryBytes === null ? null : Math.round(memoryBytes / 104_857.6) / 10,
    restarts,
    detail,
    log,
    next_wake_at: nextWakeMs === null ? null : new Date(nextWakeMs).toISOString(),
  };
}

export function summaryOf({ uptime_ms: _, log: _log, desired: _desired, ...rest }: AgentState): AgentSummary {
  return {
    ...rest,
    // To the second: the time is computed from two clocks, and its milliseconds would change each time.
    started_at: rest.started_at === null ? null : `${rest.started_at.slice(0, 19)}Z`,
    // Views that show only state and detail, as for a source, then show the essential.
    detail: rest.detail ?? (rest.state === "up" ? stateInWords(rest) : null),
  };
}
