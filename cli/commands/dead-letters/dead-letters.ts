import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import type { Client } from "../../../src/client/client.ts";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import type { DeadLetter } from "../../../src/core/dead-letters/dead-letter.ts";
import { type DeadLetterFilter, signalName } from "../../../src/core/dead-letters/filter.ts";
import { DEAD_LETTER_KINDS, type DeadLetterKind } from "../../../src/core/dead-letters/record.ts";
import { describeMalformedJson } from "../../../src/core/problem/malformed-json.ts";
import { list, time, wholeNumber } from "../../arguments.ts";
import { Failure, UsageError } from "../../failure.ts";
import { type Column, print, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";

const wantsJson = (command: Command) => command.optsWithGlobals<GlobalOptions>().json === true;

const columns: readonly Column<DeadLetter>[] = [
  ["FAILED LAST", ({ last_failed_at }) => last_failed_at],
  ["KIND", ({ kind }) => kind],
  ["ID", ({ id }) => id],
  ["WHAT", (letter) => subject(letter)],
  ["DAEMON", ({ daemon }) => daemon],
  ["TRIES", ({ attempts }) => attempts],
  ["ERROR", ({ error }) => error],
];

/** Name of the signal, type of the task, endpoint: what tells letters apart at a glance. */
function subject(letter: DeadLetter): string {
  const { task, webhook, host } = letter as {
    task?: { type?: string };
    webhook?: { endpoint?: string };
    host?: string;
  };
  return signalName(letter) || task?.type || webhook?.endpoint || host || "";
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
    .addOption(new Option("--kind <kind>", "only of this kind").choices(DEAD_LETTER_KINDS))
    .option("--daemon <name>", "only what this part gave up on; * stands for anything")
    .option("--signal <pattern>", "only of signals such as Q_*; repeat it or use commas", list)
    .option("--host <id>", "only of this host")
    .option("--since <time>", "failed last at this time or later; RFC 3339 or an age such as 2h", time)
    .option("--until <time>", "failed last before this time", time)
    .option("--text <text>", "only where this stands somewhere in the letter");
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
    .summary("dead letters: what could not be processed; list, show, replay, discard")
    .addCommand(
      withFilters(new Command("list"))
        .summary("dead letters, newest first")
        .option("--limit <n>", "how many (default: 100)", wholeNumber(1))
        .addHelpText("after", "\nWith --json: one letter a line.")
        .action(async (options: FilterOptions & { limit?: number }, command: Command) => {
          const { limit = 100 } = options;
          const letters: DeadLetter[] = [];
          let after: string | undefined;
          // A page may be short and still go on: what is looked through for one is bounded.
          do {
            const rest = Math.min(1_000, limit - letters.length);
            const page = await clientFor(command).deadLetters.list({ ...filterOf(options), limit: rest, after });
            letters.push(...page.dead_letters);
            after = page.next ?? undefined;
          } while (after !== undefined && letters.length < limit);
          if (wantsJson(command)) await printLines(letters);
          else await printTable(letters, columns, "no dead letters");
          if (after !== undefined) remark("there may be more; raise --limit");
        }),
      { isDefault: true },
    )
    .addCommand(
      new Command("show")
        .summary("a dead letter with all that it holds")
        .argument("<id>")
        .action(async (id: string, _options: object, command: Command) => {
          const letter = await clientFor(command).deadLetters.show(id);
          await print(wantsJson(command) ? JSON.stringify(letter) : JSON.stringify(letter, null, 2));
        }),
    )
    .addCommand(bulkCommand("replay"))
    .addCommand(bulkCommand("discard"));

interface BulkOptions extends FilterOptions {
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly mend?: string;
}

function bulkCommand(action: "replay" | "discard"): Command {
  const command = withFilters(new Command(action))
    .summary(action === "replay" ? "send dead letters the normal way again" : "throw dead letters away")
    .argument("[id...]", "which; or give filters")
    .option("--all", "every letter, where no filter is given")
    .option("--yes", "do it; without it filters only show what they mean");
  if (action === "replay")
    command.option("--mend <file>", "JSON of a signal that stands in for the one that was refused");
  return command
    .addHelpText("after", "\nLetters that are named are done at once. With --json: one document a line.")
    .action(async (ids: string[], options: BulkOptions, self: Command) => {
      const filter = filterOf(options);
      const filtered = Object.keys(filter).length > 0 || options.all === true;
      if (ids.length > 0 === filtered) throw new UsageError(`name letters, or give filters (or --all) to ${action} by`);
      if (options.mend !== undefined && ids.length !== 1) throw new UsageError("--mend goes with one letter");
      const client = clientFor(self);
      if (ids.length > 0) await byId(action, client, ids, await readMended(options.mend), wantsJson(self));
      else if (options.yes === true) await byFilter(action, client, filter, wantsJson(self));
      else await dryRun(action, client, filter, wantsJson(self));
    });
}

async function byId(
  action: "replay" | "discard",
  client: Client,
  ids: readonly string[],
  mended: unknown,
  asJson: boolean,
): Promise<void> {
  let failed = 0;
  for (const id of ids) {
    try {
      const done =
        action === "replay"
          ? await client.deadLetters.replay(id, mended)
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
  const letters: DeadLetter[] = [];
  for await (const page of pages(action, client, filter, true)) letters.push(...page.dead_letters);
  if (asJson) return printLines(letters);
  await printTable(letters, columns, "no dead letters are meant");
  if (letters.length > 0) remark(`${letters.length} would be ${past(action)}; add --yes to do it`);
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
  if (failed > 0) throw new Failure(`${failed} could not be ${past(action)}; they stay as they are`);
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

async function readMended(path: string | undefined): Promise<unknown> {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(code === "ENOENT" ? `there is no file ${path}` : `cannot read ${path} (${code})`);
  }
  const wrong = describeMalformedJson(text);
  if (wrong !== undefined) throw new UsageError(`${path} is not JSON: ${wrong}`);
  return JSON.parse(text);
}
