import { Command, Option } from "commander";
import type { Client } from "../../../src/client/client.ts";
import type { TaskReceipt, TaskView } from "../../../src/core/queue/api.ts";
import { Outcome } from "../../../src/core/queue/task.ts";
import { label, list, milliseconds, time, wholeNumber } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { at, type Column, print, printFields, printLines, printTable, remark } from "../../output.ts";
import { PAYLOAD_FORMS, readPayload } from "../../payload.ts";
import { clientFor, defaultSource, wantsJson } from "../../settings.ts";
import { addTasks } from "./bulk.ts";

/** Queue of the commands without `--queue`. */
export const DEFAULT_QUEUE = "work";
export const queueOption = ["--queue <name>", "which queue", DEFAULT_QUEUE] as const;

interface AddOptions {
  readonly queue: string;
  readonly type?: string;
  readonly payload: string;
  readonly bulk?: string;
  readonly priority?: number;
  readonly id?: string;
  readonly delay?: number;
  readonly attempts?: number;
  readonly timeout?: number;
  readonly deadline?: number;
  readonly needs?: string[];
  readonly gpuMemory?: number;
  readonly needsLabel?: Record<string, string>;
  readonly check?: string;
  readonly acceptRule?: string;
  readonly reviewer?: string;
}

const add = () =>
  new Command("add")
    .summary("queue a task")
    .argument("[recipient]", 'the agent that should do the task; "*": anyone')
    .option(...queueOption)
    .option("--type <type>", "type of the task, such as TASK_DELEGATE")
    .option("--payload <json>", PAYLOAD_FORMS, "{}")
    .option(
      "--bulk <file>",
      "queue many tasks: a file with a JSON object a line, - is the standard input; what a line does not say, options do",
    )
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
    .option("--gpu-memory <mb>", "free memory that a GPU of the worker's host must have, in MB", wholeNumber(1))
    .option("--needs-label <name=value>", "label that the worker's host must have; may be repeated", label)
    .option("--needs <skills>", "skills that a worker must have for the task (repeatable, or with commas)", list)
    .option("--check <name>", "it counts as done when this check of a host accepts it")
    .option("--accept-rule <cel>", 'it counts as done when this is true, such as "result.failed == 0"')
    .option("--reviewer <name>", "it counts as done when this person or role accepts it")
    .addHelpText(
      "after",
      '\nA line of --bulk: {"recipient", "type", "payload", "task_id", "priority", …}, as the API takes it.',
    )
    .action(async (recipient: string | undefined, options: AddOptions, command: Command) => {
      const { queue, type, priority, id, delay, attempts, timeout, deadline, bulk } = options;
      const common = {
        priority,
        delay_ms: delay,
        max_attempts: attempts,
        timeout_ms: timeout,
        deadline_ms: deadline,
        sender: defaultSource(),
        ...needsOf(options),
        ...acceptOf(options),
      };
      if (bulk !== undefined) {
        if (id !== undefined) throw new UsageError("--id names one task: with --bulk put task_id into each line");
        return addTasks(clientFor(command), bulk, {
          queue,
          common: { ...common, recipient, type },
          json: wantsJson(command),
        });
      }
      if (recipient === undefined)
        throw new UsageError("no recipient: name the agent that should do the task, or * for anyone");
      if (type === undefined)
        throw new UsageError("no type: give --type, such as --type BUILD, by which the worker knows what to do");
      const payload = await readPayload(options.payload, "--payload");
      const [task] = await clientFor(command).queues.put(queue, [{ ...common, recipient, type, payload, task_id: id }]);
      await print(wantsJson(command) ? JSON.stringify(task) : receiptText(id, task));
    });

function acceptOf({ check, acceptRule: rule, reviewer }: AddOptions) {
  const given = [check, rule, reviewer].filter((one) => one !== undefined);
  if (given.length > 1) throw new UsageError("give one of --check, --accept-rule and --reviewer");
  return given.length === 0 ? {} : { accept: { check, rule, reviewer } };
}

function needsOf({ needs, gpuMemory, needsLabel }: AddOptions) {
  if (needs === undefined && gpuMemory === undefined && needsLabel === undefined) return {};
  return { needs: { skills: needs, gpu_memory_mb: gpuMemory, labels: needsLabel } };
}

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

const STATUSES = ["queued", "running", "verifying", ...Outcome.options] as const;
type Status = (typeof STATUSES)[number];

const isOutcome = (status: Status): status is Outcome => Outcome.options.some((outcome) => outcome === status);

interface ListOptions {
  readonly queue: string;
  readonly status?: Status;
  readonly limit?: number;
}

const listTasks = () =>
  new Command("list")
    .summary("list the unfinished tasks, oldest first; with --status also finished ones, newest first")
    .option(...queueOption)
    .addOption(new Option("--status <status>", "only tasks in this state").choices(STATUSES))
    .option("--limit <n>", "most tasks (default: 100)", wholeNumber(1, 1_000))
    .addHelpText("after", "\nWith --json: one task a line.")
    .action(async ({ queue, status, limit = 100 }: ListOptions, command: Command) => {
      const client = clientFor(command);
      if (status !== undefined && isOutcome(status))
        return listFinished(client, { queue, state: status, limit }, command);
      const { tasks, more } = await unfinished(client, queue, status, limit);
      if (wantsJson(command)) await printLines(tasks);
      else await printTable(tasks, columns, status === undefined ? "no tasks" : `no ${status} tasks`);
      if (more) remark("there may be more tasks: raise --limit");
    });

/** Pages through the unfinished tasks until enough of the status are found. */
async function unfinished({ queues }: Client, queue: string, status: Status | undefined, limit: number) {
  const found: TaskView[] = [];
  let after: number | undefined;
  do {
    const page = await queues.tasks(queue, {
      limit: status === undefined ? limit : 1_000,
      ...(after === undefined ? {} : { after }),
    });
    found.push(...page.tasks.filter((task) => status === undefined || task.status === status));
    after = page.next ?? undefined;
  } while (status !== undefined && after !== undefined && found.length < limit);
  return { tasks: found.slice(0, limit), more: after !== undefined || found.length > limit };
}

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
    .action((options: FinishedOptions, command: Command) => listFinished(clientFor(command), options, command));

async function listFinished({ queues }: Client, options: FinishedOptions, command: Command): Promise<void> {
  const { queue, limit = 100, ...query } = options;
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
}

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
