import type { FinishedPlace, FinishedQuery, FinishedTasks } from "../../core/queue/finished-query.ts";
import { readStoredFinishedTask } from "../../core/queue/stored-task.ts";
import { finishedJson } from "../../core/queue/task-view.ts";
import { readableRows } from "../shell/readable-rows.ts";
import { finishedSlices } from "./finished-slices.ts";

/** Rows of one table that are looked at together, and sorted by time. */
const STRETCH = 5_000;
/** Rows that one call looks at, and where it searches payloads: the object does nothing else meanwhile. */
const MAX_ROWS = 20_000;
const MAX_SEARCHED_ROWS = 5_000;
/** Characters of a payload that are searched. */
const SEARCHED_CHARS = 16_384;
/** Characters of one page. */
const PAGE_CHARS = 4_000_000;

interface Row extends Record<string, SqlStorageValue> {
  task_id: string;
  record: string;
  payload: string;
  at_ms: number | null;
}

/**
 * Finished tasks that match, the newest first. They are stored by their ids, without an index, which would cost each task
 * a written row more: a table of six hours is searched in stretches of {@link STRETCH} tasks, each sorted by time. One call
 * looks at a bounded number of rows, so a page may be short, or empty, and still have a next one.
 */
export function searchFinished(sql: SqlStorage, query: FinishedQuery): FinishedTasks {
  const { rows, next } = findFinished(sql, { ...query, payloads: true });
  return { tasks: rows.flatMap((row) => row.text ?? []), next };
}

interface FoundRow {
  readonly task_id: string;
  /** The task as JSON; only with payloads. */
  readonly text?: string;
}

/** As {@link searchFinished}. @param query.payloads - whether the tasks themselves are wanted, or only their ids */
export function findFinished(
  sql: SqlStorage,
  query: FinishedQuery & { readonly payloads: boolean },
): { readonly rows: readonly FoundRow[]; readonly next: FinishedPlace | null } {
  const maxRows = query.text === undefined ? MAX_ROWS : MAX_SEARCHED_ROWS;
  const tasks: FoundRow[] = [];
  let place = query.after ?? null;
  let rows = 0;
  let chars = 0;
  for (const slice of finishedSlices(sql).reverse()) {
    if (place !== null && slice > place[0]) continue;
    let stretchAfter = place?.[0] === slice ? place[1] : "";
    let below = place?.[0] === slice ? place[2] : null;
    // A table that was dropped since the page before.
    place = null;
    for (;;) {
      if (rows >= maxRows) return { rows: tasks, next: [slice, stretchAfter, below] };
      const end = endOf(sql, slice, stretchAfter);
      if (end.count === 0) break;
      rows += end.count;
      const wanted = query.limit - tasks.length;
      const found = matchesIn(sql, slice, stretchAfter, below, query, wanted + 1);
      for (const row of found) {
        if (tasks.length >= query.limit || chars >= PAGE_CHARS)
          return { rows: tasks, next: [slice, stretchAfter, below] };
        const { task_id } = row;
        below = [row.at_ms ?? 0, task_id];
        const text = query.payloads ? textOf(row) : "";
        if (text === undefined) continue;
        tasks.push(query.payloads ? { task_id, text } : { task_id });
        chars += text.length;
      }
      stretchAfter = end.last;
      below = null;
      if (end.count < STRETCH) break;
    }
  }
  return { rows: tasks, next: null };
}

function endOf(sql: SqlStorage, slice: number, after: string): { count: number; last: string } {
  const { count, last } = sql
    .exec<{ count: number; last: string | null }>(
      `SELECT count(*) AS count, max(task_id) AS last FROM
         (SELECT task_id FROM finished_${slice} WHERE task_id > ? ORDER BY task_id LIMIT ${STRETCH})`,
      after,
    )
    .one();
  return { count, last: last ?? after };
}

/** Fields of a stored record, see stored-task.ts. A record that cannot be read matches no condition. */
const FIELDS = `CASE WHEN json_valid(record) THEN record ->> '$[1][2]' END AS at_ms,
  CASE WHEN json_valid(record) THEN record ->> '$[1][1]' END AS outcome,
  CASE WHEN json_valid(record) THEN record ->> '$[0][1]' END AS recipient,
  CASE WHEN json_valid(record) THEN record ->> '$[0][2]' END AS type,
  CASE WHEN json_valid(record) THEN record ->> '$[0][3]' END AS sender,
  CASE WHEN json_valid(record) THEN record ->> '$[1][6]' END AS error`;

function matchesIn(
  sql: SqlStorage,
  slice: number,
  after: string,
  below: FinishedPlace[2],
  {
    outcomes,
    recipient,
    type,
    sinceMs,
    untilMs,
    text,
    recipients,
    sender,
    thread,
    payloads,
  }: FinishedQuery & { readonly payloads: boolean },
  limit: number,
): Row[] {
  return sql
    .exec<Row>(
      `SELECT task_id, ${payloads ? "record, payload" : "'' AS record, '' AS payload"}, at_ms FROM
         (SELECT task_id, record, payload, ${FIELDS} FROM
           (SELECT * FROM finished_${slice} WHERE task_id > ?1 ORDER BY task_id LIMIT ${STRETCH}))
       WHERE at_ms IS NOT NULL AND at_ms >= ?2 AND at_ms < ?3
         AND (?4 IS NULL OR outcome IN (SELECT value FROM json_each(?4)))
         AND (?5 IS NULL OR recipient = ?5) AND (?6 IS NULL OR type = ?6)
         AND (?7 IS NULL OR instr(lower(task_id), lower(?7)) > 0 OR instr(lower(error), lower(?7)) > 0
           OR instr(lower(substr(payload, 1, ${SEARCHED_CHARS})), lower(?7)) > 0)
         AND (?8 IS NULL OR EXISTS (SELECT 1 FROM json_each(?8) WHERE value = recipient OR
           (substr(value, -1) = '*' AND substr(recipient, 1, length(value) - 1) = substr(value, 1, length(value) - 1))))
         AND (?12 IS NULL OR sender = ?12)
         AND (?13 IS NULL OR (json_valid(payload) AND payload ->> '$.thread' = ?13))
         AND (?9 IS NULL OR at_ms < ?9 OR (at_ms = ?9 AND task_id < ?10))
       ORDER BY at_ms DESC, task_id DESC LIMIT ?11`,
      after,
      sinceMs ?? 0,
      untilMs ?? Number.MAX_SAFE_INTEGER,
      outcomes === undefined ? null : JSON.stringify(outcomes),
      recipient ?? null,
      type ?? null,
      text ?? null,
      recipients === undefined ? null : JSON.stringify(recipients),
      below?.[0] ?? null,
      below?.[1] ?? null,
      limit,
      sender ?? null,
      thread ?? null,
    )
    .toArray();
}

/** @returns `undefined` where the record is not that of a task */
function textOf(row: Row): string | undefined {
  const read = readableRows("finished tasks", [row], ({ record, payload }) =>
    finishedJson(readStoredFinishedTask(record), payload),
  );
  return [...read][0];
}
