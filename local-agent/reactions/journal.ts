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
  /** What an earlier attempt left for the next one to go on from. */
  readonly checkpoint: string | null;
  /** JSON of the answer to a task that is done. */
  readonly result: string | null;
}

/** What a killed agent was at. */
export interface LeftRun extends Entry {
  readonly mark: string;
  readonly leader: ProcessIdentity | undefined;
}

/** What is written with a step. */
export interface StepNotes {
  /** Of a run that begins: by it its processes are found. */
  readonly mark?: string;
  readonly error?: string;
  readonly result?: string;
}

interface Row {
  readonly key: number;
  readonly reaction: string;
  readonly cause: string;
  readonly input: string;
  readonly state: Run["state"];
  readonly attempts: number;
  readonly crashes: number;
  readonly not_before_ms: number;
  readonly error: string | null;
  readonly checkpoint: string | null;
  readonly result: string | null;
  readonly mark: string | null;
  readonly pid: number | null;
  readonly start: number | null;
  readonly boot: string | null;
}

/** A delete's rows in one go: the event loop stands still meanwhile. */
const PRUNE_ROWS = 1_000;

/**
 * Which reactions have to run, run, and ran: in the agent's database, so that each step is one transaction with the
 * place in the inbox that it follows from, or with the signals that it says. Methods that write are called inside of
 * one.
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
      CREATE UNIQUE INDEX IF NOT EXISTS reaction_run_cause ON reaction_run(reaction, cause);
      CREATE INDEX IF NOT EXISTS reaction_run_due ON reaction_run(reaction, not_before_ms) WHERE state = 'pending';
      CREATE INDEX IF NOT EXISTS reaction_run_running ON reaction_run(key) WHERE state = 'running';
      CREATE INDEX IF NOT EXISTS reaction_run_state ON reaction_run(reaction, state) WHERE state <> 'done';
      CREATE INDEX IF NOT EXISTS reaction_run_over ON reaction_run(changed_ms) WHERE state IN ('done', 'dead');`);
    this.#insert = sql.prepare(`INSERT OR IGNORE INTO reaction_run
      (reaction, cause, input, state, attempts, crashes, not_before_ms, changed_ms) VALUES (?, ?, ?, 'pending', 0, 0, ?, ?)`);
    this.#byCause = sql.prepare("SELECT * FROM reaction_run WHERE reaction = ? AND cause = ?");
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

  /** @returns whether it was not known: the same signal again starts nothing */
  accept(reaction: string, cause: string, input: string, nowMs: number): boolean {
    return this.#insert.run(reaction, cause, input, nowMs, nowMs).changes > 0;
  }

  find(reaction: string, cause: string): Entry | undefined {
    const row = this.#byCause.get(reaction, cause) as Row | undefined;
    return row && toEntry(row);
  }

  /** Pending ones, those that have waited longest first; the last ones may not be due. */
  pending(reaction: string, limit: number): Entry[] {
    return (this.#due.all(reaction, limit) as unknown as Row[]).map(toEntry);
  }

  /** When the next one that waits for its attempt is due. */
  nextDueMs(reaction: string, nowMs: number): number | undefined {
    return (this.#nextDue.get(reaction, nowMs) as { ms: number | null }).ms ?? undefined;
  }

  /** Those that are done are not counted: that would cost as much as there was ever done. */
  counts(reaction: string): { waiting: number; running: number; dead: number } {
    const rows = this.#count.all(reaction) as unknown as { state: Run["state"]; n: number }[];
    const of = (state: Run["state"]) => rows.find((row) => row.state === state)?.n ?? 0;
    return { waiting: of("pending"), running: of("running"), dead: of("dead") };
  }

  set(key: number, run: Run, nowMs: number, also: StepNotes = {}): void {
    const notBeforeMs = run.state === "pending" ? run.notBeforeMs : 0;
    const error = run.state === "dead" ? run.error : (also.error ?? null);
    this.#set.run(
      ...([run.state, run.attempts, run.crashes, notBeforeMs, nowMs] as const),
      ...([error, also.result ?? null, also.mark ?? null, key] as const),
    );
  }

  lead(key: number, mark: string, { pid, start, boot }: ProcessIdentity): void {
    this.#lead.run(pid, start, boot, key, mark);
  }

  save(key: number, checkpoint: string | null): void {
    this.#save.run(checkpoint, key);
  }

  /** At the start: what ran when the agent went down. */
  left(): LeftRun[] {
    return (this.#running.all() as unknown as Row[]).map((row) => ({
      ...toEntry(row),
      mark: row.mark ?? "",
      leader:
        row.pid === null || row.start === null || row.boot === null
          ? undefined
          : { pid: row.pid, start: row.start, boot: row.boot },
    }));
  }

  /** @returns whether there may be more */
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
