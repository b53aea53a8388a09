import type { Heartbeat } from "./heartbeat.ts";
import type { Judgement, Reading } from "./process-judgement.ts";

/**
 * `started` and `stopped` are commands of a person, and are kept across restarts of the supervisor. `on_demand`: no
 * person has given a command; the process runs when a schedule wakes it.
 */
export type Desired = "started" | "stopped" | "on_demand";
export type Phase = "stopped" | "starting" | "up" | "stopping" | "backing_off" | "gave_up";

export type ProcessEvent =
  | { readonly type: "start" }
  /** From a schedule. A process that a person has stopped stays stopped. */
  | { readonly type: "wake" }
  | { readonly type: "stop"; readonly force: boolean }
  | { readonly type: "restart"; readonly force: boolean }
  | { readonly type: "spawned"; readonly pid: number }
  | { readonly type: "spawn_failed"; readonly error: string }
  | { readonly type: "heartbeat"; readonly beat: Heartbeat }
  | { readonly type: "measured"; readonly reading: Reading }
  /** `code` is null when a signal ended the process; `why`: the cause, if the caller knows it. */
  | { readonly type: "exited"; readonly code: number | null; readonly signal: string | null; readonly why?: string }
  /** The time of `dueMs` has come. Readings and heartbeats until now were handled before. */
  | { readonly type: "due" }
  /** The supervisor itself was suspended: it received no heartbeats meanwhile, so their absence means nothing. */
  | { readonly type: "paused"; readonly forMs: number };

/** Signals about processes. The caller adds host and name to their facts. */
export type Announcement =
  | "Q_PROCESS_CRASHED"
  | "Q_PROCESS_HUNG"
  | "Q_PROCESS_LIMIT_EXCEEDED"
  | "Q_PROCESS_RESTARTED"
  | "Q_PROCESS_GAVE_UP";

export type ProcessAction =
  | { readonly do: "spawn" }
  /** To the whole process group; SIGTERM to the process alone, where the agent is set so. */
  | { readonly do: "signal"; readonly signal: "SIGTERM" | "SIGKILL" | "SIGCONT" }
  | { readonly do: "announce"; readonly signal: Announcement; readonly facts: Readonly<Record<string, unknown>> };

export interface ProcessView {
  readonly phase: Phase;
  readonly desired: Desired;
  /** State of the process; `dead` when there is none. */
  readonly verdict: Judgement["verdict"];
  /** Whether the process has sent no heartbeat, so that the verdict only follows from its use of CPU. */
  readonly silent: boolean;
  readonly pid: number | null;
  readonly startedMs: number | null;
  readonly task: string | null;
  readonly memoryBytes: number | null;
  readonly cpuPercent: number | null;
  /** Number of restarts since the supervisor started. */
  readonly restarts: number;
  /** Why the process is not up: how it ended, or what it waits for. */
  readonly detail: string | null;
}
