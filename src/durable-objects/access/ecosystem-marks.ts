/** What an ecosystem may be marked as: having hosts, a budget, an export, schedules, notes of tasks, open questions, locks, or limits. Each is a table of names. */
type Mark = "watched" | "budgeted" | "exporting" | "scheduling" | "noting" | "asking" | "locking" | "limiting";
/** Those that objects of the ecosystem set themselves. */
export type OwnMark = Exclude<Mark, "watched" | "budgeted">;
const MARKS: readonly Mark[] = [
  "watched",
  "budgeted",
  "exporting",
  "scheduling",
  "noting",
  "asking",
  "locking",
  "limiting",
];

/** Ecosystems that the minute's round looks at also while they are quiet. */
export class EcosystemMarks {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    // WITHOUT ROWID: with a text key each write costs one row instead of two.
    for (const mark of MARKS) sql.exec(`CREATE TABLE IF NOT EXISTS ${mark} (ecosystem TEXT PRIMARY KEY) WITHOUT ROWID`);
  }

  set(mark: Mark, ecosystem: string, marked: boolean): void {
    if (marked) this.#sql.exec(`INSERT OR IGNORE INTO ${mark} (ecosystem) VALUES (?)`, ecosystem);
    else this.#sql.exec(`DELETE FROM ${mark} WHERE ecosystem = ?`, ecosystem);
  }

  has(mark: Mark, ecosystem: string): boolean {
    return this.#sql.exec(`SELECT 1 FROM ${mark} WHERE ecosystem = ?`, ecosystem).toArray().length > 0;
  }

  /** What others are told of an ecosystem, so that nobody calls objects of it that hold nothing. */
  known(ecosystem: string): {
    exporting: boolean;
    scheduling: boolean;
    asking: boolean;
    locking: boolean;
    limiting: boolean;
  } {
    const has = (mark: Mark) => this.has(mark, ecosystem);
    return {
      exporting: has("exporting"),
      scheduling: has("scheduling"),
      asking: has("asking"),
      locking: has("locking"),
      limiting: has("limiting"),
    };
  }

  /** Those that are marked, by name. */
  of(mark: Mark): string[] {
    const rows = this.#sql.exec<{ ecosystem: string }>(`SELECT ecosystem FROM ${mark} ORDER BY ecosystem`);
    return [...rows].map(({ ecosystem }) => ecosystem);
  }

  forget(ecosystem: string): void {
    for (const mark of MARKS) this.set(mark, ecosystem, false);
  }
}
