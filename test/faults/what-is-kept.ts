import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Signal } from "../../src/core/signals/signal.ts";
import type { RunningEdge } from "../harness/running-edge.ts";

/** Numbers of the bus signals in the spool of an agent that does not run. */
export function busNumbersIn(stateDir: string): number[] {
  return inDatabase(stateDir, (database) =>
    database
      .prepare("SELECT text FROM spool_bus")
      .all()
      .map(({ text }) => (JSON.parse(String(text)) as { facts: { n?: number } }).facts.n)
      .filter((n) => n !== undefined),
  );
}

/** How many signals the spool of an agent holds that does not run. */
export function signalsInSpool(stateDir: string): number {
  const count = "SELECT (SELECT count(*) FROM spool_bus) + (SELECT count(*) FROM spool_local) AS count";
  return inDatabase(stateDir, (database) => Number(database.prepare(count).get()?.count));
}

function inDatabase<T>(stateDir: string, read: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(stateDir, "agent.db"), { readOnly: true });
  try {
    return read(database);
  } finally {
    database.close();
  }
}

/** The whole log, in order. */
export async function readLog(edge: RunningEdge): Promise<Signal[]> {
  const log: Signal[] = [];
  for await (const signal of pagesOfLog(edge)) log.push(signal);
  return log;
}

/** Every signal of the log, in order; a page is held at a time. */
export async function* pagesOfLog(edge: RunningEdge): AsyncGenerator<Signal, void, void> {
  const client = edge.client();
  for (let after: number | null = 0; after !== null; ) {
    const page: Awaited<ReturnType<typeof client.signals>> = await client.signals({ after, limit: 1_000 });
    yield* page.signals;
    after = page.next;
  }
}
