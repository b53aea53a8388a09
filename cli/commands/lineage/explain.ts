import { Command } from "commander";
import type { Client } from "../../../src/client/client.ts";
import type { Lineage } from "../../../src/core/lineage/api.ts";
import { print, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";
import { type Chain, drawChain } from "./chain-tree.ts";
import { countedBehind } from "./counted.ts";
import { lineageOf } from "./find-subject.ts";
import { type HostTraces, hostTraces } from "./host-traces.ts";

const NOBODY: HostTraces = { traces: [], remarks: [] };

export const explainCommand = () =>
  new Command("explain")
    .summary("show how it came to a signal, task, delivery, dead letter, gap or decision, and what followed")
    .description(
      "Print the chain of a signal, from its first cause to its last effect. Of a task, a delivery, a dead letter, a gap or a " +
        "decision, that of the signal that led to it. A rule that counts signals (at_least) is shown with all that it counted.",
    )
    .argument("<id>", "id of any of them, the number (seq) of a signal, or the name of a gap")
    .option("--queue <name>", "of a task: its queue (default: all are searched)")
    .option("--no-hosts", "do not ask the hosts which of the signals they received, and which of their reactions ran")
    .addHelpText(
      "after",
      "\nWith --json: one document, as GET /v1/{eco}/signals/{id}/lineage gives it, and `hosts` with their answers.",
    )
    .action(async (id: string, { hosts, queue }: { hosts: boolean; queue?: string }, command: Command) => {
      const client = clientFor(command);
      const json = command.optsWithGlobals<GlobalOptions>().json === true;
      const { about, lineage } = await lineageOf(client, id, queue);
      if (about !== undefined) remark(about);
      const known = json ? undefined : await wholeChain(client, lineage);
      const signals = known?.signals ?? [...lineage.causes, lineage.signal, ...lineage.effects];
      const { traces, remarks } = hosts ? await hostTraces(client, signals) : NOBODY;
      for (const text of remarks) remark(text);
      if (known === undefined) return print(JSON.stringify({ ...lineage, hosts: traces }));
      const counted = await countedBehind(client, known.decisions, known.signals);
      const chain = { ...known, hosts: traces, counted };
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
    const nothing = {
      dead_letters: [],
      tasks: [],
      deliveries: [],
      forwards: [],
      hosts: [],
      counted: new Map(),
      truncated: false,
    };
    return [heading, ...drawChain({ asked: "", signals, decisions, missing_cause, ...nothing })];
  });
  return [...parts, `in the ecosystem ${signal.ecosystem}:`];
}

/** A signal's own lineage leaves out the other effects of its causes. The lineage of the first cause holds these. */
async function wholeChain(client: Client, own: Lineage): Promise<Omit<Chain, "hosts" | "counted">> {
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
