/** The owner of a dead letter (see owner.ts of the core), in SQL. A row that cannot be read counts as the edge's. */
const OWNER = `CASE WHEN json_valid(body) THEN COALESCE(json_extract(body, '$.host'),
  CASE WHEN json_extract(body, '$.daemon') LIKE 'link/%' THEN substr(json_extract(body, '$.daemon'), 6) ELSE 'ganglion' END)
  ELSE 'ganglion' END`;

/**
 * How many open dead letters each owner has. Counted at the first question, which comes when there are very many, and then
 * kept up to date.
 */
export class LetterShares {
  readonly #sql: SqlStorage;
  #counts: Map<string, number> | undefined;
  /** Up to this number an owner has no open dead letter: each search goes on where the last one ended. */
  readonly #searched = new Map<string, number>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  add(owner: string, change: number): void {
    if (this.#counts !== undefined) this.#counts.set(owner, this.of(owner) + change);
  }

  of(owner: string): number {
    if (this.#counts === undefined) {
      const rows = this.#sql.exec<{ owner: string; n: number }>(
        `SELECT ${OWNER} AS owner, COUNT(*) AS n FROM letters WHERE closed = 0 GROUP BY 1`,
      );
      this.#counts = new Map([...rows].map(({ owner: name, n }) => [name, n]));
    }
    return this.#counts.get(owner) ?? 0;
  }

  /** Number of the owner's oldest open dead letter; `undefined`: none is left behind those that were found before. */
  oldest(owner: string): number | undefined {
    const rows = this.#sql.exec<{ number: number }>(
      `SELECT number FROM letters WHERE number > ? AND closed = 0 AND ${OWNER} = ? ORDER BY number LIMIT 1`,
      this.#searched.get(owner) ?? 0,
      owner,
    );
    const [found] = [...rows];
    // One that was opened again lies before: it is found when the search begins anew.
    if (found === undefined) this.#searched.delete(owner);
    else this.#searched.set(owner, found.number);
    return found?.number;
  }

  /** Counts and searches anew, after a transaction that failed or a deletion of many. */
  reset(): void {
    this.#counts = undefined;
    this.#searched.clear();
  }
}
