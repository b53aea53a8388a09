import { Command, Option } from "commander";
import type { TaskReceipt, TaskView } from "../../../src/core/queue/api.ts";
import { Outcome } from "../../../src/core/queue/task.ts";
import { facts, list, milliseconds, time, wholeNumber } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { at, type Column, print, printFields, printLines, printTable, remark } from "../../output.ts";
import { clientFor, defaultSource, wantsJson } from "../../settings.ts";

/** Queue of the commands without `--queue`. */
export const DEFAULT_QUEUE = "work";
export const queueOption = ["--queue <name>", "which queue", DEFAULT_QUEUE] as const;

interface AddOptions {
  readonly queue: string;
  readonly type: string;
  readonly payload?: Record<string, unknown>;
  readonly priority?: number;
  readonly id?: string;
  readonly delay?: number;
  readonly attempts?: number;
  readonly timeout?: number;
  readonly deadline?: number;
  readonly needs?: string[];
}

const add = () =>
  new Command("add")
    .summary("queue a task")
    .argument("<recipient>", 'the agent that should do the task; "*": anyone')
    .option(...queueOption)
    .requiredOption("--type <type>", "type of the task, such as TASK_DELEGATE")
    .option("--payload <json>", "a JSON object", facts)
    .option("--priority <n>", "1 (most urgent) to 10 (default: 5)", wholeNumber(1, 10))
    .option("--id <id>", "id of the task: a second task with the same id is not queued")
    .option("--delay <time>", "the task cannot be leased before this time has passed, such as 10m", milliseconds(0))
    .option("--attempts <n>", "most attempts", wholeNumber(1, 100))
    .option("--timeout <time>", "longest time of one attempt, such as 1h30m", milliseconds(1))
    .option(
      "--deadline <time>",
      "the task fails when no worker has taken it within this time, such as 1d",
      milliseconds(1),
    )
    .option("--needs <skills>", "skills that a worker must have for the task (repeatable, or with commas)", list)
    .action(async (recipient: string, options: AddOptions, command: Command) => {
      const { queue, type, payload = {}, priority, id, delay, attempts, timeout, deadline, needs } = options;
      const [task] = await clientFor(command).queues.put(queue, [
        {
          recipient,
          type,
          payload,
          priority,
          task_id: id,
          delay_ms: delay,
          max_attempts: attempts,
          timeout_ms: timeout,
          deadline_ms: deadline,
          sender: defaultSource(),
          ...(needs && { needs: { skills: needs } }),
        },
      ]);
      await print(wantsJson(command) ? JSON.stringify(task) : receiptText(id, task));
    });

/** A task without an id of the caller's own can be known only because the request was sent again after a lost answer. */
function receiptText(ownId: string | undefined, task: TaskReceipt | undefined): string {
  const known = ownId !== undefined && task?.known === true;
  return `${task?.task_id} ${task?.status}${known ? " (known already: not queued again)" : ""}`;
}

const columns: readonly Column<TaskView>[] = [
  ["ID", ({ task_id }) => task_id, "key"],
  ["STATUS", ({ status }) => status, "state"],
  ["PRIORITY", ({ priority }) => priority],
  ["RECIPIENT", ({ recipient }) => recipient],
  ["TYPE", ({ type }) => type],
  ["ATTEMPT", ({ attempt, max_attempts }) => `${attempt}/${max_attempts}`],
  ["WORKER", ({ worker }) => worker],
  ["SINCE", ({ created_at }) => at(created_at), "whole"],
];

const listTasks = () =>
  new Command("list")
    .summary("list the unfinished tasks, oldest first")
    .option(...queueOption)
    .option("--limit <n>", "most tasks (default: 100)", wholeNumber(1, 1_000))
    .addHelpText("after", "\nWith --json: one task a line.")
    .action(async ({ queue, limit = 100 }: { queue: string; limit?: number }, command: Command) => {
      const { tasks, next } = await clientFor(command).queues.tasks(queue, { limit });
      if (wantsJson(command)) await printLines(tasks);
      else await printTable(tasks, columns, "no tasks");
      if (next !== null) remark("there may be more tasks: raise --limit");
    });

