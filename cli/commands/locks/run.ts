import { Command } from "commander";
import { openHeartbeat } from "../../../src/client/heartbeat.ts";
import { LockNotAvailable } from "../../../src/client/locks/locks-over.ts";
import type { LockNotHeld } from "../../../src/core/locks/api.ts";
import { milliseconds } from "../../arguments.ts";
import { Failure, UsageError } from "../../failure.ts";
import { remark } from "../../output.ts";
import { clientFor } from "../../settings.ts";
import { whyNotStartable } from "../queue/task-process.ts";
import { type AcquireOptions, acquireOptions, lockOptions } from "./options.ts";
import { runUnderLock } from "./run-under-lock.ts";

const GRACE_MS = 10_000;

interface RunOptions extends AcquireOptions {
  readonly grace?: number;
}

export const runCommand = () =>
  acquireOptions(new Command("run"))
    .summary("run a command while a lock is held")
    .description(
      "Waits for the lock, runs the command, and renews the lock while the command runs. When the command ends, the lock is " +
        "released, and its exit code is that of this command. When the lock is lost, because the edge cannot be reached for its " +
        "TTL or an administrator has released it, the command is ended (SIGTERM, after --grace SIGKILL). GANGLION_LOCK_NAME, _FENCE " +
        "and _OWNER tell the command what it holds.",
    )
    .argument("<name>", "name of the lock, such as port:8080 or 'tree:/srv/app/**'")
    .argument("<command...>", "the command, after --")
    .usage("[options] <name> -- <command> [arguments...]")
    .option(
      "--grace <time>",
      "how long the command has to end after SIGTERM when the lock is lost (default: 10s)",
      milliseconds(0, 3_600_000),
    )
    .addHelpText(
      "after",
      "\nWithout --wait it waits until the lock is free; --wait 0 does not wait. Exit code 1: the lock was not to be had, or it was\n" +
        "lost. A command that a signal ends gives 128 and the number of the signal.",
    )
    .action(async (name: string, [program = "", ...args]: string[], options: RunOptions, command: Command) => {
      const trouble = whyNotStartable(program);
      if (trouble !== undefined) throw new UsageError(trouble);
      const { locks } = clientFor(command);
      // A supervisor that started this command learns that it waits, and for whom.
      const heartbeat = openHeartbeat();
      const onWait = (answer: LockNotHeld) => {
        const waits = waitInWords(name, answer);
        remark(waits);
        heartbeat.send("waiting", waits);
      };
      const leaving = new AbortController();
      const leave = () => leaving.abort();
      const ends = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
      for (const end of ends) process.on(end, leave);
      try {
        const asked = { ...lockOptions(name, options), signal: leaving.signal, onWait };
        const lock = await locks.hold(name, asked).catch((error: unknown) => {
          if (leaving.signal.aborted) throw new Failure(`the wait for the lock ${name} was ended`);
          throw error instanceof LockNotAvailable ? new Failure(error.message) : error;
        });
        for (const end of ends) process.off(end, leave);
        heartbeat.send("working", `holds the lock ${name}`);
        const { owner } = asked;
        const { grace = GRACE_MS } = options;
        try {
          process.exitCode = await runUnderLock({ program, args, lock, owner, graceMs: grace });
        } finally {
          await lock.release();
        }
      } finally {
        for (const end of ends) process.off(end, leave);
        heartbeat.stop();
      }
    });

const waitInWords = (name: string, { holder, blocked_by: by }: LockNotHeld) =>
  `waits for the lock ${name}, ${by.fence === null ? "for which" : "which"} ${holder} ${by.fence === null ? "waits" : "holds"} since ${by.since}`;
