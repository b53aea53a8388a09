import type { StateMutation } from "../../core/policy/state.ts";
import { readStoredMutations } from "../../core/policy/stored.ts";
import { readableOr } from "../shell/readable-rows.ts";
import type { Place } from "./rule-versions.ts";

interface Row {
  [column: string]: SqlStorageValue;
  number: number;
  seq: number;
  at_ms: number;
  changes: string;
}

/** When a rule was evaluated again: after which sequence number, and by the object's clock. */
export interface OverridePlace {
  readonly seq: number;
  readonly atMs: number;
}

/**
 * State that changed because a dead letter was replayed and a rule was evaluated on its signal again, or because state of
 * an older system was imported. The log records neither, and by the rules of its time the signal would fail again; so a
 * rebuild applies these rows, at the position at which each replay and import happened. A row for each that changed state.
 */
export class ReplayOverrides {
  readonly #sql: SqlStorage;
  /** Rows that a rebuild has not reached, in their order; empty while no rebuild is running. */
  #ahead: Row[] = [];

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS redone (number INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, changes TEXT NOT NULL)",
    );
  }

  /** Call it in the transaction that writes the mutations. */
  add({ seq, atMs }: OverridePlace, mutations: readonly StateMutation[]): void {
    if (mutations.length === 0) return;
    const text = JSON.stringify(mutations);
    this.#sql.exec("INSERT INTO redone (seq, at_ms, changes) VALUES (?, ?, ?)", seq, atMs, text);
  }

  /** @param seq - a rebuild begins after this sequence number; `undefined`: no rebuild is running */
  rewind(seq: number | undefined): void {
    this.#ahead =
      seq === undefined ? [] : this.#sql.exec<Row>("SELECT * FROM redone WHERE seq > ? ORDER BY number", seq).toArray();
  }

  /** The next override that happened before the signal `seq` was processed. */
  nextBefore(seq: number): { readonly place: OverridePlace; readonly mutations: readonly StateMutation[] } | undefined {
    const [next] = this.#ahead;
    if (next === undefined || next.seq >= seq) return undefined;
    const mutations = readableOr("replayed state of rules", next.changes, readStoredMutations, []);
    return { place: { seq: next.seq, atMs: next.at_ms }, mutations };
  }

  step(): void {
    this.#ahead.shift();
  }
}

/** Whether a rule was evaluated again before the rules changed. */
export function isBefore({ seq, atMs }: OverridePlace, change: Place): boolean {
  return seq < change.seq || (seq === change.seq && atMs < change.changedMs);
}
