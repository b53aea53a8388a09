import type { StateChange } from "../../core/policy/state.ts";
import type { Place } from "./rule-versions.ts";

interface Row {
  [column: string]: SqlStorageValue;
  number: number;
  seq: number;
  at_ms: number;
  changes: string;
}

/** When a rule decided again: behind which place of the log, and by our own clock. */
export interface Redoing {
  readonly seq: number;
  readonly atMs: number;
}

/**
 * What rules kept because they decided on a signal again (a dead letter that was replayed). The log does not say that
 * they did, and by the rules of its time the signal fails again; so a rebuild takes it from here, at the place where it
 * happened. A row for each replay by people that changed something.
 */
export class ReplayOverrides {
  readonly #sql: SqlStorage;
  /** Those that a rebuild has not come to again, in their order; empty while nothing is rebuilt. */
  #ahead: Row[] = [];

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS redone (number INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, changes TEXT NOT NULL)",
    );
  }

  /** Belongs into the transaction that writes the changes. */
  add({ seq, atMs }: Redoing, changes: readonly StateChange[]): void {
    if (changes.length === 0) return;
    const text = JSON.stringify(changes);
    this.#sql.exec("INSERT INTO redone (seq, at_ms, changes) VALUES (?, ?, ?)", seq, atMs, text);
  }

  /** @param seq - the log is read again from here; `undefined`: it is not */
  rewind(seq: number | undefined): void {
    this.#ahead =
      seq === undefined ? [] : this.#sql.exec<Row>("SELECT * FROM redone WHERE seq > ? ORDER BY number", seq).toArray();
  }

  /** The next that happened before the log was taken in as far as `seq`. */
  nextBefore(seq: number): { readonly place: Redoing; readonly changes: readonly StateChange[] } | undefined {
    const [next] = this.#ahead;
    if (next === undefined || next.seq >= seq) return undefined;
    return { place: { seq: next.seq, atMs: next.at_ms }, changes: JSON.parse(next.changes) as StateChange[] };
  }

  step(): void {
    this.#ahead.shift();
  }
}

/** Whether a rule decided again before the rules changed. */
export function isBefore({ seq, atMs }: Redoing, change: Place): boolean {
  return seq < change.seq || (seq === change.seq && atMs < change.changedMs);
}
