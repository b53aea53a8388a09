import { Command, Option } from "commander";
import type { AgentSession } from "../../../src/core/agent-sessions/api.ts";
import { SESSION_VERDICTS } from "../../../src/core/agent-sessions/verdict.ts";
import { wholeNumber } from "../../arguments.ts";
import { Failure } from "../../failure.ts";
import { at, type Column, clock, print, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { argumentAndCommand, viewOptions, withArgument, withVerbs } from "../verbs.ts";

const tokens = ({ usage }: Pick<AgentSession, "usage">) =>
  usage.input_tokens + usage.output_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
const dollars = ({ usage }: Pick<AgentSession, "usage">) => `$${usage.cost_usd.toFixed(4)}`;

const columns: readonly Column<AgentSession>[] = [
  ["AGENT", ({ agent }) => agent, "key"],
  ["SESSION", ({ session }) => session, "key"],
  ["VERDICT", ({ verdict }) => verdict, "state"],
  ["SINCE", ({ since }) => at(since), "whole"],
  ["TOKENS", tokens],
  ["COST", dollars],
  ["TOOLS", ({ usage }) => usage.tool_calls],
  ["FAILED", ({ usage }) => usage.tool_failures + usage.api_failures],
  ["CONTEXT", ({ context_share }) => (context_share === null ? null : `${Math.round(context_share * 100)} %`)],
  ["WHAT", ({ in_words }) => in_words, "text"],
];

interface Wanted {
  readonly agent?: string;
  readonly verdict?: AgentSession["verdict"];
  readonly chain?: string;
  readonly limit?: number;
}

export const agentSessionsCommand = () =>
  withVerbs(
    sessionsView("agent-sessions", "[session]"),
    sessionsView("list", undefined),
    sessionsView("show", "<session>"),
  );

const sessionsView = (name: string, argument: "[session]" | "<session>" | undefined) =>
  withArgument(new Command(name), argument, "show one session, with what it used for each trace and task")
    .summary("list sessions of agents that report by telemetry or hooks: what each is doing, and what it has used")
    .option("--agent <name>", "only sessions of this program, such as claude-code")
    .addOption(new Option("--verdict <verdict>", "only sessions with this verdict").choices([...SESSION_VERDICTS]))
    .option("--chain <id>", "only sessions that worked for this trace or task")
    .option("--limit <n>", "at most so many (default 100)", wholeNumber(1, 1_000))
    .addCommand(limitsCommand())
    .addCommand(feedsCommand())
    .addHelpText("after", "\nWith --json: one session a line, the one that was seen last first.")
    .action(async (...given: unknown[]) => {
      const [session, command] = argumentAndCommand(given);
      const wanted = viewOptions<Wanted>(command);
      const { sessions, total } = await clientFor(command).agentSessions({ ...wanted, session });
      if (session !== undefined && total === 0)
        throw new Failure(`no session "${session}" has reported: list them with ganglion agent-sessions`);
      if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(sessions);
      if (session === undefined) return printTable(sessions, columns, "no session has reported");
      for (const one of sessions) await printSession(one);
    });

const LIMITS = { waiting: "waiting_seconds", frozen: "frozen_seconds", tool: "tool_seconds" } as const;

const limitsCommand = () =>
  new Command("limits")
    .summary("show how long sessions may wait for a person and be silent, or change that")
    .argument(
      "[limit=seconds...]",
      "waiting=…, frozen=…, tool=… (within a call of a tool); default: as the deployment says",
    )
    .action(async (changes: readonly string[], _options: object, command: Command) => {
      const client = clientFor(command);
      const settings =
        changes.length === 0
          ? await client.sessionSettings()
          : await client.changeSessionSettings(Object.fromEntries(changes.map(readLimit)));
      if (command.optsWithGlobals<GlobalOptions>().json === true) return print(JSON.stringify(settings));
      const { deployment, feeds: _, ...now } = settings;
      await printFields({ ...now, "of the deployment": Object.values(deployment).join(", ") });
    });

const feedsCommand = () =>
  new Command("feeds")
    .summary("show which limits the use of models is charged to, or change that")
    .argument("[models=limit...]", "such as claude-*=anthropic; the first that fits a model counts")
    .option("--none", "charge nothing from now on")
    .action(async (changes: readonly string[], { none }: { none?: true }, command: Command) => {
      const client = clientFor(command);
      const { feeds } =
        changes.length === 0 && none !== true
          ? await client.sessionSettings()
          : await client.changeSessionSettings({ feeds: none === true ? null : changes.map(readFeed) });
      if (command.optsWithGlobals<GlobalOptions>().json === true) return print(JSON.stringify(feeds));
      await printTable(
        feeds,
        [
          ["MODELS", ({ models }) => models],
          ["LIMIT", ({ limit }) => limit],
        ],
        "nothing is charged; such as: ganglion agent-sessions feeds claude-*=anthropic",
      );
    });

function readFeed(text: string): { models: string; limit: string } {
  const [, models, limit] = /^(.+)=([^=]+)$/.exec(text) ?? [];
  if (models === undefined || limit === undefined)
    throw new Failure(`"${text}" names no models and no limit: give both, such as claude-*=anthropic`);
  return { models, limit };
}

function readLimit(text: string): [string, number | null] {
  const [name = "", value = ""] = text.split("=");
  const setting = Object.entries(LIMITS).find(([known]) => known === name)?.[1];
  const seconds = value === "default" ? null : Number(value);
  if (setting === undefined || value === "" || Number.isNaN(seconds))
    throw new Failure(
      `"${text}" is no limit: give waiting=, frozen= or tool=, and seconds or default, such as waiting=120`,
    );
  return [setting, seconds];
}

async function printSession({ usage, chains, ...session }: AgentSession): Promise<void> {
  const { in_words, since, context_share, ...rest } = session;
  await printFields({ what: `${in_words}, since ${clock(since)}`, ...rest, context_share, ...usage });
  if (chains.length === 0) return;
  await print("");
  await printTable(
    chains,
    [
      ["TRACE OR TASK", ({ chain }) => chain, "key"],
      ["TOKENS", tokens],
      ["COST", dollars],
      ["REQUESTS", ({ usage: { requests } }) => requests],
    ],
    "",
  );
}
