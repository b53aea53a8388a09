import { Command } from "commander";
import type { DropWorkerInfo } from "../../../src/client/client.ts";
import type { BoardTask } from "../../../src/core/file-tasks/board.ts";
import { type Column, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";

const columns: readonly Column<DropWorkerInfo>[] = [
  ["WORKER", ({ worker }) => worker],
  ["HOST", ({ host }) => host],
  ["RUNNING", ({ running }) => running],
  ["OVERDUE", ({ overdue }) => overdue],
  ["COMPLETE", ({ complete }) => complete],
  ["FAILED", ({ failed }) => failed],
  ["TIMED OUT", ({ timed_out }) => timed_out],
  ["LAST", ({ last_at }) => last_at],
  ["LAST ERROR", ({ last_error }) => last_error],
];

export const workersCommand = () =>
  new Command("workers")
    .summary("file-drop workers of all hosts, and how they fare")
    .addHelpText("after", "\nWith --json: one worker a line.")
    .action(async (_options: object, command: Command) => {
      const workers = await clientFor(command).dropWorkers();
      if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(workers);
      await printTable(workers, columns, "no worker has told of a task");
    });

export const taskStatusCommand = () =>
  new Command("task-status")
    .summary("what became of a task that was dropped as a file")
    .argument("<worker>", "the worker's name")
    .argument("<id>", "the task's id")
    .addHelpText("after", "\nWith --json: one drop of that id a line, the newest first.")
    .action(async (worker: string, id: string, _options: object, command: Command) => {
      const tasks = await clientFor(command).droppedTask(worker, id);
      if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(tasks);
      for (const task of tasks) await printFields(fieldsOf(task));
    });

function fieldsOf({ due_at, ...task }: BoardTask): Record<string, unknown> {
  return { ...task, ...(task.status === "running" && { due_at }) };
}
