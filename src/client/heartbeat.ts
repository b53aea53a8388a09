import { writeSync } from "node:fs";
import type { Heartbeat } from "../core/supervisor/heartbeat.ts";

/** Sends the heartbeats of a supervised agent: that it is alive, and its state and task. */
export interface HeartbeatSender {
  /** Sends the state now, and again with each heartbeat until the next call. */
  send(state: Heartbeat["state"], task?: string | null, progress?: number | null): void;
  stop(): void;
}

/**
 * Starts the heartbeats of this process if a supervisor expects them (`GANGLION_HEARTBEAT_FD`); otherwise does nothing.
 * They come from a timer of the event loop, so that they stop when the loop is blocked: the supervisor has to notice.
 */
export function openHeartbeat(env: Readonly<Record<string, string | undefined>> = process.env): HeartbeatSender {
  const fd = Number(env.GANGLION_HEARTBEAT_FD);
  if (!env.GANGLION_HEARTBEAT_FD || !Number.isInteger(fd)) return { send: () => {}, stop: () => {} };
  let line = `${JSON.stringify({ state: "idle" })}\n`;
  const write = () => {
    try {
      writeSync(fd, line);
    } catch (error) {
      // EAGAIN: the pipe is full, so the supervisor has heartbeats to read. EPIPE: the supervisor is gone, and its
      // successor starts this process again.
      if (!["EAGAIN", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  };
  const timer = setInterval(write, Number(env.GANGLION_HEARTBEAT_SECONDS ?? 10) * 1000);
  timer.unref();
  return {
    send: (state, task = null, progress = null) => {
      line = `${JSON.stringify({ state, task, progress })}\n`;
      write();
    },
    stop: () => clearInterval(timer),
  };
}
