import { randomBytes } from "node:crypto";
import { LANES, type Lane } from "./lane-store.ts";
import { textIn } from "./row.ts";
import type { DatabaseSync } from "./state-database.ts";

interface Name {
  readonly host: string;
  readonly epoch: string;
  /** `null`: both lanes. */
  readonly lane: Lane | null;
}

/**
 * Present and former names of this spool's idempotent producers: `<host>.<epoch>.<lane>`. The epoch is random: a spool
 * that replaces a lost one must not reuse its numbers, which the log would drop as duplicates. A lane can get a new epoch
 * of its own: signals of the other lane that are on their way would come to stand in the log twice.
 */
export class ProducerNames {
  readonly #sql: DatabaseSync;
  readonly #names: Name[];

  constructor(sql: DatabaseSync) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS producer (
      life INTEGER PRIMARY KEY, host TEXT NOT NULL, epoch TEXT NOT NULL, lane TEXT
    )`);
    const columns = sql.prepare("SELECT name FROM pragma_table_info('producer')").all();
    // A table of an earlier version, whose epochs belong to both lanes.
    if (!columns.some(({ name }) => name === "lane")) sql.exec("ALTER TABLE producer ADD COLUMN lane TEXT");
    const rows = sql.prepare("SELECT host, epoch, lane FROM producer ORDER BY life").all();
    this.#names = rows.map((row) => ({
      host: textIn(row, "host"),
      epoch: textIn(row, "epoch"),
      lane: LANES.find((lane) => lane === row.lane) ?? null,
    }));
  }

  /** Epoch with which the database was made. */
  get firstEpoch(): string | undefined {
    return this.#names[0]?.epoch;
  }

  get host(): string | undefined {
    return this.#names.at(-1)?.host;
  }

  current(lane: Lane): string {
    const name = this.#names.findLast((each) => each.lane === null || each.lane === lane);
    if (name === undefined) throw new Error("the spool has no producer name");
    return `${name.host}.${name.epoch}.${lane}`;
  }

  /** @param lane - whose epoch is new; default: both */
  renew(host: string, lane: Lane | null = null): void {
    const epoch = randomBytes(6).toString("hex");
    this.#sql.prepare("INSERT INTO producer (host, epoch, lane) VALUES (?, ?, ?)").run(host, epoch, lane);
    this.#names.push({ host, epoch, lane });
  }

  /** Whether the signal came from this lane of this spool, under its present or a former name: the log derives ids from it. */
  owns(id: string, lane: Lane): boolean {
    return this.#names.some(
      (name) => (name.lane === null || name.lane === lane) && id.startsWith(`${name.host}.${name.epoch}.${lane}.`),
    );
  }
}
