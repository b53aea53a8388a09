import { writeSync } from "node:fs";
import type { Heartbeat } from "../core/supervisor/heartbeat.ts";

/** How a supervised agent tells its supervisor that it is alive, and what it is at. */
export interface HeartbeatSender {
  /** Says it now, and again in time until something else is said. */
  say(state: Heartbeat["state"], task?: string | null, progress?: number | null): void;
  stop(): void;
}

/**
 * Heartbeats of this process, if a supervisor wants them (`GANGLION_HEARTBEAT_FD`); else nothing happens. They come
 * from a timer of the event loop: should something block the loop, they stop, and that is their use.
 */
export function openHeartbeat(env: Readonly<Record<string, string | undefined>> = process.env): HeartbeatSender {
  const fd = Number(env.GANGLION_HEARTBEAT_FD);
  if (!env.GANGLION_HEARTBEAT_FD || !Number.isInteger(fd)) return { say: () => {}, stop: () => {} };
  let line = `${JSON.stringify({ state: "idle" })}\n`;
  const send = () => {
    try {
      writeSync(fd, line);
    } catch (error) {
      // Full: the supervisor has enough to read. Closed: it is gone, and whoever comes next will start us anew.
      if (!["EAGAIN", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  };
  const timer = setInterval(send, Number(env.GANGLION_HEARTBEAT_SECONDS ?? 10) * 1000);
  timer.unref();
  return {
    say: (state, task = null, progress = null) => {
      line = `${JSON.stringify({ state, task, progress })}\n`;
      send();
    },
    stop: () => clearInterval(timer),
  };
}
