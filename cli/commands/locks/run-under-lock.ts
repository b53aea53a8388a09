import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { KeptLock } from "../../../src/client/locks/locks-over.ts";
import { Failure } from "../../failure.ts";

/** Signals that are passed on to the command. */
const PASSED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

export interface CommandUnderLock {
  readonly program: string;
  readonly args: readonly string[];
  readonly lock: Pick<KeptLock, "name" | "fence" | "signal">;
  readonly owner: string;
  /** How long the command has to end after SIGTERM, in milliseconds. */
  readonly graceMs: number;
}

/**
 * Runs a command with the input and output of this process. Away from a terminal it has a process group of its own, so that what
 * it has started ends with it; on a terminal it stays in the group to which the terminal's keys go.
 *
 * @returns the command's exit code; of one that a signal ended 128 and the number of the signal, as shells have it
 * @throws Failure where the lock was lost meanwhile, once the command has ended
 */
export async function runUnderLock({ program, args, lock, owner, graceMs }: CommandUnderLock): Promise<number> {
  const ownGroup = process.stdin.isTTY !== true;
  const child = spawn(program, args, {
    stdio: "inherit",
    detached: ownGroup,
    env: {
      ...process.env,
      GANGLION_LOCK_NAME: lock.name,
      GANGLION_LOCK_FENCE: String(lock.fence),
      GANGLION_LOCK_OWNER: owner,
    },
  });
  const send = (signal: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      process.kill(ownGroup ? -child.pid : child.pid, signal);
    } catch (error) {
      // It may have ended meanwhile.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  const pass = (signal: NodeJS.Signals) => {
    // The terminal has sent this to the command already.
    if (ownGroup || (signal !== "SIGINT" && signal !== "SIGQUIT")) send(signal);
  };
  let killing: NodeJS.Timeout | undefined;
  const lost = () => {
    send("SIGTERM");
    killing = setTimeout(() => send("SIGKILL"), graceMs);
  };
  for (const signal of PASSED) process.on(signal, pass);
  if (lock.signal.aborted) lost();
  else lock.signal.addEventListener("abort", lost, { once: true });
  try {
    const { code, by } = await new Promise<{ code: number | null; by: NodeJS.Signals | null }>((resolve, reject) => {
      child.once("error", (error) => reject(new Failure(`${program} cannot be started: ${error.message}`)));
      child.once("close", (code, by) => resolve({ code, by }));
    });
    if (lock.signal.aborted) throw new Failure(`${lostInWords(lock.signal.reason)}; ${program} was ended`);
    return by === null ? (code ?? 1) : 128 + constants.signals[by];
  } finally {
    clearTimeout(killing);
    lock.signal.removeEventListener("abort", lost);
    for (const signal of PASSED) process.off(signal, pass);
  }
}

const lostInWords = (reason: unknown) => (reason instanceof Error ? reason.message : String(reason));
