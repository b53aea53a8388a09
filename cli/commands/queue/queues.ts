import { randomUUID } from "node:crypto";
import { Command } from "commander";
import type { Client } from "../../../src/client/client.ts";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import type { QueueEvent, QueueStatus, RecipientStatus } from "../../../src/core/queue/api.ts";
import type { BreakerStatus } from "../../../src/core/queue/breaker-status.ts";
import { milliseconds, wholeNumber } from "../../arguments.ts";
import { at, type Column, clock, print, printFields, printLines, printTable, remark } from "../../output.ts";
import { PAYLOAD_FORMS, readPayload } from "../../payload.ts";
import { clientFor, wantsJson } from "../../settings.ts";
import { currentLook } from "../../terminal/look.ts";
import { lineWriter } from "../../terminal/table.ts";
import { administrationCommands } from "./administer.ts";
import { queueOption } from "./tasks.ts";

const recipientColumns: readonly Column<[string, RecipientStatus]>[] = [
  ["RECIPIENT", ([name]) => name, "text"],
  ["QUEUED", ([, { queued }]) => queued],
  ["RUNNING", ([, { running }]) => running],
  ["COMPLETE", ([, { complete }]) => complete],
  ["FAILED", ([, { failed }]) => failed],
  ["MEAN MS", ([, { mean_ms }]) => mean_ms],
  ["P50 MS", ([, { p50_ms }]) => p50_ms],
  ["P95 MS", ([, { p95_ms }]) => p95_ms],
  ["P99 MS", ([, { p99_ms }]) => p99_ms],
  ["WAITING P95 MS", ([, { waiting_p95_ms }]) => waiting_p95_ms],
];

const levelsText = (levels: { high: number; normal: number; low: number } | undefined) =>
  levels === undefined ? null : `high (1-3): ${levels.high}, normal (4-7): ${levels.normal}, low (8-10): ${levels.low}`;

export const queueCommand = () => {
  const command = new Command("queue")
    .summary("show a queue, pause, purge and set it; without a name, list the queues")
    .argument("[name]")
    .addHelpText(
      "after",
      "\nA queue that is called like a command: ganglion queue show <name>. With --json: one document.",
    )
    .action((name: string | undefined, _options: object, self: Command) =>
      name === undefined ? listQueues(self) : showQueue(name, self),
    )
    .addCommand(
      new Command("list")
        .summary("list the queues")
        .addHelpText("after", "\nWith --json: one queue a line.")
        .action((_options: object, self: Command) => listQueues(self)),
    )
    .addCommand(
      new Command("show")
        .summary("show a queue")
        .argument("<name>")
        .addHelpText("after", "\nWith --json: one document.")
        .action((name: string, _options: object, self: Command) => showQueue(name, self)),
    );
  for (const one of [...administrationCommands(), deleteCommand()]) command.addCommand(one);
  return command;
};

async function showQueue(name: string, command: Command): Promise<void> {
  const status = await clientFor(command).queues.status(name);
  if (wantsJson(command)) return print(JSON.stringify(status));
  const depths = Object.entries(status.by_priority).filter(([, count]) => count > 0);
  await printFields({
    ...pauseFields(status),
    queued: `${status.depth} of ${status.settings.capacity}`,
    running: status.running,
    ...unjudgedFields(status),
    ...parkedFields(status),
    "by priority": depths.map(([priority, count]) => `${priority}: ${count}`).join(", "),
    "by level": levelsText(status.by_level),
    "oldest waits": status.oldest_age_ms === null ? null : `${(status.oldest_age_ms / 1000).toFixed(1)} s`,
    workers: Object.entries(status.workers)
      .map(([recipient, count]) => `${recipient}: ${count}`)
      .join(", "),
    alerts: status.alerts.map(({ rule, subject }) => `${rule} (${subject})`).join(", "),
    ...((status.breakers ?? []).length === 0 ? {} : { breakers: (status.breakers ?? []).map(breakerText).join("; ") }),
  });
  await printTable(Object.entries(status.by_recipient), recipientColumns, "no tasks so far");
}

