import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Signal } from "../../src/core/signals/signal.ts";
import type { RunningEdge } from "../harness/running-edge.ts";

/** Numbers of the bus signals in the spool of an agent that does not run. */
export function busNumbersIn(stateDir: string): number[] {
  const database = new DatabaseSync(join(stateDir, "agent.db"), { readOnly: true });
  try {
    return database
      .prepare("SELECT text FROM spool_bus")
      .all()
      .map(({ text }) => (JSON.parse(String(text)) as { facts: { n: number } }).facts.n);
  } finally {
    database.close();
  }
}

/** The whole log, in order. */
export async function readLog(edge: RunningEdge): Promise<Signal[]> {
  const client = edge.client();
  const log: Signal[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page: Awaited<ReturnType<typeof client.signals>> = await client.signals({ after, limit: 1_000 });
    log.push(...page.signals);
    after = page.next;
  }
  return log;
}
