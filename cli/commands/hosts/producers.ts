import { Command } from "commander";
import type { ProducerRecord } from "../../../src/core/signals/api.ts";
import { at, type Column, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { viewOptions } from "../verbs.ts";

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
      return listProducers(host, command);
    })
    .addCommand(
      new Command("list")
        .summary("list producers of numbered signals")
        .option("--host <host>", "producers of this host alone")
        .addHelpText("after", "\nWith --json: one producer a line.")
        .action((_options: object, command: Command) => listProducers(viewOptions<Options>(command).host, command)),
    );

async function listProducers(host: string | undefined, command: Command): Promise<void> {
  const list = await clientFor(command).agents.producers(host);
  if (command.optsWithGlobals<GlobalOptions>().json === true) return printLines(list);
  await printTable(list, columns, "no producers");
}
