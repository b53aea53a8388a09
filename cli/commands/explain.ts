import { Command } from "commander";
import type { Client } from "../../src/client/client.ts";
import { ApiProblem } from "../../src/client/problem-errors.ts";
import type { TaskView } from "../../src/client/queue-calls.ts";
import type { Lineage } from "../../src/core/lineage/lineage.ts";
import type { Decision } from "../../src/core/policy/decision.ts";
import { type Chain, drawChain } from "../chain-tree.ts";
import { print, remark } from "../output.ts";
import { clientFor, type GlobalOptions } from "../settings.ts";

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
  const decisions = all(
    (part) => part.decisions,
    ({ id }) => id,
  );
  return {
    asked: own.signal.id,
    missing_cause: own.missing_cause,
    truncated: parts.some(({ truncated }) => truncated),
    signals: all(
      ({ causes, signal, effects }) => [...causes, signal, ...effects],
      ({ id }) => id,
    ).sort((a, b) => a.seq - b.seq),
    decisions,
    tasks: await tasksOf(client, decisions),
    dead_letters: all(
      (part) => part.dead_letters,
      ({ id }) => id,
    ),
  };
}

/** Tasks that are asked after; a chain rarely has more than a few. */
const MAX_TASKS = 50;

async function tasksOf(client: Client, decisions: readonly Decision[]): Promise<Map<string, TaskView>> {
  const tasks = decisions.flatMap((decision) => decision.tasks ?? []).slice(0, MAX_TASKS);
  const found = new Map<string, TaskView>();
  await Promise.all(
    tasks.map(async ({ queue, task_id }) => {
      try {
        found.set(task_id, await client.queues.task(queue, task_id));
      } catch (error) {
        // A task that ended long ago is forgotten by its queue: the tree says so.
        if (!(error instanceof ApiProblem) || error.problem.status !== 404) throw error;
      }
    }),
  );
  return found;
}