/** Tasks that were reported complete and are not judged: how many, and by whom they are to be judged. */
function unjudgedFields({ verifying = 0, unjudged = [] }: Pick<QueueStatus, "verifying" | "unjudged">) {
  if (verifying === 0) return {};
  const groups = unjudged.map(({ tasks, why }, place) => [
    place === 0 ? "to be judged" : `… (${place + 1})`,
    `${tasks}: ${why}`,
  ]);
  return { verifying, ...Object.fromEntries(groups) };
}

/** Tasks that nobody is given, and the closed limits for which they wait. */
function parkedFields({ parked = 0, closed_limits = [] }: Pick<QueueStatus, "parked" | "closed_limits">) {
  const closed = closed_limits.map(
    ({ limit, until, reason, parked: tasks = 0 }) => `${limit} until ${clock(until)} (${reason}): ${tasks}`,
  );
  return {
    ...(parked === 0 ? {} : { parked }),
    ...(closed.length === 0 ? {} : { "closed limits": closed.join("; ") }),
  };
}

/** What somebody does to the queue: shown where there is something to show. */
function pauseFields({
  paused,
  bulk,
}: {
  readonly paused?: QueueStatus["paused"] | undefined;
  readonly bulk?: QueueStatus["bulk"] | undefined;
}): Record<string, string> {
  const reason = paused == null || paused.reason === null ? "" : `: ${paused.reason}`;
  return {
    ...(paused == null ? {} : { paused: `by ${paused.by} since ${clock(paused.since)}${reason}` }),
    ...(bulk == null
      ? {}
      : { runs: `${bulk.action} by ${bulk.by} since ${clock(bulk.started_at)}, ${bulk.done} done` }),
  };
}

function breakerText({ recipient, state, reason, next_probe_at }: BreakerStatus): string {
  const next =
    state === "open" ? `next probe at ${clock(next_probe_at)}` : `a probe is under way, until ${clock(next_probe_at)}`;
  return `${recipient}: ${reason}; ${next}`;
}

async function listQueues(command: Command): Promise<void> {
  const list = await clientFor(command).queues.list();
  if (wantsJson(command)) return printLines(list);
  const columns: readonly Column<(typeof list)[number]>[] = [
    ["NAME", (queue) => queue.name, "key"],
    ["SINCE", (queue) => at(queue.created_at), "whole"],
  ];
  await printTable(list, columns, "no queues");
}

export const queuesCommand = () =>
  new Command("queues")
    .summary("list the queues; delete one")
    .addHelpText("after", "\nWith --json: one queue a line.")
    .action((_options: object, command: Command) => listQueues(command))
    .addCommand(deleteCommand());

const deleteCommand = () =>
  new Command("delete")
    .summary("delete a queue with its settings and finished tasks")
    .argument("<name>")
    .option("--force", "also a queue that has unfinished tasks, which are lost")
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (name: string, { force = false }: { force?: boolean }, command: Command) => {
      await clientFor(command).queues.delete(name, force);
      if (wantsJson(command)) return print(JSON.stringify({ name, deleted: true }));
      await printFields({ deleted: name });
    });

export const bottlenecksCommand = () =>
  new Command("bottlenecks")
    .summary("find the bottlenecks of a queue")
    .option(...queueOption)
    .option("--limit <n>", "number of tasks (default: 10)", wholeNumber(1, 100))
    .addHelpText("after", "\nWith --json: one document.")
    .action(async ({ queue, limit = 10 }: { queue: string; limit?: number }, command: Command) => {
      const found = await clientFor(command).queues.bottlenecks(queue, limit);
      if (wantsJson(command)) return print(JSON.stringify(found));
      await print(found.summary ?? "no task has run lately");
      const columns: readonly Column<(typeof found.slowest)[number]>[] = [
        ["RAN MS", ({ ran_ms }) => ran_ms, "key"],
        ["WAITED MS", ({ waited_ms }) => waited_ms],
        ["RECIPIENT", ({ recipient }) => recipient, "text"],
        ["TYPE", ({ type }) => type],
        ["STATUS", ({ status }) => status],
        ["TASK", ({ task_id }) => task_id, "whole"],
      ];
      await printTable(found.slowest, columns, "no finished tasks");
    });

