import type { queueCalls } from "../../src/client/queue.ts";
import type { TaskView } from "../../src/core/queue/api.ts";
import { OUTCOMES } from "../../src/core/queue/outcomes.ts";
import { inPages } from "../base/in-pages.ts";

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
  const state = OUTCOMES.find((outcome) => outcome === status);
  const search = text.trim() === "" ? {} : { text: text.trim() };
  const { items, more } =
    state === undefined
      ? await inPages<TaskView, number>(pages, async (after = 0) =>
          pageOf(await calls.tasks(queue, { limit: PAGE, after })),
        )
      : await inPages<TaskView, string>(pages, async (after) =>
          pageOf(
            await calls.finished(queue, { state, limit: PAGE, ...search, ...(after === undefined ? {} : { after }) }),
          ),
        );
  return { tasks: items, more };
}

const pageOf = <Place>({ tasks, next }: { readonly tasks: readonly TaskView[]; readonly next: Place | null }) => ({
  items: tasks,
  next,
});
