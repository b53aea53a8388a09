import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import type { Client } from "../../../src/client/client.ts";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import type { DeadLetter } from "../../../src/core/dead-letters/dead-letter.ts";
import { type DeadLetterFilter, signalName } from "../../../src/core/dead-letters/filter.ts";
import { DEAD_LETTER_KINDS, type DeadLetterKind } from "../../../src/core/dead-letters/kinds.ts";
import { limitsAround } from "../../../src/core/json/limits.ts";
import { readJson, refusalText } from "../../../src/core/json/read-json.ts";
import { list, time, wholeNumber } from "../../arguments.ts";
import { Failure, UsageError } from "../../failure.ts";
import { fileTrouble } from "../../file-trouble.ts";
import { at, type Column, print, printLines, printTable, remark } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

const columns: readonly Column<DeadLetter>[] = [
  ["LAST FAILED", ({ last_failed_at }) => at(last_failed_at), "whole"],
  ["KIND", ({ kind }) => kind, "key"],
  ["ID", ({ id }) => id, "key"],
  ["SUBJECT", subject, "text"],
  ["DAEMON", ({ daemon }) => daemon],
  ["ATTEMPTS", ({ attempts }) => attempts],
  ["ERROR", ({ error }) => error, "text"],
];

/** The name of the signal, the type of the task, the endpoint or the host, to distinguish dead letters in a list. */
function subject(deadLetter: DeadLetter): string {
  const { task, webhook, host = "" } = deadLetter;
  return signalName(deadLetter) || textIn(task, "type") || textIn(webhook, "endpoint") || host;
}

function textIn(value: unknown, field: string): string {
  if (typeof value !== "object" || value === null) return "";
  const found = new Map<string, unknown>(Object.entries(value)).get(field);
  return typeof found === "string" ? found : "";
}

interface FilterOptions {
  readonly kind?: DeadLetterKind;
  readonly daemon?: string;
  readonly signal?: string[];
  readonly host?: string;
  readonly since?: string;
  readonly until?: string;
  readonly text?: string;
}

function withFilters(command: Command): Command {
  return command
    .addOption(new Option("--kind <kind>", "only dead letters of this kind").choices(DEAD_LETTER_KINDS))
    .option("--daemon <name>", "only dead letters of this component; * stands for any text")
    .option("--signal <pattern>", "only dead letters of signals such as Q_*; repeat the option or use commas", list)
    .option("--host <id>", "only dead letters of this host")
    .option("--since <time>", "last failure at this time or later; RFC 3339 or an age such as 2h", time)
    .option("--until <time>", "last failure before this time", time)
    .option("--text <text>", "only dead letters that contain this text");
}

const filterOf = ({ kind, daemon, signal, host, since, until, text }: FilterOptions): DeadLetterFilter => ({
  ...(kind === undefined ? {} : { kind }),
  ...(daemon === undefined ? {} : { daemon }),
  ...(signal === undefined ? {} : { signal }),
  ...(host === undefined ? {} : { host }),
  ...(since === undefined ? {} : { since }),
  ...(until === undefined ? {} : { until }),
  ...(text === undefined ? {} : { text }),
});

export const dlqCommand = () =>
  new Command("dlq")
    .alias("dead-letters")
    .summary("dead letters, the items that could not be processed: list, show, replay, discard")
    .addCommand(
      withFilters(new Command("list"))
        .summary("list dead letters, newest first")
        .option("--limit <n>", "maximum number of dead letters (default: 100)", wholeNumber(1))
        .addHelpText("after", "\nWith --json: one dead letter a line.")
        .action(async (options: FilterOptions & { limit?: number }, command: Command) => {
          const { limit = 100 } = options;
          const deadLetters: DeadLetter[] = [];
          let after: string | undefined;
          // A short page may still have a next one: the number of rows that the edge reads for a page is bounded.
          do {
            const rest = Math.min(1_000, limit - deadLetters.length);
            const page = await clientFor(command).deadLetters.list({ ...filterOf(options), limit: rest, after });
            deadLetters.push(...page.dead_letters);
            after = page.next ?? undefined;
          } while (after !== undefined && deadLetters.length < limit);
          if (wantsJson(command)) await printLines(deadLetters);
          else await printTable(deadLetters, columns, "no dead letters");
          if (after !== undefined) remark("there may be more dead letters; raise --limit to see them");
        }),
      { isDefault: true },
    )
    .addCommand(
      new Command("show")
        .summary("show a dead letter with the failed item")
        .argument("<id>", "id of the dead letter")
        .action(async (id: string, _options: object, command: Command) => {
          const deadLetter = await clientFor(command).deadLetters.show(id);
          await print(wantsJson(command) ? JSON.stringify(deadLetter) : JSON.stringify(deadLetter, null, 2));
        }),
    )
    .addCommand(bulkCommand("replay"))
    .addCommand(bulkCommand("discard").alias("delete"));

