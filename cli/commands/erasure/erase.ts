import { setTimeout as pause } from "node:timers/promises";
import { Command } from "commander";
import type { Client } from "../../../src/client/client.ts";
import type { Erasure } from "../../../src/core/erasure/api.ts";
import { UsageError } from "../../failure.ts";
import { at, type Column, print, printFields, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";

/** Between two questions how far the erasure has come, in milliseconds. */
const ASK_EVERY_MS = 500;

const columns: readonly Column<Erasure>[] = [
  ["ID", ({ id }) => id, "key"],
  ["STATE", ({ state, part }) => (part === null ? state : `${state}: ${part}`), "state"],
  ["SIGNALS", ({ signals }) => signals],
  ["ROWS", ({ rows }) => rows],
  ["BEGAN", ({ began_at }) => at(began_at), "whole"],
  ["DONE", ({ done_at }) => at(done_at), "whole"],
  ["SOURCE (SHA-256)", ({ source_sha256 }) => source_sha256, "text"],
];

export const eraseCommand = () =>
  new Command("erase")
    .summary("erase what a source has said: its signals, and what followed from them")
    .description(
      "Erases what a source has said up to now. Without --yes it only counts the signals that would go; without a source it " +
        "lists the erasures. Stop the source before: what it sends later stays.",
    )
    .argument("[source]", "the source, whole, as its signals name it")
    .option("--yes", "erase it: this cannot be undone")
    .action(async (source: string | undefined, options: { yes?: true }, command: Command) => {
      const { erasures } = clientFor(command);
      const json = command.optsWithGlobals<GlobalOptions>().json === true;
      if (source === undefined) {
        if (options.yes === true) throw new UsageError("name the source that is to be erased");
        const all = await erasures.list();
        return json ? printLines(all) : printTable(all, columns, "nothing was erased");
      }
      if (options.yes === true) return show(await follow(erasures, await erasures.begin(source)), json);
      const count = await erasures.count(source);
      if (json) return print(JSON.stringify({ dry_run: true, ...count }));
      await printFields(count);
      remark(
        count.signals === 0
          ? "the log holds no signal of this source; its name may be elsewhere: give --yes to erase it there, too"
          : "nothing was erased: give --yes to erase them, with what followed from them. This cannot be undone",
      );
    });

/** Tells of each part that is searched. */
async function follow(erasures: Client["erasures"], begun: Erasure): Promise<Erasure> {
  let erasure = begun;
  let told: string | null = null;
  while (erasure.state !== "complete") {
    const { part, searched_seq, through_seq, signals } = erasure;
    const line = part === "log" ? `log: ${searched_seq} of ${through_seq} searched, ${signals} erased` : `${part}`;
    if (line !== told) remark(line);
    told = line;
    await pause(ASK_EVERY_MS);
    erasure = await erasures.show(erasure.id);
  }
  return erasure;
}

async function show(erasure: Erasure, json: boolean): Promise<void> {
  if (json) return print(JSON.stringify(erasure));
  const { id, signals, rows, done_at, source_sha256 } = erasure;
  await printFields({ id, signals, rows, done_at, source_sha256 });
}