const finishedColumns: readonly Column<TaskView>[] = [
  ["ENDED", ({ finished_at }) => at(finished_at), "whole"],
  ["ID", ({ task_id }) => task_id, "key"],
  ["STATE", ({ outcome }) => outcome, "state"],
  ["RECIPIENT", ({ recipient }) => recipient],
  ["TYPE", ({ type }) => type],
  ["ATTEMPT", ({ attempt, max_attempts }) => `${attempt}/${max_attempts}`],
  ["WAITED MS", ({ waited_ms }) => waited_ms],
  ["RAN MS", ({ ran_ms }) => ran_ms],
  ["ERROR", ({ error }) => error, "text"],
];

interface FinishedOptions {
  readonly queue: string;
  readonly state?: Outcome;
  readonly recipient?: string;
  readonly type?: string;
  readonly since?: string;
  readonly until?: string;
  readonly text?: string;
  readonly limit?: number;
}

const finished = () =>
  new Command("finished")
    .summary("list finished tasks, newest first: those of a day, and the last keep_finished of the queue")
    .option(...queueOption)
    .addOption(new Option("--state <state>", "only tasks that ended so").choices(Outcome.options))
    .option("--recipient <name>", "only tasks of this recipient")
    .option("--type <type>", "only tasks of this type")
    .option("--since <time>", "only tasks that ended at or after this (RFC 3339, or an age such as 10m)", time)
    .option("--until <time>", "only tasks that ended before this", time)
    .option("--text <text>", "only tasks with this text in the payload, the error or the id")
    .option("--limit <n>", "most tasks (default: 100)", wholeNumber(1, 10_000))
    .addHelpText("after", "\nWith --json: one task a line.")
    .action(async ({ queue, limit = 100, ...query }: FinishedOptions, command: Command) => {
      const { queues } = clientFor(command);
      const tasks: TaskView[] = [];
      let after: string | undefined;
      do {
        const page = await queues.finished(queue, {
          ...query,
          limit: Math.min(limit - tasks.length, 1_000),
          ...(after === undefined ? {} : { after }),
        });
        tasks.push(...page.tasks);
        after = page.next ?? undefined;
      } while (after !== undefined && tasks.length < limit);
      if (wantsJson(command)) await printLines(tasks);
      else await printTable(tasks, finishedColumns, "no finished tasks match");
      if (after !== undefined) remark("there may be more tasks: raise --limit");
    });

const show = () =>
  new Command("show")
    .summary("show a task with its history")
    .argument("<id>")
    .option(...queueOption)
    .action(async (id: string, { queue }: { queue: string }, command: Command) => {
      const task = await clientFor(command).queues.task(queue, id);
      if (wantsJson(command)) return print(JSON.stringify(task));
      const { history, ...fields } = task;
      await printFields({ queue, ...fields });
      await printTable(
        history,
        [
          ["TIME", (row) => at(row.at), "key"],
          ["EVENT", ({ event }) => event, "state"],
          ["WORKER", ({ worker }) => worker],
          ["ERROR", ({ error }) => error, "text"],
        ],
        "no history",
      );
    });

const change = (name: "cancel" | "retry", summary: string) =>
  new Command(name)
    .summary(summary)
    .argument("<id...>")
    .option(...queueOption)
    .action(async (ids: string[], { queue }: { queue: string }, command: Command) => {
      const { queues } = clientFor(command);
      if (ids.length === 0) throw new UsageError("no task named: give the id of at least one task");
      for (const id of ids) {
        const { status, was } = await queues[name](queue, id);
        await print(wantsJson(command) ? JSON.stringify({ task_id: id, status, was }) : `${id} ${status}`);
        if (was === "cancelled") remark(`${id} had been cancelled: it is queued again all the same`);
      }
    });

export const tasksCommand = () =>
  new Command("tasks")
    .summary("queue, show, cancel and retry tasks")
    .addCommand(add())
    .addCommand(listTasks())
    .addCommand(finished())
    .addCommand(show())
    .addCommand(change("cancel", "cancel tasks, also those that a worker holds"))
    .addCommand(change("retry", "retry failed tasks, with all their attempts"));
