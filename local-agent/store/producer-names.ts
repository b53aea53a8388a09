import { randomBytes } from "node:crypto";
import type { Lane } from "./lane-store.ts";
import { textIn } from "./row.ts";
import type { DatabaseSync } from "./state-database.ts";

/**
 * Present and former names of this spool's idempotent producers: `<host>.<epoch>.<lane>`. The epoch is random: a spool
 * that replaces a lost one must not reuse its numbers, which the log would drop as duplicates.
 */
export class ProducerNames {
  readonly #sql: DatabaseSync;
  #names: { host: string; epoch: string }[];

  constructor(sql: DatabaseSync) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS producer (
      life INTEGER PRIMARY KEY, host TEXT NOT NULL, epoch TEXT NOT NULL
    )`);
    const rows = sql.prepare("SELECT host, epoch FROM producer ORDER BY life").all();
    this.#names = rows.map((row) => ({ host: textIn(row, "host"), epoch: textIn(row, "epoch") }));
  }

  get host(): string | undefined {
    return this.#names.at(-1)?.host;
  }

  current(lane: Lane): string {
    const name = this.#names.at(-1);
    if (name === undefined) throw new Error("the spool has no producer name");
    return `${name.host}.${name.epoch}.${lane}`;
  }

  renew(host: string): void {
    const epoch = randomBytes(6).toString("hex");
    this.#sql.prepare("INSERT INTO producer (host, epoch) VALUES (?, ?)").run(host, epoch);
    this.#names.push({ host, epoch });
  }

  /** Whether the signal came from this lane of this spool, under its present or a former name: the log derives ids from it. */
  owns(id: string, lane: Lane): boolean {
    return this.#names.some(({ host, epoch }) => id.startsWith(`${host}.${epoch}.${lane}.`));
  }
}
