import type { QueueChanges } from "../../core/queue/change-tracker.ts";
import type { Entry } from "../../core/queue/entry.ts";
import { packProgress, packTerms, readStoredTask } from "../../core/queue/stored-task.ts";
import type { Task } from "../../core/queue/task.ts";
import { packPlace, type WaitingPlace } from "../../core/queue/waiting-place.ts";
import { Notes } from "../shell/notes.ts";
import { readableRows } from "../shell/readable-rows.ts";
import { FinishedTasks } from "./finished-tasks.ts";
import { PayloadCache } from "./payload-cache.ts";
import { type SelectedTasks, selectTasks, type TaskSelection, type TaskStretch } from "./select-tasks.ts";
import { type LiveRow, storedTasks, type UnreadableTask } from "./stored-tasks.ts";
import { writeRows } from "./write-rows.ts";

/** Sequence numbers reserved at a time: a written row for each number would cost as much as the task. */
const RESERVE = 1_000;
/**
 * A call that went to a connected responder at once is written when it has ended, or after this time: for most calls one
 * row instead of three, and one flush instead of two. The caller has no answer until then. A crash in that time also
 * loses the caller's connection, and the call that the caller sends again runs again.
 */
export const UNWRITTEN_MS = 20;

/** Unfinished tasks that one step of a count looks at. */
const COUNTED_ROWS = 20_000;
/** Rows in one statement, of three values; 100 values are the most that one may have. */
const UPDATES = 32;

/** Values that a queue stores besides its tasks. */
export type NoteName =
  | "epoch"
  | "reserved"
  | "settings"
  | "statistics"
  | "alerts"
  | "emitted"
  | "registered"
  | "paused"
  | "bulk"
  | "recipients"
  | "noting"
  | "limits";

/**
 * A queue's tasks in SQLite. An unfinished task is one row, written when the task comes and whenever its state changes;
 * most renewals of its lease are only in memory (see `renewed` in core/queue/entry.ts).
 * The end of a task deletes that row and writes one to the finished tasks, whose key is the task's id. That makes four
 * written rows over the life of a task, three if a waiting worker gets the task in the transaction that stores it. The
 * order of the tasks is only in memory, rebuilt when the object wakes from the places that the rows of unfinished tasks hold.
 */
export class TaskStore {
  readonly notes: Notes<NoteName>;
  readonly #sql: SqlStorage;
  /** Tasks that have ended. */
  readonly done: FinishedTasks;
  #reserved = 1;
  #payloads = new PayloadCache();
  /** A row could not be read when its task was needed. */
  #damaged = false;
  /** Calls that are only in memory, with the time at which they came; oldest first. */
  #unwritten = new Map<Entry, number>();

  /** @param keepFinished - as many finished tasks are kept at least, however old they are */
  constructor(sql: SqlStorage, keepFinished: () => number) {
    this.#sql = sql;
    this.done = new FinishedTasks(sql, keepFinished);
    // A waking queue reads `place`, and nothing else, of the tasks that wait far down.
    sql.exec(
      `CREATE TABLE IF NOT EXISTS tasks
        (seq INTEGER PRIMARY KEY, place TEXT, terms TEXT NOT NULL, progress TEXT NOT NULL, payload TEXT NOT NULL)`,
    );
    this.notes = new Notes(sql);
    this.reload();
  }

  /** Reads the state in memory back from storage, after a transaction that failed. */
  reload(): this {
    this.done.reload();
    this.#reserved = Number(this.notes.read("reserved") ?? "1");
    this.#unwritten = new Map();
    return this;
  }

  /** First sequence number that no task has had. */
  get nextSeq(): number {
    return this.#reserved;
  }

