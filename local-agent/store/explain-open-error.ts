import { readFileSync } from "node:fs";
import { ExpectedError } from "../base/service.ts";

/** The error of opening the state directory, in words that name the fix. */
export function explainOpenError(error: unknown, stateDir: string, pidFile: string): unknown {
  const { message, code, errcode } = error as NodeJS.ErrnoException & { errcode?: number };
  const SQLITE_BUSY = 5;
  const SQLITE_LOCKED = 6;
  if (errcode !== undefined && (errcode % 256 === SQLITE_BUSY || errcode % 256 === SQLITE_LOCKED)) {
    return new ExpectedError(
      `Another agent${holder(pidFile)} runs in ${stateDir}: stop it, or set GANGLION_STATE_DIR to a directory of its own`,
    );
  }
  if (code !== undefined || errcode !== undefined) {
    return new ExpectedError(
      `The state directory ${stateDir} cannot be used (${message}): make it writable, or set GANGLION_STATE_DIR`,
    );
  }
  return error;
}

function holder(pidFile: string): string {
  try {
    return ` (process ${readFileSync(pidFile, "utf8").trim()})`;
  } catch {
    // Only the lock decides; the file merely makes the message clearer.
    return "";
  }
}
