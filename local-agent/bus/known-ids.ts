import { textIn } from "../store/row.ts";
import type { StateDatabase, StatementSync, Write } from "../store/state-database.ts";

/** Limits of the remembered ids: in memory, and on disk for those that came from the bus. */
const REMEMBERED = 50_000;
const STORED = 20_000;

export type MessageOrigin =
  /** The id is unknown, or came from the bus with the same name before: the log drops duplicates. */
  | "new"
  /** This agent published the signal, and the bus sends it back. */
  | "echo"
  /** The id belongs to another signal already: some programs use one id for all signals of a task. */
  | "reused";

/**
 * Ids of signals that passed between the bus and the edge, to prevent loops. Ids that came from the bus are stored on
 * disk in the transaction that stores the signal: the edge may send the signal back after a restart, and it must not be
 * published on the bus again.
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
    const rows = sql.prepare("SELECT id, name FROM bus_id ORDER BY n").all();
    for (const row of rows) this.#ids.set(textIn(row, "id"), { name: textIn(row, "name"), published: false });
    this.#stored = rows.length;
  }

  /** Remembers a signal that is about to be published on the bus. */
  published(id: string, name: string): void {
    this.#remember(id, name, true);
  }

  originOf(id: string, name: string): MessageOrigin {
    const known = this.#ids.get(id);
    if (known === undefined) return "new";
    if (known.name !== name) return "reused";
    return known.published ? "echo" : "new";
  }

  /** Remembers a signal that came from the bus: at once, and after a restart if {@link store} was committed. */
  taken(id: string, name: string): void {
    this.#remember(id, name, false);
  }

  /** @returns a write that stores ids, for the transaction that stores their signals */
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
    // The newest last, so that the oldest is removed first.
    this.#ids.delete(id);
    this.#ids.set(id, { name, published });
    if (this.#ids.size > REMEMBERED) for (const oldest of this.#ids.keys()) return void this.#ids.delete(oldest);
  }
}
