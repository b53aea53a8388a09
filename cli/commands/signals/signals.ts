import { Command, Option } from "commander";
import type { Client } from "../../../src/client/client.ts";
import type { SignalQuery } from "../../../src/client/signals.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { list, time, wholeNumber } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { at, type Column, print, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { currentLook } from "../../terminal/look.ts";
import { lineWriter } from "../../terminal/table.ts";

interface SignalsOptions extends GlobalOptions {
  readonly signal?: string[];
  readonly source?: string;
  readonly after?: number;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: number;
  readonly order?: "asc" | "desc";
  readonly filter?: string;
  readonly follow?: true;
}

const PAGE = 1_000;

const columns: readonly Column<Signal>[] = [
  ["SEQ", ({ seq }) => seq, "key"],
  ["TIME", ({ timestamp }) => at(timestamp), "whole"],
  ["SIGNAL", ({ signal }) => signal, "text"],
  ["SOURCE", ({ source }) => source],
  ["ID", ({ id }) => id, "whole"],
  ["FACTS", ({ facts }) => facts, "text"],
];

export const signalsCommand = () =>
  new Command("signals")
    .summary("read or follow the log")
    .description("Read the ecosystem's log. Without --after, --since and --order, show the newest signals.")
    .option(
      "--signal <pattern>",
      "only signals with these names: * stands for any characters, a leading ! excludes; repeat the option or use commas",
      list,
    )
    .option("--source <name>", "only signals of this source")
    .option("--after <seq>", "only signals after this sequence number", wholeNumber(0))
    .option("--since <time>", "only signals at or after a time, or younger than an age such as 10m", time)
    .option("--until <time>", "only signals before a time, or older than an age", time)
    .option("--limit <n>", "number of signals (default: 100; with --follow: until Ctrl-C)", wholeNumber(1))
    .addOption(new Option("--order <order>", "oldest or newest first").choices(["asc", "desc"]))
    .option("--filter <condition>", 'only signals that meet a condition in CEL, such as facts.host == "gpu-01"')
    .option("-f, --follow", "print signals as they come, from now or from --after")
    .addHelpText("after", "\nWith --json: one signal per line, as the API gives it.")
    .action(async (options: SignalsOptions, command: Command) => {
      const client = clientFor(command);
      const json = command.optsWithGlobals<GlobalOptions>().json === true;
      if (options.follow === true) return follow(client, options, json);
      const signals = await read(client, options);
      if (json) return printLines(signals);
      await printTable(signals, columns, "No signals match");
    });

/** Pages through the log until `limit` signals are read or the log ends. */
async function read(
  client: Client,
  { signal, limit = 100, follow: _, json: __, ...query }: SignalsOptions,
): Promise<Signal[]> {
  // Without a start or an order the end of the log is shown, oldest first, as `tail` does.
  const tail = query.order === undefined && query.after === undefined && query.since === undefined;
  const wanted: SignalQuery = { signals: signal ?? [], ...query, order: tail ? "desc" : (query.order ?? "asc") };
  const found: Signal[] = [];
  let after = query.after;
  let [failed, firstFailure] = [0, ""];
  while (found.length < limit) {
    const page = await client.signals({
      ...wanted,
      limit: Math.min(limit - found.length, PAGE),
      ...(after === undefined ? {} : { after }),
    });
    found.push(...page.signals);
    failed += page.searched?.failed ?? 0;
    firstFailure ||= page.searched?.first_failure ?? "";
    if (page.next === null) break;
    after = page.next;
  }
  if (failed > 0) remark(`the filter could not be evaluated on ${failed} signals: ${firstFailure}`);
  return tail ? found.reverse() : found;
}

async function follow(client: Client, options: SignalsOptions, json: boolean): Promise<void> {
  const misplaced = (["since", "until", "order"] as const).find((name) => options[name] !== undefined);
  if (options.filter !== undefined) throw new UsageError("--filter searches the log: leave --follow out");
  if (misplaced !== undefined) throw new UsageError(`--${misplaced} does not go with --follow; use --after`);
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const lines = lineWriter(columns, [8, 24, 24, 16, 36, 60], currentLook());
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  const signals = client.follow({
    signals: options.signal ?? [],
    signal: stopping.signal,
    ...(options.after === undefined ? {} : { after: options.after }),
    onOpen: (after) => remark(`Following from signal ${after}`),
    onInterrupted: (reason, delayMs) => remark(`${reason}; trying again in ${(delayMs / 1000).toFixed(1)} s`),
  });
  for await (const signal of signals) {
    if (options.source !== undefined && signal.source !== options.source) continue;
    await print(json ? JSON.stringify(signal) : lines.row(signal));
    left -= 1;
    if (left === 0) break;
  }
}
