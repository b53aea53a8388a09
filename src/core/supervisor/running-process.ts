import type { Heartbeat } from "./heartbeat.ts";
import type { Evidence, Reading } from "./process-judgement.ts";
import type { ProcessRules } from "./process-rules.ts";

/** A process that exists, with everything that was received from it and measured of it. Plain data; each step is a copy. */
export interface RunningProcess extends Evidence {
  readonly pid: number;
  /** Since when the memory limit is exceeded. */
  readonly memoryOverMs: number | null;
  /** Since when the CPU limit is exceeded. */
  readonly cpuOverMs: number | null;
  /** A signal had stopped the process, and SIGCONT was sent. If that does not help, the process is replaced. */
  readonly resumed: boolean;
}

export interface ExceededLimit {
  readonly limit_of: "memory" | "cpu";
  readonly used: number;
  readonly limit: number;
  readonly unit: "MiB" | "%";
  readonly reason: string;
}

const MIB = 1024 * 1024;

export function spawnedProcess(pid: number, nowMs: number): RunningProcess {
  return {
    pid,
    startedMs: nowMs,
    beat: null,
    beatMs: nowMs,
    progressedMs: nowMs,
    reading: null,
    stoppedMs: null,
    memoryOverMs: null,
    cpuOverMs: null,
    resumed: false,
  };
}

export function withHeartbeat(running: RunningProcess, beat: Heartbeat, nowMs: number): RunningProcess {
  const last = running.beat;
  const progressed = last?.state !== beat.state || last.task !== beat.task || last.progress !== beat.progress;
  const progressedMs = progressed ? nowMs : running.progressedMs;
  return { ...running, beat, beatMs: nowMs, progressedMs, resumed: false };
}

export function withReading(
  running: RunningProcess,
  reading: Reading,
  { memoryBytes, cpuPercent }: ProcessRules,
  nowMs: number,
): RunningProcess {
  const overMemory = memoryBytes !== null && reading.memoryBytes > memoryBytes;
  const overCpu = cpuPercent !== null && reading.cpuPercent > cpuPercent;
  return {
    ...running,
    reading,
    stoppedMs: reading.stopped ? (running.stoppedMs ?? nowMs) : null,
    resumed: running.resumed && reading.stopped,
    memoryOverMs: overMemory ? (running.memoryOverMs ?? nowMs) : null,
    cpuOverMs: overCpu ? (running.cpuOverMs ?? nowMs) : null,
  };
}

/** SIGCONT was sent to a stopped process: its time starts again. */
export function resumedProcess(running: RunningProcess, nowMs: number): RunningProcess {
  return { ...running, resumed: true, beatMs: nowMs, progressedMs: nowMs, stoppedMs: null };
}

/** The supervisor was suspended for `byMs`: that time does not count. */
export function shiftedProcess(running: RunningProcess, byMs: number): RunningProcess {
  const later = (ms: number | null) => (ms === null ? null : ms + byMs);
  return {
    ...running,
    beatMs: running.beatMs + byMs,
    progressedMs: running.progressedMs + byMs,
    stoppedMs: later(running.stoppedMs),
    memoryOverMs: later(running.memoryOverMs),
    cpuOverMs: later(running.cpuOverMs),
  };
}

/** @returns the limit that has been exceeded for longer than the rules allow */
export function exceededLimit(
  { reading, memoryOverMs, cpuOverMs }: RunningProcess,
  { memoryBytes, cpuPercent, limitMs }: ProcessRules,
  nowMs: number,
): ExceededLimit | undefined {
  const lasted = (sinceMs: number | null) => sinceMs !== null && nowMs - sinceMs >= limitMs;
  if (reading === null) return undefined;
  if (lasted(memoryOverMs)) {
    const used = Math.round(reading.memoryBytes / MIB);
    const limit = Math.round((memoryBytes ?? 0) / MIB);
    const reason = `the process used ${used} MiB of memory; its limit is ${limit} MiB`;
    return { limit_of: "memory", used, limit, unit: "MiB", reason };
  }
  if (lasted(cpuOverMs)) {
    const used = Math.round(reading.cpuPercent);
    const limit = cpuPercent ?? 0;
    const reason = `the process used ${used} % of a processor; its limit is ${limit} %`;
    return { limit_of: "cpu", used, limit, unit: "%", reason };
  }
  return undefined;
}