interface BulkOptions extends FilterOptions {
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly replace?: string;
  /** The earlier name of `replace`. */
  readonly mend?: string;
}

function bulkCommand(action: "replay" | "discard"): Command {
  const command = withFilters(new Command(action))
    .summary(action === "replay" ? "process dead letters again" : "delete dead letters")
    .argument("[id...]", "ids of dead letters; or give filters")
    .option("--all", "every dead letter, where no filter is given")
    .option("--yes", "replay or discard the dead letters that the filters select, instead of listing them");
  if (action === "replay") {
    command
      .option("--replace <file>", "JSON file with a signal that replaces the one that was refused")
      .addOption(new Option("--mend <file>", "the same as --replace").hideHelp());
  }
  return command
    .addHelpText("after", "\nDead letters given by id need no --yes. With --json: one document a line.")
    .action(async (ids: string[], options: BulkOptions, self: Command) => {
      const filter = filterOf(options);
      const filtered = Object.keys(filter).length > 0 || options.all === true;
      if (ids.length > 0 === filtered)
        throw new UsageError(`give ids of dead letters, or filters (or --all) that select the ones to ${action}`);
      const { replace = options.mend } = options;
      if (replace !== undefined && ids.length !== 1)
        throw new UsageError("--replace needs the id of exactly one dead letter");
      const client = clientFor(self);
      if (ids.length > 0) await byId(action, client, ids, await readReplacement(replace), wantsJson(self));
      else if (options.yes === true) await byFilter(action, client, filter, wantsJson(self));
      else await dryRun(action, client, filter, wantsJson(self));
    });
}

async function byId(
  action: "replay" | "discard",
  client: Client,
  ids: readonly string[],
  replacement: unknown,
  asJson: boolean,
): Promise<void> {
  let failed = 0;
  for (const id of ids) {
    try {
      const done =
        action === "replay"
          ? await client.deadLetters.replay(id, replacement)
          : await client.deadLetters.discard(id).then(() => ({ id, outcome: "discarded" }));
      await print(asJson ? JSON.stringify(done) : `${id} ${done.outcome}`);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      failed++;
      if (asJson) await print(JSON.stringify({ id, problem: error.problem }));
      else remark(`${id} ${error.message}`);
    }
  }
  if (failed > 0) throw new Failure(`${failed} of ${ids.length} could not be ${past(action)}`);
}

async function dryRun(
  action: "replay" | "discard",
  client: Client,
  filter: DeadLetterFilter,
  asJson: boolean,
): Promise<void> {
  const deadLetters: DeadLetter[] = [];
  for await (const page of pages(action, client, filter, true)) deadLetters.push(...page.dead_letters);
  if (asJson) return printLines(deadLetters);
  await printTable(deadLetters, columns, "No dead letters match");
  if (deadLetters.length > 0) remark(`${deadLetters.length} would be ${past(action)}; add --yes to do it`);
}

async function byFilter(
  action: "replay" | "discard",
  client: Client,
  filter: DeadLetterFilter,
  asJson: boolean,
): Promise<void> {
  let done = 0;
  let failed = 0;
  for await (const page of pages(action, client, filter, false)) {
    done += page.done;
    failed += page.failed.length;
    for (const { id, problem } of page.failed)
      if (asJson) await print(JSON.stringify({ id, problem }));
      else remark(`${id} ${problem.title}${problem.detail === undefined ? "" : `: ${problem.detail}`}`);
    if (!asJson && page.next !== null) remark(`${done} ${past(action)} so far`);
  }
  await print(asJson ? JSON.stringify({ done, failed }) : `${done} ${past(action)}`);
  if (failed > 0) throw new Failure(`${failed} could not be ${past(action)}; they stay in the list`);
}

async function* pages(action: "replay" | "discard", client: Client, filter: DeadLetterFilter, dryRun: boolean) {
  const bulk = action === "replay" ? client.deadLetters.replayAll : client.deadLetters.discardAll;
  let after: string | undefined;
  do {
    const page = await bulk(filter, { dryRun, after });
    yield page;
    after = page.next ?? undefined;
  } while (after !== undefined);
}

const past = (action: "replay" | "discard") => (action === "replay" ? "replayed" : "discarded");

async function readReplacement(path: string | undefined): Promise<unknown> {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(fileTrouble(path, error));
  }
  const reading = readJson(text, limitsAround(1));
  if (reading.ok) return reading.value;
  throw new UsageError(
    reading.malformed === undefined ? `${path}: ${refusalText(reading)}` : `${path} is not JSON: ${reading.malformed}`,
  );
}
