import { Command } from "commander";
import type { Client } from "../../../src/client/client.ts";
import type { Lineage } from "../../../src/core/lineage/lineage.ts";
import { print, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { type Chain, drawChain } from "./chain-tree.ts";

export const explainCommand = () =>
  new Command("explain")
    .summary("why a signal came, and what came of it")
    .description("Print the chain that a signal belongs to, from its first cause to its last effect.")
    .argument("<signal id>")
    .addHelpText("after", "\nWith --json: one document, as GET /v1/{eco}/signals/{id}/lineage gives it.")
    .action(async (id: string, _options: object, command: Command) => {
      const client = clientFor(command);
      const lineage = await client.lineage(id);
      if (command.optsWithGlobals<GlobalOptions>().json === true) return print(JSON.stringify(lineage));
      const chain = await wholeChain(client, lineage);
      await print(drawChain(chain).join("\n"));
      if (chain.missing_cause !== undefined) {
        remark(`the first of them names ${chain.missing_cause} as its cause, which the log does not hold (any more)`);
      }
      if (chain.truncated) remark("there is more of it than was looked for");
    });

/** A signal's own lineage leaves out what else its causes led to: that is in the lineage of the first of them. */
async function wholeChain(client: Client, own: Lineage): Promise<Chain> {
  const [first] = own.causes;
  const parts = first === undefined ? [own] : [own, await client.lineage(first.id)];
  const all = <Item>(pick: (part: Lineage) => readonly Item[], key: (item: Item) => string) => [
    ...new Map(parts.flatMap(pick).map((item) => [key(item), item])).values(),
  ];
  return {
    asked: own.signal.id,
    missing_cause: own.missing_cause,
    truncated: parts.some(({ truncated }) => truncated),
    signals: all(
      ({ causes, signal, effects }) => [...causes, signal, ...effects],
      ({ id }) => id,
    ).sort((a, b) => a.seq - b.seq),
    decisions: all(
      (part) => part.decisions,
      ({ id }) => id,
    ),
    tasks: all(
      (part) => part.tasks,
      ({ queue, task_id }) => `${queue} ${task_id}`,
    ),
    deliveries: all(
      (part) => part.deliveries,
      ({ delivery_id }) => delivery_id,
    ),
    dead_letters: all(
      (part) => part.dead_letters,
      ({ id }) => id,
    ),
  };
}