export const metricsCommand = () =>
  new Command("metrics")
    .summary("show the figures of an agent's tasks")
    .requiredOption("--agent <recipient>", "recipient of the tasks")
    .option(...queueOption)
    .addHelpText("after", "\nWith --json: one document.")
    .action(async ({ agent, queue }: { agent: string; queue: string }, command: Command) => {
      const { by_recipient, by_level } = await clientFor(command).queues.status(queue);
      const metrics = by_recipient[agent];
      if (metrics === undefined) return remark(`no tasks of ${agent} in ${queue}`);
      if (wantsJson(command)) return print(JSON.stringify({ agent, ...metrics, queue: { name: queue, by_level } }));
      await printFields({ agent, ...metrics, [`waiting in ${queue}`]: levelsText(by_level) });
    });

const eventColumns: readonly Column<QueueEvent>[] = [
  ["TIME", (row) => at(row.at), "key"],
  ["EVENT", ({ event }) => event, "state"],
  ["RECIPIENT", ({ recipient }) => recipient, "text"],
  ["TYPE", ({ type }) => type],
  ["PRIORITY", ({ priority }) => priority],
  ["DURATION MS", ({ duration_ms }) => duration_ms],
  ["TASK", ({ task_id }) => task_id, "whole"],
  ["WORKER", ({ worker }) => worker],
  ["ERROR", ({ error }) => error, "text"],
];

export const eventsCommand = () =>
  new Command("events")
    .summary("show the latest events of a queue")
    .option(...queueOption)
    .option("--tail <n>", "number of events, the newest ones (default: 100)", wholeNumber(1, 1_000))
    .option("-f, --follow", "print new events as they happen, until Ctrl-C")
    .addHelpText("after", "\nWith --json: one event a line.")
    .action(
      async ({ queue, tail = 100, follow }: { queue: string; tail?: number; follow?: true }, command: Command) => {
        const { queues } = clientFor(command);
        if (follow === true) return followEvents(queues.follow, queue, tail, wantsJson(command));
        const events = await queues.events(queue, tail);
        if (wantsJson(command)) return printLines(events);
        await printTable(events, eventColumns, "no events");
      },
    );

async function followEvents(
  follow: Client["queues"]["follow"],
  queue: string,
  tail: number,
  json: boolean,
): Promise<void> {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const onInterrupted = (reason: string, delayMs: number) =>
    remark(`${reason}; trying again in ${(delayMs / 1000).toFixed(1)} s`);
  const lines = lineWriter(eventColumns, [24, 13, 16, 16, 8, 11, 36, 16, 40], currentLook());
  for await (const event of follow(queue, { tail, signal: stopping.signal, onInterrupted })) {
    await print(json ? JSON.stringify(event) : lines.row(event));
  }
}

export const callCommand = () =>
  new Command("call")
    .summary("call an agent and wait for its reply")
    .argument("<recipient>", 'the agent that should answer; "*": anyone')
    .argument("<type>", "type of the call, such as ASK")
    .option(...queueOption)
    .option("--payload <json>", PAYLOAD_FORMS, "{}")
    .option("--timeout <time>", "longest wait, 5m at most (default: 5s)", milliseconds(1, 300_000))
    .option("--require-responder", "fail at once when no responder is connected")
    .addHelpText("after", "\nPrints the result as JSON; with --json the whole reply.")
    .action(
      async (
        recipient: string,
        type: string,
        options: { queue: string; payload: string; timeout?: number; requireResponder?: true },
        command: Command,
      ) => {
        const { queue, timeout, requireResponder } = options;
        const payload = await readPayload(options.payload, "--payload");
        const correlationId = randomUUID();
        const call = { timeoutMs: timeout, requireResponder, correlationId };
        const reply = await clientFor(command)
          .queues.call(queue, recipient, type, payload, call)
          .catch((error: unknown) => {
            // Where the call was refused there is no task. A result that comes after the time-out is kept with the task.
            const queued =
              !(error instanceof ApiProblem) || error.problem.status === 504 || error.problem.status === 502;
            if (queued)
              remark(
                `correlation id ${correlationId}: see ganglion tasks show ${correlationId} --queue ${queue}; a late reply is ` +
                  `kept: ganglion reply ${correlationId} --queue ${queue}`,
              );
            throw error;
          });
        await print(JSON.stringify(wantsJson(command) ? reply : reply.result));
      },
    );
