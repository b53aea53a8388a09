import { setTimeout as pause } from "node:timers/promises";
import { Command } from "commander";
import { HOSTS_QUEUE } from "../../../src/core/hosts/command-queue.ts";
import { AgentLog, type AgentState, AgentStates, stateInWords } from "../../../src/core/supervisor/api.ts";
import { seconds, wholeNumber } from "../../arguments.ts";
import { Failure, UsageError } from "../../failure.ts";
import { askLocalAgent } from "../../local-agent.ts";
import { type Column, clock, print, printLines, printTable, remark } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

interface Where {
  readonly host?: string;
  readonly timeout?: number;
}

/** Longer than a stop, which waits 30 s for an agent that ends slowly. */
const TIMEOUT_SECONDS = 60;

const columns: readonly Column<AgentState>[] = [
  ["NAME", ({ name }) => name, "key"],
  ["STATE", stateInWords, "state"],
  ["PID", ({ pid }) => pid],
  ["UPTIME", ({ uptime_ms }) => (uptime_ms === null ? null : span(uptime_ms))],
  ["CPU %", ({ cpu_percent }) => cpu_percent],
  ["MEMORY MB", ({ memory_mb }) => memory_mb],
  ["RESTARTS", ({ restarts }) => restarts],
  ["TASK", ({ task }) => task, "text"],
  [
    "DETAIL",
    ({ detail, next_wake_at }) => detail ?? (next_wake_at === null ? null : `next ${clock(next_wake_at)}`),
    "text",
  ],
];

export const psCommand = () =>
  supervisorCommand("ps", "list the agents that a host supervises: process, uptime, usage, task, restarts").action(
    async (names: string[], options: Where, command: Command) => {
      await show(await ask("status", { names }, options, command), command);
    },
  );

export const startCommand = () =>
  supervisorCommand("start", "start supervised agents (default: all)").action(
    async (names: string[], options: Where, command: Command) => {
      await show(await ask("start", { names }, options, command), command);
    },
  );

interface LogsOptions extends Where {
  readonly all?: true;
  readonly follow?: true;
  readonly lines?: number;
}

/** Pause between two questions for new lines: this machine is asked over its socket, another one over the edge. */
const FOLLOW_MS = { here: 500, there: 5_000 };

async function followLogs(name: string | undefined, options: LogsOptions, command: Command): Promise<void> {
  let after: string | undefined;
  for (;;) {
    const wanted = after === undefined ? { follow: true, lines: options.lines } : { follow: true, after };
    const found = AgentLog.parse(await ask("logs", { name, ...wanted }, options, command));
    if (wantsJson(command) && found.lines.length > 0) await print(JSON.stringify(found));
    else if (found.lines.length > 0) await print(found.lines.join("\n"));
    if (found.next === undefined) throw new Failure("the agent of that host cannot be followed: update it");
    const isMore = found.lines.length > 0 && after !== undefined;
    after = found.next;
    if (!isMore) await pause(options.host === undefined ? FOLLOW_MS.here : FOLLOW_MS.there);
  }
}

const forceOption = ["--force", "kill at once, without time to finish"] as const;

export const stopCommand = () =>
  supervisorCommand("stop", "stop supervised agents and keep them stopped (default: all)")
    .option(...forceOption)
    .action(async (names: string[], options: Where & { force?: true }, command: Command) => {
      await show(await ask("stop", { names, force: options.force === true }, options, command), command);
    });

export const restartCommand = () =>
  supervisorCommand("restart", "restart supervised agents (default: all)")
    .option(...forceOption)
    .action(async (names: string[], options: Where & { force?: true }, command: Command) => {
      await show(await ask("restart", { names, force: options.force === true }, options, command), command);
    });

export const logsCommand = () =>
  where(
    new Command("logs")
      .summary("show the latest output of a supervised agent, or of all of them in one log")
      .argument("[name]", "name of the agent"),
  )
    .option("--all", "the log of all agents: each line has its time and its agent")
    .option("-f, --follow", "go on with new lines as they come")
    .option("--lines <n>", "number of lines (default: 50)", wholeNumber(1, 10_000))
    .addHelpText(
      "after",
      "\nWith --json: one document, with the path of the whole log; with --follow one for each part.",
    )
    .action(async (name: string | undefined, options: LogsOptions, command: Command) => {
      if ((name === undefined) !== (options.all === true)) throw new UsageError("give the name of an agent, or --all");
      if (options.follow === true) return followLogs(name, options, command);
      const found = await ask("logs", { name, ...(options.lines && { lines: options.lines }) }, options, command);
      if (wantsJson(command)) return print(JSON.stringify(found));
      const { path, lines, truncated } = AgentLog.parse(found);
      if (truncated === true) remark(`only the last ${lines.length} lines fit into an answer; all are in ${path}`);
      if (lines.length > 0) await print(lines.join("\n"));
    });

/** The supervised agents of this machine, for an overview; empty when no agent runs, or when it supervises none. */
export async function localAgents(): Promise<readonly AgentState[]> {
  try {
    return AgentStates.parse(await askLocalAgent("supervisor.status", {}, 5_000)).agents;
  } catch {
    // No agent runs, it supervises none, or it was killed and left its socket. `ganglion ps` says which.
    return [];
  }
}

export const printAgents = (agents: readonly AgentState[], nothing: string) => printTable(agents, columns, nothing);

function supervisorCommand(name: string, summary: string): Command {
  return where(new Command(name).summary(summary).argument("[names...]", "names of agents (default: all)")).addHelpText(
    "after",
    "\nWith --json: one agent a line.",
  );
}

function where(command: Command): Command {
  return command
    .option("--host <host>", "ask that host through the edge (default: this machine, through its local socket)")
    .option("--timeout <time>", `longest wait, 5m at most (default: ${TIMEOUT_SECONDS}s)`, seconds(1, 300));
}

async function ask(what: string, payload: object, { host, timeout }: Where, command: Command): Promise<unknown> {
  const timeoutMs = (timeout ?? TIMEOUT_SECONDS) * 1000;
  const type = `supervisor.${what}`;
  if (host === undefined) return askLocalAgent(type, payload, timeoutMs);
  const { queues } = clientFor(command);
  return (await queues.call(HOSTS_QUEUE, host, type, payload, { timeoutMs, requireResponder: true })).result;
}

async function show(result: unknown, command: Command): Promise<void> {
  const { agents } = AgentStates.parse(result);
  if (wantsJson(command)) return printLines(agents);
  await printAgents(agents, "the host supervises no agents");
}

function span(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}
