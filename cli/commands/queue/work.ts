import { Command } from "commander";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import { TaskReleased, type Worker, work } from "../../../src/client/work/worker.ts";
import { label, list, milliseconds, wholeNumber } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { remark } from "../../output.ts";
import { connectionFor, defaultSource } from "../../settings.ts";
import { CannotStart, runForTask, whyNotStartable } from "./task-process.ts";
import { queueOption } from "./tasks.ts";

interface WorkCommandOptions {
  readonly queue: string;
  readonly concurrency?: number;
  readonly lease?: number;
  readonly grace?: number;
  readonly skills?: string[];
  readonly host?: string;
  readonly label?: Record<string, string>;
  readonly name?: string;
}

const GRACE_MS = 10_000;
const LEASE = { min: 100, max: 3_600_000 } as const;
/** Refusals that another attempt to connect does not change. */
const FINAL = [400, 401, 403, 404, 422];

export const workCommand = () =>
  new Command("work")
    .summary("run a command for each task of a recipient, until Ctrl-C")
    .description(
      "Takes tasks and runs the command for each. The payload is on its standard input, as JSON, and in GANGLION_TASK_PAYLOAD; " +
        "GANGLION_TASK_ID, _TYPE, _RECIPIENT, _QUEUE, _ATTEMPT, _PRIORITY, _SENDER and _CAUSE say more. Exit code 0 completes the " +
        "task: what the command printed is its result, as JSON where it is JSON. Any other exit code fails the attempt, with the " +
        "last lines of the command's errors as the reason, and the queue tries again. The lease is renewed while the command " +
        "runs; a task that is cancelled ends it (SIGTERM, after --grace SIGKILL).",
    )
    .argument("<recipient>", 'the agent whose tasks are taken; "*": those for anyone')
    .argument("<command...>", "the command, after --")
    .usage("[options] <recipient> -- <command> [arguments...]")
    .option(...queueOption)
    .option("--concurrency <n>", "most commands at a time (default: 1)", wholeNumber(1, 100))
    .option(
      "--lease <time>",
      "length of a lease, renewed each third of it (default: 30s)",
      milliseconds(LEASE.min, LEASE.max),
    )
    .option("--grace <time>", "how long a command has to end after SIGTERM (default: 10s)", milliseconds(0, LEASE.max))
    .option("--skills <skills>", "what this worker can do: it gets tasks that need these, too", list)
    .option("--host <host>", "the host that it runs on: it gets tasks that need what this host has now")
    .option("--label <name=value>", "label of the host; may be repeated", label)
    .option("--name <name>", "name of the worker, for people (default: GANGLION_HOST_ID, or this host's name)")
    .addHelpText(
      "after",
      "\nSIGTERM and Ctrl-C: no more tasks are taken, and running commands end in peace. Once more: they are ended, and their\n" +
        "tasks are given back to the queue.",
    )
    .action(
      async (recipient: string, [program = "", ...args]: string[], options: WorkCommandOptions, command: Command) => {
        const { queue, concurrency = 1, lease, grace = GRACE_MS, skills, host, label: labels, name } = options;
        const hurrying = new AbortController();
        const trouble = whyNotStartable(program);
        if (trouble !== undefined) throw new UsageError(trouble);
        let fatal: unknown;
        let isStopping = false;
        const worker: Worker = work(
          queue,
          recipient,
          async (task, context) => {
            const signal = AbortSignal.any([context.signal, hurrying.signal]);
            try {
              const how = { program, args, queue, graceMs: grace };
              return await runForTask(task, { ...context, signal }, how, () => isStopping);
            } catch (error) {
              if (!(error instanceof CannotStart)) throw error;
              // The task is not to blame: somebody else may be able to do it.
              end(new UsageError(error.message));
              throw new TaskReleased(error.message);
            }
          },
          {
            ...connectionFor(command),
            concurrency,
            worker: name ?? defaultSource(),
            ...(lease === undefined ? {} : { leaseMs: lease }),
            ...(skills === undefined ? {} : { skills }),
            ...(host === undefined ? {} : { host }),
            ...(labels === undefined ? {} : { labels }),
            onRemark: remark,
            onConnection: (error) => {
              if (error === null) remark(`Working for ${recipient} in ${queue}; Ctrl-C to stop`);
              else if (error instanceof ApiProblem && FINAL.includes(error.problem.status)) end(error);
            },
          },
        );
        let resolveStopped = () => {};
        const stopped = new Promise<void>((resolve) => {
          resolveStopped = resolve;
        });
        const stop = () => {
          isStopping = true;
          void worker.stop().then(resolveStopped);
        };
        const end = (error: unknown) => {
          fatal ??= error;
          stop();
          // Nothing is connected that could confirm an end: there is nothing to wait for.
          if (worker.running === 0) resolveStopped();
        };
        const asked = () => {
          if (isStopping) return hurrying.abort();
          if (worker.running > 0) remark(`waiting for ${worker.running} running; once more ends them`);
          stop();
        };
        process.on("SIGINT", asked);
        process.on("SIGTERM", asked);
        try {
          await stopped;
        } finally {
          process.off("SIGINT", asked);
          process.off("SIGTERM", asked);
        }
        if (fatal !== undefined) throw fatal;
      },
    );
