import * as z from "zod";
import type { Run } from "../../src/core/reactions/run.ts";
import type { ProcessIdentity } from "../base/process/process-group.ts";
import type { StateDatabase, StatementSync } from "../store/state-database.ts";

/** One reaction to one signal, or to one task of a queue. */
export interface Entry {
  readonly key: number;
  readonly reaction: string;
  /** Id of the signal or task. */
  readonly cause: string;
  /** JSON of the signal. */
  readonly input: string;
  readonly run: Run;
  /** Why the last attempt failed. */
  readonly error: string | null;
  /** JSON that an earlier attempt saved for the next one. */
  readonly checkpoint: string | null;
  /** JSON of the answer to a task that is done. */
  readonly result: string | null;
}

/** A run that was under way when the agent was killed. */
export interface LeftRun extends Entry {
  readonly mark: string;
  readonly leader: ProcessIdentity | undefined;
}

/** Written together with a step. */
export interface StepNotes {
  /** For a run that begins: identifies its processes after a crash. */
  readonly mark?: string;
  readonly error?: string;
  readonly result?: string;
  /** For a run that fails for good: where its replay begins. */
  readonly checkpoint?: unknown;
}

const State = z.enum(["pending", "running", "done", "dead"]);
const Row = z.object({
  key: z.int(),
  reaction: z.string(),
  cause: z.string(),
  input: z.string(),
  state: State,
  attempts: z.int(),
  crashes: z.int(),
  not_before_ms: z.number(),
  error: z.string().nullable(),
  checkpoint: z.string().nullable(),
  result: z.string().nullable(),
  mark: z.string().nullable(),
  pid: z.int().nullable(),
  start: z.int().nullable(),
  boot: z.string().nullable(),
});
type Row = z.infer<typeof Row>;
const DueRow = z.object({ ms: z.number().nullable() });
const CountRow = z.object({ state: State, n: z.int() });

/** Rows of one delete: the event loop is blocked meanwhile. */
const PRUNE_ROWS = 1_000;

/**
 * Which runs wait, are under way, and have ended. The journal is in the agent's database, so that each step is one
 * transaction with the inbox cursor from which it follows, or with the signals that it emits. Call methods that write
 * inside a transaction.
 */
export class RunJournal {
  readonly #insert: StatementSync;
  readonly #byCause: StatementSync;
  readonly #due: StatementSync;
  readonly #nextDue: StatementSync;
  readonly #running: StatementSync;
  readonly #set: StatementSync;
  readonly #lead: StatementSync;
  readonly #save: StatementSync;
  readonly #prune: StatementSync;
  readonly #count: StatementSync;

