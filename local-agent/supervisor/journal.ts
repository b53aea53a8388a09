import type { Desired } from "../../src/core/supervisor/supervised-process.ts";
import type { EarlierRun } from "../base/process/leftovers.ts";
import type { ProcessIdentity } from "../base/process/process-group.ts";
import type { StateDatabase } from "../store/state-database.ts";

interface Row {
  readonly name: string;
  readonly desired: Desired | null;
  readonly run: string | null;
  readonly leader: string | null;
}

/**
 * What a supervisor must know of its processes after it was killed itself: what people wanted, and what may still run.
 * A row for each name; a start writes two rows, an end one.
 */
export class SupervisorJournal {
  readonly #db: StateDatabase;

  constructor(db: StateDatabase) {
    this.#db = db;
    db.sql.exec(
      "CREATE TABLE IF NOT EXISTS supervised (name TEXT PRIMARY KEY, desired TEXT, run TEXT, leader TEXT) WITHOUT ROWID",
    );
  }

  /** What people said last, by name. */
  desired(): Map<string, Desired> {
    return new Map(this.#rows().flatMap(({ name, desired }) => (desired === null ? [] : [[name, desired] as const])));
  }

  /** Runs that were begun and whose end was not written down. */
  unfinished(): EarlierRun[] {
    return this.#rows().flatMap(({ run, leader }) =>
      run === null ? [] : [{ run, leader: leader === null ? undefined : (JSON.parse(leader) as ProcessIdentity) }],
    );
  }

  want(name: string, desired: Desired): Promise<void> {
    return this.#write("INSERT INTO supervised (name, desired) VALUES (?, ?) ON CONFLICT DO UPDATE SET desired = ?", [
      name,
      desired,
      desired,
    ]);
  }

  /** Before the process is started: should we be killed at that moment, its mark finds it. */
  begin(name: string, run: string): Promise<void> {
    return this.#write(
      "INSERT INTO supervised (name, run) VALUES (?, ?) ON CONFLICT DO UPDATE SET run = ?, leader = NULL",
      [name, run, run],
    );
  }

  started(name: string, run: string, leader: ProcessIdentity): Promise<void> {
    return this.#write("UPDATE supervised SET leader = ? WHERE name = ? AND run = ?", [
      JSON.stringify(leader),
      name,
      run,
    ]);
  }

  ended(name: string, run: string): Promise<void> {
    return this.#write("UPDATE supervised SET run = NULL, leader = NULL WHERE name = ? AND run = ?", [name, run]);
  }

  #rows(): Row[] {
    return this.#db.sql.prepare("SELECT name, desired, run, leader FROM supervised").all() as unknown as Row[];
  }

  #write(sql: string, values: readonly string[]): Promise<void> {
    const statement = this.#db.sql.prepare(sql);
    return this.#db.commit(1, () => {
      statement.run(...values);
      return () => {};
    });
  }
}
