import { readStoredTask, readTaskValues } from "../../core/queue/stored-task.ts";
import type { Task } from "../../core/queue/task.ts";
import { readPlace, type WaitingPlace } from "../../core/queue/waiting-place.ts";
import { readableRows } from "../shell/readable-rows.ts";

/** Rows that come as one text: a text for each column of each row takes four times as long. */
const ROWS = 250;
/** Places that come as one text. */
const PLACES = 1_000;
/** Tasks that a waking queue reads whole: most queues have no more, and read nothing twice. */
const WHOLE = 1_000;

/** The part of a row's text behind its place in the order. */
const TASK = "terms || ',' || progress";
const PLACE_OR_TASK = `ifnull(place, ${TASK})`;

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
  readonly tasks: readonly (Task | WaitingPlace)[];
  /** Place of the last row; `null`: there are no more. */
  readonly last: number | null;
}

/**
 * All unfinished tasks in the order of their arrival: the first ones whole, of the others that wait their places alone.
 *
 * @param all - all are read whole
 * @param unreadable - receives each row that is not that of a task, with the reason
 */
export function* storedTasks(
  sql: SqlStorage,
  all: boolean,
  unreadable: (row: UnreadableTask) => void,
): Generator<Task | WaitingPlace> {
  let read = 0;
  for (let after: number | null = -1; after !== null; ) {
    const { tasks, last }: Stretch =
      (read >= WHOLE && !all ? atOnce(sql, after, PLACE_OR_TASK, PLACES) : undefined) ??
      atOnce(sql, after, TASK, ROWS) ??
      oneByOne(sql, after, unreadable);
    yield* tasks;
    read += tasks.length;
    after = last;
  }
}

/** @returns `undefined` where one of the rows cannot be read, or all are too long for one text */
function atOnce(sql: SqlStorage, after: number, part: string, limit: number): Stretch | undefined {
  try {
    const { rows, last } = sql
      .exec<{ rows: string | null; last: number | null }>(
        `SELECT group_concat('[' || seq || ',' || part || ']') AS rows, max(seq) AS last
        FROM (SELECT seq, ${part} AS part FROM tasks WHERE seq > ? ORDER BY seq LIMIT ?)`,
        after,
        limit,
      )
      .one();
    const values: unknown = JSON.parse(`[${rows ?? ""}]`);
    return Array.isArray(values) ? { tasks: values.map(readRow), last } : undefined;
  } catch {
    // Which row it is, and why, is found one by one.
    return undefined;
  }
}

function readRow(row: unknown): Task | WaitingPlace {
  if (!Array.isArray(row)) throw new Error("a row of a task has other values");
  if (typeof row[1] === "string") return readPlace(row);
  const [seq, terms, progress] = row;
  // A damaged row may end where it should not, and leave the text well-formed.
  if (typeof seq !== "number" || row.length !== 3) throw new Error("a row of a task has other values");
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
  return { tasks: [...tasks], last: rows.at(-1)?.seq ?? null };
}