  /**
   * All unfinished tasks: the first ones whole, of the others that wait their places. Where a row could not be read since
   * the last call, all of them whole.
   *
   * @param unreadable - receives each row that is not that of a task, with the reason
   */
  *tasks(unreadable: (row: UnreadableTask) => void): Generator<Task | WaitingPlace> {
    this.#payloads = new PayloadCache();
    yield* storedTasks(this.#sql, this.#damaged, unreadable);
    this.#damaged = false;
  }

  /**
   * Unfinished tasks by their places, in no order.
   *
   * @param use - "look": a row that is not that of a task is left out
   * @throws Error where a task is to be changed whose row is not that of a task: {@link tasks} then finds the row
   */
  read(seqs: readonly number[], use: "change" | "look"): Task[] {
    const select = "SELECT seq, terms, progress FROM tasks WHERE seq IN (SELECT value FROM json_each(?))";
    const rows = this.#sql.exec<LiveRow>(select, JSON.stringify(seqs)).toArray();
    const unreadable = (_: LiveRow, error: unknown) => {
      // The transaction fails, and memory is read from storage anew, with the whole of each row: a task that cannot be
      // read becomes a dead letter then, before another is given out. Who only looks has no transaction.
      this.#damaged = true;
      if (use === "change") throw error;
    };
    return [
      ...readableRows("tasks", rows, ({ seq, terms, progress }) => readStoredTask(seq, terms, progress), unreadable),
    ];
  }

  /** The unfinished tasks that came last. */
  latest(limit: number): Task[] {
    const select = "SELECT seq, terms, progress FROM tasks ORDER BY seq DESC LIMIT ?";
    const rows = this.#sql.exec<LiveRow>(select, limit).toArray();
    return [...readableRows("tasks", rows, ({ seq, terms, progress }) => readStoredTask(seq, terms, progress))];
  }

  /** These entries stand for their tasks no more: the tasks are read from here again. */
  forget(entries: readonly Entry[]): void {
    for (const entry of entries) this.#payloads.delete(entry);
  }

  /** Characters of payloads in memory. */
  get payloadChars(): number {
    return this.#payloads.chars;
  }

  /** Deletes the row of a task that cannot be read and became a dead letter. @returns its payload */
  setAside(seq: number): string {
    const [row] = this.#sql.exec<{ payload: string }>("SELECT payload FROM tasks WHERE seq = ?", seq);
    this.#sql.exec("DELETE FROM tasks WHERE seq = ?", seq);
    return row?.payload ?? "null";
  }

  /** Writes changes. Must run in a transaction. */
  write({ changed, finished, purged }: QueueChanges, nextSeq: number, nowMs: number): void {
    this.done.forgetAbsent();
    if (nextSeq > this.#reserved) {
      this.#reserved = nextSeq + RESERVE;
      this.notes.write("reserved", String(this.#reserved));
    }
    const unwritten = changed.filter(isUnwrittenCall);
    const due = this.#dueAt(nowMs);
    const fresh = [...changed.filter((entry) => !entry.stored && !isUnwrittenCall(entry)), ...due];
    this.#update(changed.filter(({ stored }) => stored));
    writeRows(this.#sql, "INSERT INTO tasks (seq, place, terms, progress, payload) VALUES", fresh, (entry) => [
      entry.seq,
      packPlace(entry),
      packTerms(entry),
      packProgress(entry),
      entry.payloadJson ?? "null",
    ]);
    this.done.write(finished, nowMs);
    this.#delete([...finished, ...purged]);
    // Last, so that memory is unchanged if a statement fails.
    for (const entry of fresh) {
      entry.stored = true;
      this.#payloads.add(entry);
      this.#unwritten.delete(entry);
    }
    for (const { entry } of [...finished, ...purged]) this.#unwritten.delete(entry);
    for (const entry of unwritten) if (!entry.stored && !this.#unwritten.has(entry)) this.#unwritten.set(entry, nowMs);
  }

  /** Calls that are only in memory. */
  get unwritten(): readonly Entry[] {
    return [...this.#unwritten.keys()];
  }

  /** Calls that have been in memory for so long that they have to be written. */
  #dueAt(nowMs: number): Entry[] {
    const due: Entry[] = [];
    for (const [entry, sinceMs] of this.#unwritten) {
      // If the clock was set back, calls from the future are due too.
      if (nowMs >= sinceMs && nowMs < sinceMs + UNWRITTEN_MS) break;
      if (entry.state !== "finished" && isUnwrittenCall(entry)) due.push(entry);
    }
    return due;
  }

  payloadOf({ seq, payloadJson }: Entry): string {
    if (payloadJson !== undefined) return payloadJson;
    return this.#sql.exec<{ payload: string }>("SELECT payload FROM tasks WHERE seq = ?", seq).one().payload;
  }

  /** Unfinished tasks in the order of their arrival. */
  seqsAfter(after: number, limit: number): { seq: number; taskId: string }[] {
    return this.#sql
      .exec<{ seq: number; taskId: string }>(
        "SELECT seq, terms ->> '$[0]' AS taskId FROM tasks WHERE seq > ? ORDER BY seq LIMIT ?",
        after,
        limit,
      )
      .toArray();
  }

  /** The number of unfinished tasks that match, of a stretch of the order, and where the next stretch begins. */
  count(selection: TaskSelection, after: number): { readonly matched: number; readonly next: number | null } {
    const { found, next } = selectTasks(this.#sql, { ...selection, after, limit: COUNTED_ROWS, rows: COUNTED_ROWS });
    return { matched: found.length, next };
  }

  /** Unfinished tasks that match, in the order of their arrival. */
  select(query: TaskSelection & TaskStretch): SelectedTasks {
    return selectTasks(this.#sql, query);
  }

  /** Updates several tasks with each statement, as {@link writeRows} does. */
  #update(entries: readonly Entry[]): void {
    for (let from = 0; from < entries.length; from += UPDATES) {
      const some = entries.slice(from, from + UPDATES);
      this.#sql.exec(
        `WITH changed (seq, place, progress) AS (VALUES ${some.map(() => "(?, ?, ?)").join(", ")})
        UPDATE tasks SET place = changed.place, progress = changed.progress FROM changed WHERE tasks.seq = changed.seq`,
        ...some.flatMap((entry) => [entry.seq, packPlace(entry), packProgress(entry)]),
      );
    }
  }

  #delete(finished: QueueChanges["finished"]): void {
    const gone = finished.filter(({ entry }) => entry.stored).map(({ entry }) => entry);
    for (const entry of gone) this.#payloads.delete(entry);
    // A task that came and ended in one transaction was never stored.
    if (gone.length === 0) return;
    const seqs = JSON.stringify(gone.map(({ seq }) => seq));
    this.#sql.exec("DELETE FROM tasks WHERE seq IN (SELECT value FROM json_each(?))", seqs);
  }
}

/** Whether the entry is a call that was never written and is with its first responder. */
function isUnwrittenCall({ stored, caller, lease, leases }: Entry): boolean {
  return !stored && caller !== null && lease !== null && leases === 1;
}
