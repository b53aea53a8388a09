import type { TaskSelection } from "./select-tasks.ts";
import type { TaskStore } from "./task-store.ts";

/** Tasks that one page of a filtered list looks at. */
const LISTED_ROWS = 20_000;

/** A page of the ids of unfinished tasks, in the order of their arrival. */
export function listTasks(store: TaskStore, selection: TaskSelection, after: number, limit: number) {
  const { standings, ...filter } = selection;
  if (standings?.length === 1 || Object.values(filter).some((field) => field !== undefined)) {
    const { found, next } = store.select({ ...selection, after, limit, rows: LISTED_ROWS });
    return { ids: found.map(({ taskId }) => taskId), next };
  }
  const seqs = store.seqsAfter(after, limit);
  return { ids: seqs.map(({ taskId }) => taskId), next: seqs.length < limit ? null : (seqs.at(-1)?.seq ?? null) };
}
