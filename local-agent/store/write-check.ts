import type { HealthProblem } from "../base/health-problem.ts";
import type { StateDatabase } from "./state-database.ts";

/** Longest time that a write may take before the agent counts as unhealthy, in milliseconds. */
const WRITE_MS = 10_000;

/** Of `errcode`, see https://sqlite.org/rescode.html */
const SQLITE_FULL = 13;

/**
 * Checks that the state database takes a write. An answer also shows that the event loop turns. An edge that is away is
 * not a problem of this host: signals wait in the spool.
 */
export class WriteCheck {
  readonly #db: StateDatabase;

  constructor(db: StateDatabase) {
    this.#db = db;
    db.sql.exec(
      "CREATE TABLE IF NOT EXISTS health (one INTEGER PRIMARY KEY CHECK (one = 1), checked_ms INTEGER NOT NULL)",
    );
  }

  /** Writes to the disk. @returns the problem, or `undefined` */
  async check(): Promise<HealthProblem | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<HealthProblem>((resolve) => {
      const reason = `the spool has not taken a write for ${WRITE_MS / 1000} s`;
      timer = setTimeout(() => resolve({ reason, restartHelps: true }), WRITE_MS);
    });
    const written = this.#db
      .commit<undefined>(1, () => {
        this.#db.sql.prepare("INSERT OR REPLACE INTO health VALUES (1, ?)").run(Date.now());
        return () => undefined;
      })
      .catch((error: Error & { errcode?: number }): HealthProblem => {
        const restartHelps = error.errcode === undefined || error.errcode % 256 !== SQLITE_FULL;
        return { reason: `the spool cannot be written: ${error.message}`, restartHelps };
      });
    return Promise.race([written, late]).finally(() => clearTimeout(timer));
  }
}
