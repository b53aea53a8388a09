import { Command } from "commander";
import type { FileTaskRecord, FileWorkerHealth, FileWorkerView } from "../../../src/core/file-tasks/api.ts";
import { at, type Column, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { argumentAndCommand, withArgument, withVerbs } from "../verbs.ts";

const columns: readonly Column<FileWorkerView>[] = [
  ["WORKER", ({ worker }) => worker, "key"],
  ["HOST", ({ host }) => host, "key"],
  ["RUNNING", ({ running }) => running],
  ["OVERDUE", ({ overdue }) => overdue],
  ["COMPLETE", ({ complete }) => complete],
  ["FAILED", ({ failed }) => failed],
  ["TIMED OUT", ({ timed_out }) => timed_out],
  ["LAST", ({ last_at }) => at(last_at), "whole"],
  ["LAST ERROR", ({ last_error }) => last_error, "text"],
];

const healthColumns: readonly Column<FileWorkerHealth>[] = [
  ["HOST", ({ host }) => host, "key"],
  ["HEALTH", ({ health }) => health, "state"],
  ["HEARTBEAT AGE S", ({ heartbeat_age_ms: ms }) => (ms === null ? null : Math.round(ms / 1_000))],
  ["RUNNING", ({ running }) => running],
  ["OVERDUE", ({ overdue }) => overdue],
  ["COMPLETE", ({ complete }) => complete],
  ["FAILED", ({ failed }) => failed],
  ["LAST ERROR", ({ last_error }) => last_error, "text"],
];

/** `ganglion file-tasks`; `ganglion workers` is its earlier name. */
export const workersCommand = () =>
  withVerbs(
    workersView("file-tasks", "[worker]").alias("workers"),
    workersView("list", undefined),
    workersView("show", "<worker>"),
  );

const workersView = (name: string, argument: "[worker]" | "<worker>" | undefined) =>
  withArgument(new Command(name), argument, "name of a worker")
    .summary("list the workers of file tasks on all hosts, with their counts; with a name, its health on each host")
    .addHelpText("after", "\nWith --json: one worker, or one host of the worker, a line.")
    .action(async (...given: unknown[]) => {
      const [worker, command] = argumentAndCommand(given);
      if (worker !== undefined) {
        const { hosts } = await clientFor(command).fileWorker(worker);
        if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(hosts);
        return printTable(hosts, healthColumns, "no host runs this worker");
      }
      const workers = await clientFor(command).fileWorkers();
      if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(workers);
      await printTable(workers, columns, "no worker has reported a file task");
    });

export const taskStatusCommand = () =>
  new Command("task-status")
    .summary("show the state of a file task")
    .argument("<worker>", "name of the worker")
    .argument("<id>", "id of the task")
    .addHelpText("after", "\nWith --json: one task of this id a line, newest first.")
    .action(async (worker: string, id: string, _options: object, command: Command) => {
      const tasks = await clientFor(command).fileTasks(worker, id);
      if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(tasks);
      for (const task of tasks) await printFields(fieldsOf(task));
    });

function fieldsOf({ due_at, ...task }: FileTaskRecord): Record<string, unknown> {
  return { ...task, ...(task.status === "running" && { due_at }) };
}
