import { randomBytes } from "node:crypto";
import type { Lane } from "./lane-store.ts";
import type { DatabaseSync } from "./state-database.ts";

/**
 * Names of the idempotent producers that this spool has been: `<host>.<epoch>.<lane>`. The epoch is random, so that a
 * spool that was lost cannot reuse numbers that the log has seen, which it would drop as already known.
 */
export class ProducerNames {
  readonly #sql: DatabaseSync;
  #names: { host: string; epoch: string }[];

  constructor(sql: DatabaseSync) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS producer (
      life INTEGER PRIMARY KEY, host TEXT NOT NULL, epoch TEXT NOT NULL
    )`);
    this.#names = sql.prepare("SELECT host, epoch FROM producer ORDER BY life").all() as {
      host: string;
      epoch: string;
    }[];
  }

  get host(): string | undefined {
    return this.#names.at(-1)?.host;
  }

  current(lane: Lane): string {
    const name = this.#names.at(-1);
    if (name === undefined) throw new Error("a spool has a producer name from the start");
    return `${name.host}.${name.epoch}.${lane}`;
  }

  renew(host: string): void {
    const epoch = randomBytes(6).toString("hex");
    this.#sql.prepare("INSERT INTO producer (host, epoch) VALUES (?, ?)").run(host, epoch);
    this.#names.push({ host, epoch });
  }

  /** Whether the log named this signal after the given lane of this spool, now or under an earlier name. */
  owns(id: string, lane: Lane): boolean {
    return this.#names.some(({ host, epoch }) => id.startsWith(`${host}.${epoch}.${lane}.`));
  }
}
