import * as z from "zod";
import type { Desired } from "../../src/core/supervisor/process-protocol.ts";
import type { EarlierRun } from "../base/process/leftovers.ts";
import type { ProcessIdentity } from "../base/process/process-group.ts";
import type { StateDatabase } from "../store/state-database.ts";

const Row = z.object({
  name: z.string(),
  desired: z.enum(["started", "stopped", "on_demand"]).nullable(),
  run: z.string().nullable(),
  leader: z.string().nullable(),
});
const Leader = z.object({ pid: z.int(), start: z.int(), boot: z.string() });

/**
 * What a supervisor must know about its processes after it was killed: the desired state of each agent, and the processes
 * that may still run. A row for each name; a start writes two rows, an end one.
 */
export class SupervisorJournal {
  readonly #db: StateDatabase;

  constructor(db: StateDatabase) {
    this.#db = db;
    db.sql.exec(
      "CREATE TABLE IF NOT EXISTS supervised (name TEXT PRIMARY KEY, desired TEXT, run TEXT, leader TEXT) WITHOUT ROWID",
    );
  }

  /** The last command of a person, by name. */
  desired(): Map<string, Desired> {
    return new Map(this.#rows().flatMap(({ name, desired }) => (desired === null ? [] : [[name, desired] as const])));
  }

  /** Runs that began and whose end was not written. */
  unfinished(): EarlierRun[] {
    return this.#rows().flatMap(({ run, leader }) =>
      run === null ? [] : [{ run, leader: leader === null ? undefined : leaderIn(leader), escaped: true }],
    );
  }

  setDesired(name: string, desired: Desired): Promise<void> {
    return this.#write("INSERT INTO supervised (name, desired) VALUES (?, ?) ON CONFLICT DO UPDATE SET desired = ?", [
      name,
      desired,
      desired,
    ]);
  }

  /** Written before the process is started: if the supervisor is killed at that moment, the mark finds the process. */
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

  #rows(): z.infer<typeof Row>[] {
    const rows = this.#db.sql.prepare("SELECT name, desired, run, leader FROM supervised").all();
    return rows.map((row) => Row.parse(row));
  }

  #write(sql: string, values: readonly string[]): Promise<void> {
    const statement = this.#db.sql.prepare(sql);
    return this.#db.commit(1, () => {
      statement.run(...values);
      return () => {};
    });
  }
}

/** @returns `undefined` for a damaged row: the mark of the run finds its processes too, and the agent starts */
function leaderIn(text: string): z.infer<typeof Leader> | undefined {
  try {
    return Leader.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