  constructor({ sql }: StateDatabase) {
    sql.exec(`
      CREATE TABLE IF NOT EXISTS reaction_run (
        key INTEGER PRIMARY KEY, reaction TEXT NOT NULL, cause TEXT NOT NULL, input TEXT NOT NULL, state TEXT NOT NULL,
        attempts INTEGER NOT NULL, crashes INTEGER NOT NULL, not_before_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,
        error TEXT, checkpoint TEXT, result TEXT, mark TEXT, pid INTEGER, start INTEGER, boot TEXT);
      CREATE INDEX IF NOT EXISTS reaction_run_due ON reaction_run(reaction, not_before_ms) WHERE state = 'pending';
      CREATE INDEX IF NOT EXISTS reaction_run_running ON reaction_run(key) WHERE state = 'running';
      CREATE INDEX IF NOT EXISTS reaction_run_state ON reaction_run(reaction, state) WHERE state <> 'done';
      CREATE INDEX IF NOT EXISTS reaction_run_over ON reaction_run(changed_ms) WHERE state IN ('done', 'dead');`);
    const columns = sql.prepare("SELECT name FROM pragma_table_info('reaction_run')").all();
    // A table of an earlier version, in which ids alone told signals apart.
    if (!columns.some(({ name }) => name === "place"))
      sql.exec("ALTER TABLE reaction_run ADD COLUMN place INTEGER NOT NULL DEFAULT 0");
    sql.exec(`DROP INDEX IF EXISTS reaction_run_cause;
      CREATE UNIQUE INDEX IF NOT EXISTS reaction_run_signal ON reaction_run(reaction, cause, place);`);
    this.#insert = sql.prepare(`INSERT OR IGNORE INTO reaction_run
      (reaction, cause, place, input, state, attempts, crashes, not_before_ms, changed_ms)
      SELECT ?1, ?2, ?3, ?4, 'pending', 0, 0, ?5, ?5
      WHERE NOT EXISTS (SELECT 1 FROM reaction_run WHERE reaction = ?1 AND cause = ?2 AND place = 0)`);
    this.#byCause = sql.prepare(
      "SELECT * FROM reaction_run WHERE reaction = ? AND cause = ? ORDER BY state = 'dead' DESC, key DESC LIMIT 1",
    );
    this.#due = sql.prepare(
      "SELECT * FROM reaction_run WHERE reaction = ? AND state = 'pending' ORDER BY not_before_ms, key LIMIT ?",
    );
    this.#nextDue = sql.prepare(
      "SELECT min(not_before_ms) AS ms FROM reaction_run WHERE reaction = ? AND state = 'pending' AND not_before_ms > ?",
    );
    this.#running = sql.prepare("SELECT * FROM reaction_run WHERE state = 'running' ORDER BY key");
    this.#set =
      sql.prepare(`UPDATE reaction_run SET state = ?, attempts = ?, crashes = ?, not_before_ms = ?, changed_ms = ?,
      error = ?, result = ?, mark = ?, pid = NULL, start = NULL, boot = NULL WHERE key = ?`);
    this.#lead = sql.prepare("UPDATE reaction_run SET pid = ?, start = ?, boot = ? WHERE key = ? AND mark = ?");
    this.#save = sql.prepare("UPDATE reaction_run SET checkpoint = ? WHERE key = ?");
    this.#prune = sql.prepare(`DELETE FROM reaction_run WHERE key IN
      (SELECT key FROM reaction_run WHERE state IN ('done', 'dead') AND changed_ms < ? ORDER BY changed_ms LIMIT ?)`);
    this.#count = sql.prepare(
      "SELECT state, count(*) AS n FROM reaction_run WHERE reaction = ? AND state <> 'done' GROUP BY state",
    );
  }

  /**
   * @param place - tells signals of one id apart, see identity-of-signal.ts; 0: there is only one
   * @returns whether the run is new: the same signal starts a reaction once
   */
  accept(reaction: string, cause: string, input: string, nowMs: number, place = 0): boolean {
    return this.#insert.run(reaction, cause, place, input, nowMs).changes > 0;
  }

  /** Of several signals with one id, the run that was given up, or the newest. */
  find(reaction: string, cause: string): Entry | undefined {
    const row = this.#byCause.get(reaction, cause);
    return row && toEntry(Row.parse(row));
  }

  /** Pending runs, the longest due first; the last of them may not be due yet. */
  pending(reaction: string, limit: number): Entry[] {
    return this.#due.all(reaction, limit).map((row) => toEntry(Row.parse(row)));
  }

  /** When the next pending run is due. */
  nextDueMs(reaction: string, nowMs: number): number | undefined {
    return DueRow.parse(this.#nextDue.get(reaction, nowMs)).ms ?? undefined;
  }

  /** Runs that are done are not counted: to count them would cost as much as there were ever runs. */
  counts(reaction: string): { waiting: number; running: number; dead: number } {
    const rows = this.#count.all(reaction).map((row) => CountRow.parse(row));
    const of = (state: Run["state"]) => rows.find((row) => row.state === state)?.n ?? 0;
    return { waiting: of("pending"), running: of("running"), dead: of("dead") };
  }

  set(key: number, run: Run, nowMs: number, notes: StepNotes = {}): void {
    const { state, attempts, crashes } = run;
    const notBeforeMs = state === "pending" ? run.notBeforeMs : 0;
    const error = state === "dead" ? run.error : (notes.error ?? null);
    const result = notes.result ?? null;
    const mark = notes.mark ?? null;
    this.#set.run(state, attempts, crashes, notBeforeMs, nowMs, error, result, mark, key);
    if (notes.checkpoint !== undefined) this.save(key, JSON.stringify(notes.checkpoint));
  }

  lead(key: number, mark: string, { pid, start, boot }: ProcessIdentity): void {
    this.#lead.run(pid, start, boot, key, mark);
  }

  save(key: number, checkpoint: string | null): void {
    this.#save.run(checkpoint, key);
  }

  /** At the start: the runs that were under way when the agent was killed. */
  left(): LeftRun[] {
    return this.#running.all().map((running) => {
      const row = Row.parse(running);
      const { mark, pid, start, boot } = row;
      const leader = pid === null || start === null || boot === null ? undefined : { pid, start, boot };
      return { ...toEntry(row), mark: mark ?? "", leader };
    });
  }

  /** @returns whether there may be more rows to delete */
  prune(beforeMs: number): boolean {
    return Number(this.#prune.run(beforeMs, PRUNE_ROWS).changes) === PRUNE_ROWS;
  }
}

function toEntry({ key, reaction, cause, input, error, checkpoint, result, ...row }: Row): Entry {
  const { state, attempts, crashes } = row;
  const run: Run =
    state === "pending"
      ? { state, attempts, crashes, notBeforeMs: row.not_before_ms }
      : state === "dead"
        ? { state, attempts, crashes, error: error ?? "" }
        : { state, attempts, crashes };
  return { key, reaction, cause, input, run, error, checkpoint, result };
}
