import { readFileSync } from "node:fs";
import { ExpectedError } from "../base/service.ts";

/** Another agent holds the state directory. */
export class HeldError extends ExpectedError {
  /** Whether that agent has said that it is stopping. */
  readonly stopping: boolean;

  constructor(message: string, stopping: boolean) {
    super(message);
    this.stopping = stopping;
  }
}

/** Follows the process id in the pid file of an agent that stops. */
export const STOPPING = "stopping";

/** The error of opening the state directory, in words that name the fix. */
export function explainOpenError(error: unknown, stateDir: string, pidFile: string): unknown {
  const { message, code, errcode } = error as NodeJS.ErrnoException & { errcode?: number };
  const SQLITE_BUSY = 5;
  const SQLITE_LOCKED = 6;
  if (errcode !== undefined && (errcode % 256 === SQLITE_BUSY || errcode % 256 === SQLITE_LOCKED)) {
    const { pid, stopping } = holder(pidFile);
    const who = `Another agent${pid === undefined ? "" : ` (process ${pid})`} runs in ${stateDir}`;
    return new HeldError(
      stopping
        ? `${who} and is stopping: wait until it has ended, or set GANGLION_STATE_DIR to a directory of its own`
        : `${who}: stop it, or set GANGLION_STATE_DIR to a directory of its own`,
      stopping,
    );
  }
  if (code !== undefined || errcode !== undefined) {
    return new ExpectedError(
      `The state directory ${stateDir} cannot be used (${message}): make it writable, or set GANGLION_STATE_DIR`,
    );
  }
  return error;
}

/** Only the lock decides; the file merely makes the message clearer, and says how long waiting is worth while. */
function holder(pidFile: string): { readonly pid: string | undefined; readonly stopping: boolean } {
  let text = "";
  try {
    text = readFileSync(pidFile, "utf8");
  } catch {
    // The other agent is just starting.
  }
  const [, pid, state] = /^(\d+)(?: (\w+))?\n$/.exec(text) ?? [];
  return { pid, stopping: state === STOPPING };
}
