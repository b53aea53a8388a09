import { Command } from "commander";
import type { Client } from "../../../src/client/client.ts";
import type { Lineage } from "../../../src/core/lineage/api.ts";
import { print, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { type Chain, drawChain } from "./chain-tree.ts";

export const explainCommand = () =>
  new Command("explain")
    .summary("show the causes and effects of a signal")
    .description("Print the chain of a signal, from its first cause to its last effect.")
    .argument("<signal id>")
    .addHelpText("after", "\nWith --json: one document, as GET /v1/{eco}/signals/{id}/lineage gives it.")
    .action(async (id: string, _options: object, command: Command) => {
      const client = clientFor(command);
      const lineage = await client.lineage(id);
      if (command.optsWithGlobals<GlobalOptions>().json === true) return print(JSON.stringify(lineage));
      const chain = await wholeChain(client, lineage);
      await print([...drawUpstream(lineage), ...drawChain(chain)].join("\n"));
      if (chain.missing_cause !== undefined) {
        remark(
          `the first signal of the chain names ${chain.missing_cause} as its cause, and the log does not hold that signal`,
        );
      }
      if (chain.truncated) remark("the chain is longer: this is the part that was looked up");
    });

/** What led to the chain in other ecosystems, the first of them first. */
function drawUpstream({ upstream = [], signal }: Lineage): string[] {
  if (upstream.length === 0) return [];
  const parts = [...upstream].reverse().flatMap(({ ecosystem, via, readable, signals, decisions, missing_cause }) => {
    const heading = `in the ecosystem ${ecosystem}:`;
    if (!readable) return [heading, `${via.signal}  ${via.id}: the token may not read signals there`];
    if (missing_cause === via.id) return [heading, `${via.signal}  ${via.id}: the log there does not hold it any more`];
    const nothing = { dead_letters: [], tasks: [], deliveries: [], forwards: [], truncated: false };
    return [heading, ...drawChain({ asked: "", signals, decisions, missing_cause, ...nothing })];
  });
  return [...parts, `in the ecosystem ${signal.ecosystem}:`];
}

/** A signal's own lineage leaves out the other effects of its causes. The lineage of the first cause holds these. */
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
    forwards: all(
      ({ forwards = [] }) => forwards,
      ({ forward_id }) => forward_id,
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
