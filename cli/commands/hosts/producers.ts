import { Command } from "commander";
import type { ProducerRecord } from "../../../src/core/signals/api.ts";
import { at, type Column, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";

const columns: readonly Column<ProducerRecord>[] = [
  ["PRODUCER", ({ producer }) => producer, "key"],
  ["LAST", ({ last }) => String(last)],
  ["SEEN", ({ seen_at }) => at(seen_at), "whole"],
];

interface Options {
  readonly host?: string;
  readonly forget?: string;
}

export const producersCommand = () =>
  new Command("producers")
    .summary("list producers of numbered signals, or repair one")
    .option("--host <host>", "producers of this host alone")
    .option("--forget <producer>", "take the next number of the producer for its first, whatever it was")
    .addHelpText("after", "\nWith --json: one producer a line.")
    .action(async ({ host, forget }: Options, command: Command) => {
      const { agents } = clientFor(command);
      if (forget !== undefined) {
        await agents.forgetProducer(forget);
        return remark(`${forget} begins anew with the next number that it sends`);
      }
      const list = await agents.producers(host);
      if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(list);
      return printTable(list, columns, "no producers");
    });
