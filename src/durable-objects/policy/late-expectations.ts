import { LATE_MS, type LateExpectation, MAX_LATE } from "../../core/policy/late-expectation.ts";
import type { RuleOutcome } from "../../core/policy/rule-outcome.ts";
import type { StateMutation } from "../../core/policy/state.ts";

interface Row extends Record<string, SqlStorageValue> {
  rule: string;
  key: string;
  due_ms: number;
  reason: string;
  origin: string;
}

/**
 * Expectations that were not met lately. A row is written when one is too late, and deleted when its rule begins to wait
 * for the same signal anew, so that the list empties by itself.
 */
export class LateExpectations {
  readonly #sql: SqlStorage;
  /** Whether there are rows; `undefined`: not known. Rules that wait all the time must not pay for a look each time. */
  #some: boolean | undefined;

  readonly #changed: () => void;

  /** @param changed - called in the transaction in which the list changes */
  constructor(sql: SqlStorage, changed: () => void) {
    this.#sql = sql;
    this.#changed = changed;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS late (rule TEXT, key TEXT, due_ms INTEGER NOT NULL, reason TEXT NOT NULL,
         origin TEXT NOT NULL, PRIMARY KEY (rule, key)) WITHOUT ROWID`,
    );
  }

  /** Notes an outcome, if it is that of an expectation that was not met. Belongs into the decision's transaction. */
  note({ rule, by, values, atMs, reason = "", origin }: RuleOutcome): void {
    if (by !== "time") return;
    const key = typeof values.by === "string" ? values.by : "";
    this.#sql.exec("INSERT OR REPLACE INTO late VALUES (?, ?, ?, ?, ?)", rule.id, key, atMs, reason, origin.id);
    this.#sql.exec(
      "DELETE FROM late WHERE (rule, key) IN (SELECT rule, key FROM late ORDER BY due_ms DESC LIMIT -1 OFFSET ?)",
      MAX_LATE,
    );
    // The transaction may fail yet.
    this.#some = undefined;
    this.#changed();
  }

  /** Forgets those for which a rule waits anew. */
  changed(mutations: readonly StateMutation[]): void {
    if (this.#some === false) return;
    for (const { kind, rule, key, body } of mutations) {
      if (kind !== "expected" || body === null) continue;
      this.#some ??= this.#sql.exec("SELECT 1 FROM late LIMIT 1").toArray().length > 0;
      if (!this.#some) return;
      // A rebuild goes through waits of the past again.
      const met = "DELETE FROM late WHERE rule = ? AND key = ? AND due_ms <= ?";
      if (this.#sql.exec(met, rule, key, body.sinceMs).rowsWritten > 0) this.#changed();
    }
  }

  /** Those of the last hour, the longest overdue first. */
  list(nowMs: number): LateExpectation[] {
    return this.#sql
      .exec<Row>("SELECT * FROM late WHERE due_ms > ? ORDER BY due_ms, rule, key", nowMs - LATE_MS)
      .toArray()
      .map(({ due_ms, ...row }) => ({ ...row, dueMs: due_ms }));
  }
}
