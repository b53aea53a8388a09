import type { Standing } from "../../core/queue/bulk.ts";

/** Which unfinished tasks are wanted; an absent field selects all. */
export interface TaskSelection {
  readonly recipient?: string | undefined;
  readonly type?: string | undefined;
  readonly sender?: string | undefined;
  /** Of a message: its thread. */
  readonly thread?: string | undefined;
  /** Of `queued`, `running` and `verifying`. */
  readonly standings?: readonly Standing[] | undefined;
  /** Recipients whose tasks the caller may see; names, or beginnings with a `*`. */
  readonly recipients?: readonly string[] | undefined;
  /** Places in the order below this one. */
  readonly untilSeq?: number | undefined;
  /** When the tasks came, in milliseconds since the epoch; exclusive. */
  readonly untilMs?: number | undefined;
}

/** A stretch of the order of tasks. */
export interface TaskStretch {
  /** The place before the stretch. */
  readonly after: number;
  /** Tasks that are returned, and rows that are looked at, at most. */
  readonly limit: number;
  readonly rows: number;
}

export interface SelectedTasks {
  readonly found: readonly { readonly seq: number; readonly taskId: string }[];
  /** Where the next stretch begins; `null`: there is none. */
  readonly next: number | null;
}

/**
 * Unfinished tasks that match, by the fields of their rows (see stored-task.ts). They have no index but their order, which
 * would cost each task a written row more: one call looks at a bounded number of them.
 */
export function selectTasks(sql: SqlStorage, query: TaskSelection & TaskStretch): SelectedTasks {
  const { recipient, type, standings, recipients, untilSeq, untilMs, after, limit, rows, sender, thread } = query;
  const only = standings?.length === 1 ? standings[0] : undefined;
  const { last, count } = sql
    .exec<{ last: number | null; count: number }>(
      "SELECT max(seq) AS last, count(*) AS count FROM (SELECT seq FROM tasks WHERE seq > ?1 AND seq < ?2 ORDER BY seq LIMIT ?3)",
      after,
      untilSeq ?? Number.MAX_SAFE_INTEGER,
      rows,
    )
    .one();
  if (last === null) return { found: [], next: null };
  const found = sql
    .exec<{ seq: number; taskId: string }>(
      `SELECT seq, terms ->> '$[0]' AS taskId FROM tasks
       WHERE seq > ?1 AND seq <= ?2 AND json_valid(terms) AND json_valid(progress)
         AND (?3 IS NULL OR terms ->> '$[1]' = ?3) AND (?4 IS NULL OR terms ->> '$[2]' = ?4)
         AND (?5 IS NULL OR ?5 = CASE
           WHEN progress ->> '$[1]' IS NOT NULL THEN 'running' WHEN progress ->> '$[5]' IS NOT NULL THEN 'verifying'
           ELSE 'queued' END)
         AND terms ->> '$[5]' < ?6 AND (?9 IS NULL OR terms ->> '$[3]' = ?9)
         AND (?10 IS NULL OR (json_valid(payload) AND payload ->> '$.thread' = ?10))
         AND (?7 IS NULL OR EXISTS (SELECT 1 FROM json_each(?7) WHERE value = terms ->> '$[1]' OR
           (substr(value, -1) = '*' AND substr(terms ->> '$[1]', 1, length(value) - 1) = substr(value, 1, length(value) - 1))))
       ORDER BY seq LIMIT ?8`,
      after,
      last,
      recipient ?? null,
      type ?? null,
      only ?? null,
      untilMs ?? Number.MAX_SAFE_INTEGER,
      recipients === undefined ? null : JSON.stringify(recipients),
      limit,
      sender ?? null,
      thread ?? null,
    )
    .toArray();
  const cut = found.length === limit ? found.at(-1)?.seq : undefined;
  return { found, next: cut ?? (count < rows ? null : last) };
}
