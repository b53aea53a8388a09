import * as z from "zod";
import { readStoredTask, readTaskValues } from "../../core/queue/stored-task.ts";
import type { Task } from "../../core/queue/task.ts";
import { readableRows } from "../shell/readable-rows.ts";

/** Rows that come as one text: a text for each column of each row takes four times as long. */
const ROWS = 250;

export interface LiveRow extends Record<string, SqlStorageValue> {
  seq: number;
  terms: string;
  progress: string;
}

/** The row of an unfinished task that this version cannot read. */
export interface UnreadableTask extends LiveRow {
  readonly error: string;
}

interface Stretch {
  readonly tasks: Iterable<Task>;
  /** Place of the last row; `null`: there are no more. */
  readonly last: number | null;
}

/**
 * All unfinished tasks in the order of their arrival.
 *
 * @param unreadable - receives each row that is not that of a task, with the reason
 */
export function* storedTasks(sql: SqlStorage, unreadable: (row: UnreadableTask) => void): Generator<Task> {
  for (let after: number | null = -1; after !== null; ) {
    const { tasks, last }: Stretch = atOnce(sql, after) ?? oneByOne(sql, after, unreadable);
    yield* tasks;
    after = last;
  }
}

/** @returns `undefined` where one of the rows cannot be read, or all are too long for one text */
function atOnce(sql: SqlStorage, after: number): Stretch | undefined {
  try {
    const { rows, last } = sql
      .exec<{ rows: string | null; last: number | null }>(
        `SELECT group_concat('[' || seq || ',' || terms || ',' || progress || ']') AS rows, max(seq) AS last
        FROM (SELECT seq, terms, progress FROM tasks WHERE seq > ? ORDER BY seq LIMIT ?)`,
        after,
        ROWS,
      )
      .one();
    const values = z.array(z.unknown()).parse(JSON.parse(`[${rows ?? ""}]`));
    return { tasks: values.map(readRow), last };
  } catch {
    // Which row it is, and why, is found one by one.
    return undefined;
  }
}

function readRow(row: unknown): Task {
  // A damaged row may end where it should not, and leave the text well-formed.
  if (!Array.isArray(row) || row.length !== 3) throw new Error("a row of a task has other values");
  const [seq, terms, progress] = row;
  return readTaskValues(seq, terms, progress);
}

function oneByOne(sql: SqlStorage, after: number, unreadable: (row: UnreadableTask) => void): Stretch {
  const select = "SELECT seq, terms, progress FROM tasks WHERE seq > ? ORDER BY seq LIMIT ?";
  const rows = sql.exec<LiveRow>(select, after, ROWS).toArray();
  const tasks = readableRows(
    "tasks",
    rows,
    ({ seq, terms, progress }) => readStoredTask(seq, terms, progress),
    (row, error) => unreadable({ ...row, error: error instanceof Error ? error.message : String(error) }),
  );
  return { tasks, last: rows.at(-1)?.seq ?? null };
}
