import type { StateDatabase } from "./state-database.ts";

/** Longest time that a write may take before the agent counts as sick, in milliseconds. */
const WRITE_MS = 10_000;

/**
 * Whether the agent can do what it is for: its event loop turns (or nobody would answer), and the spool takes a signal.
 * The edge being away is no sickness: that is what the spool is for.
 */
export class Health {
  readonly #db: StateDatabase;

  constructor(db: StateDatabase) {
    this.#db = db;
    db.sql.exec(
      "CREATE TABLE IF NOT EXISTS health (one INTEGER PRIMARY KEY CHECK (one = 1), checked_ms INTEGER NOT NULL)",
    );
  }

  /** Writes to the disk. @returns what is wrong, or `undefined` */
  async check(): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`the spool has not taken a write for ${WRITE_MS / 1000} s`), WRITE_MS);
    });
    const written = this.#db
      .commit<undefined>(1, () => {
        this.#db.sql.prepare("INSERT OR REPLACE INTO health VALUES (1, ?)").run(Date.now());
        return () => undefined;
      })
      .catch((error: unknown) => `the spool cannot be written: ${(error as Error).message}`);
    return Promise.race([written, late]).finally(() => clearTimeout(timer));
  }
}
