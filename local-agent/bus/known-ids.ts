import type { StateDatabase, StatementSync, Write } from "../store/state-database.ts";

/** Ids that are remembered in memory, and of those that came from the bus, on disk. */
const REMEMBERED = 50_000;
const STORED = 20_000;

export type MessageOrigin =
  /** Not seen, or seen from the bus under this name before: the log knows what to do with it. */
  | "new"
  /** We published it ourselves, or somebody sends back what we published. */
  | "echo"
  /** An id that stands for another signal already: programs use one for all signals of a task. */
  | "reused";

/**
 * Ids of signals that passed between the bus and the edge, so that nothing goes round in circles. Those that came
 * from the bus with an id of their own are kept on disk in the transaction that keeps the signal: the edge may send
 * them back after a restart, and they must not be published on the bus they came from.
 */
export class KnownIds {
  readonly #ids = new Map<string, { readonly name: string; readonly published: boolean }>();
  readonly #insert: StatementSync;
  readonly #prune: StatementSync;
  #stored: number;

  constructor({ sql }: StateDatabase) {
    sql.exec(
      "CREATE TABLE IF NOT EXISTS bus_id (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, name TEXT NOT NULL)",
    );
    this.#insert = sql.prepare("INSERT INTO bus_id (id, name) VALUES (?, ?)");
    this.#prune = sql.prepare(`DELETE FROM bus_id WHERE n <= (SELECT max(n) FROM bus_id) - ${STORED}`);
    const rows = sql.prepare("SELECT id, name FROM bus_id ORDER BY n").all() as { id: string; name: string }[];
    for (const { id, name } of rows) this.#ids.set(id, { name, published: false });
    this.#stored = rows.length;
  }

  /** About to be published on the bus. */
  published(id: string, name: string): void {
    this.#remember(id, name, true);
  }

  verdict(id: string, name: string): MessageOrigin {
    const known = this.#ids.get(id);
    if (known === undefined) return "new";
    if (known.name !== name) return "reused";
    return known.published ? "echo" : "new";
  }

  /** Taken in from the bus. In force at once, and after a restart if {@link store} was committed. */
  taken(id: string, name: string): void {
    this.#remember(id, name, false);
  }

  /** @returns what keeps ids that were taken, for the transaction that keeps their signals */
  store(ids: readonly { readonly id: string; readonly name: string }[]): Write<void> {
    return () => {
      for (const { id, name } of ids) this.#insert.run(id, name);
      const prune = this.#stored + ids.length > STORED * 1.25;
      if (prune) this.#prune.run();
      return () => {
        this.#stored = prune ? STORED : this.#stored + ids.length;
      };
    };
  }

  cameFromBus(id: string, name: string): boolean {
    const known = this.#ids.get(id);
    return known !== undefined && !known.published && known.name === name;
  }

  #remember(id: string, name: string, published: boolean): void {
    // The newest last, so that the oldest is the first to go.
    this.#ids.delete(id);
    this.#ids.set(id, { name, published });
    if (this.#ids.size > REMEMBERED) for (const oldest of this.#ids.keys()) return void this.#ids.delete(oldest);
  }
}
