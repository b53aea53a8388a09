import { doubled } from "../numbers/doubled.ts";
/** When a supervised process is started again, how long it may be silent, and what it may use. Times in milliseconds. */
export interface ProcessRules {
  /** When to restart a process that ended without a request. `on_failure`: not after exit code 0. */
  readonly restart: "always" | "on_failure" | "never";
  /** Restarts in a row, without a stable run between them, before the supervisor gives up. */
  readonly maxRestarts: number;
  /** A process that ran this long is stable: its next failure counts as the first one again. */
  readonly stableMs: number;
  /** From SIGTERM to SIGKILL on a requested stop. */
  readonly stopMs: number;
  /** Longest silence of a process that sends heartbeats. */
  readonly heartbeatMs: number;
  /** The process must send heartbeats: without a first heartbeat in time it counts as hung. */
  readonly heartbeatExpected: boolean;
  /** Longest time at work without progress, for one that reports progress. */
  readonly progressMs: number;
  /** Resident memory of the whole process group. */
  readonly memoryBytes: number | null;
  /** Processor time of the whole process group; 100 is one processor. */
  readonly cpuPercent: number | null;
  /** How long a limit may be exceeded. */
  readonly limitMs: number;
}

export const DEFAULT_RULES: ProcessRules = {
  restart: "always",
  maxRestarts: 3,
  stableMs: 60_000,
  stopMs: 30_000,
  heartbeatMs: 60_000,
  heartbeatExpected: false,
  progressMs: 600_000,
  memoryBytes: null,
  cpuPercent: null,
  limitMs: 30_000,
};

/** From SIGTERM to SIGKILL for a hung process, which usually does not react to SIGTERM. */
export const HUNG_STOP_MS = 2_000;

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 4_000;

/**
 * Pause before a restart: 0.5 s, 1 s, 2 s, then 4 s, so that a start follows within 5 s of the failure.
 * There is no jitter: the processes of one host are few, and their shared edge has its own protection.
 *
 * @param inRow - restarts in a row, this one included, from 1
 */
export function restartDelayMs(inRow: number): number {
  return doubled(FIRST_DELAY_MS, MAX_DELAY_MS, inRow - 1);
}
