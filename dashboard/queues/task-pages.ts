import type { queueCalls } from "../../src/client/queue.ts";
import type { TaskView } from "../../src/core/queue/api.ts";
import { Outcome } from "../../src/core/queue/task.ts";

const PAGE = 200;

interface Wanted {
  /** "", `queued` or `running`: unfinished tasks; else how they ended. */
  readonly status: string;
  readonly text: string;
  readonly pages: number;
}

interface Loaded {
  readonly tasks: readonly TaskView[];
  /** There are more. */
  readonly more: boolean;
}

type Calls = Pick<ReturnType<typeof queueCalls>, "tasks" | "finished">;

/** Tasks of a queue, some pages of them: unfinished ones, or, of the last day, those that ended so. */
export async function loadTasks(calls: Calls, queue: string, { status, text, pages }: Wanted): Promise<Loaded> {
  const state = Outcome.options.find((outcome) => outcome === status);
  if (state === undefined) {
    return await inPages<number>(pages, (after = 0) => calls.tasks(queue, { limit: PAGE, after }));
  }
  const search = text.trim() === "" ? {} : { text: text.trim() };
  return await inPages<string>(pages, (after) =>
    calls.finished(queue, { state, limit: PAGE, ...search, ...(after === undefined ? {} : { after }) }),
  );
}

type Page<Place> = Promise<{ readonly tasks: readonly TaskView[]; readonly next: Place | null }>;

async function inPages<Place>(pages: number, load: (after?: Place) => Page<Place>): Promise<Loaded> {
  const tasks: TaskView[] = [];
  let after: Place | undefined;
  for (let page = 0; page < pages; page++) {
    const found = await load(after);
    tasks.push(...found.tasks);
    if (found.next === null) return { tasks, more: false };
    after = found.next;
  }
  return { tasks, more: true };
}
