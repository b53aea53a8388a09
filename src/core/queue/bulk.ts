import * as z from "zod";
import { LIMITS } from "../signals/limits.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { OUTCOMES } from "./outcomes.ts";
import type { Outcome } from "./task.ts";

/** What is done to all tasks of a filter. */
export const BULK_ACTIONS = ["purge", "cancel", "retry"] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

/** How a task stands: unfinished, or how it ended. */
export const STANDINGS = ["queued", "running", "verifying", ...OUTCOMES] as const;
export type Standing = (typeof STANDINGS)[number];

const YEAR_MS = 366 * 86_400_000;
const Words = z.string().min(1).max(LIMITS.identifierLength);

/** Selects tasks of a queue. An absent field selects all; for `status` each action has its own default. */
export const TaskFilter = z.strictObject({
  status: z.enum(STANDINGS).optional(),
  recipient: Words.optional(),
  type: Words.optional(),
  older_than_ms: z
    .int()
    .min(0)
    .max(YEAR_MS)
    .optional()
    .meta({ description: "Age in milliseconds: of an unfinished task since it came, of another since it ended" }),
});
export type TaskFilter = z.infer<typeof TaskFilter>;

/** Body of a call that acts on the tasks of a filter; it may be left out. */
export const BulkTasksRequest = z.strictObject({
  filter: TaskFilter.default({}),
  /** Only count. */
  dry_run: z.boolean().default(false),
});

/** The standings that an action looks at where the filter names none, and those that it can act on at all. */
const RANGE: Readonly<Record<BulkAction, { readonly usual: readonly Standing[]; readonly all: readonly Standing[] }>> =
  {
    // What workers hold goes on, unless somebody asks for that by name.
    purge: { usual: ["queued"], all: STANDINGS },
    cancel: { usual: ["queued", "running", "verifying"], all: ["queued", "running", "verifying"] },
    retry: { usual: ["failed", "expired"], all: ["failed", "expired", "cancelled", "dropped"] },
  };

/** The standings of the tasks that an action is about; a text: why the filter does not fit the action. */
export function standingsOf(action: BulkAction, { status }: TaskFilter): readonly Standing[] | string {
  const { usual, all } = RANGE[action];
  if (status === undefined) return usual;
  return all.includes(status) ? [status] : `to ${action} tasks, give one of ${all.join(", ")}`;
}

export const isOutcome = (standing: Standing): standing is Outcome => OUTCOMES.some((outcome) => outcome === standing);

/** A bulk action that runs, or how it ended. */
export const BulkProgress = z.object({
  id: z.string().meta({ description: "Names this run of the action" }),
  action: z.enum(BULK_ACTIONS).meta({ description: "What is done to the tasks" }),
  by: z.string().meta({ description: "Name of the token that asked for it" }),
  started_at: Timestamp.meta({ description: "When it began: tasks that came later are left alone" }),
  done: z.int().nonnegative().meta({ description: "Tasks that were purged, cancelled or queued again so far" }),
  running: z.boolean().meta({ description: "Whether it goes on; the status of the queue shows it until it ends" }),
  stopped: z.string().optional().meta({ description: "Why it ended before all tasks were done; absent: it did not" }),
});
export type BulkProgress = Readonly<z.infer<typeof BulkProgress>>;

/** Answer to a call that acts on the tasks of a filter. */
export const BulkTasksAnswer = z.object({
  dry_run: z.boolean(),
  matched: z.int().nonnegative().meta({ description: "Tasks that match, as counted before anything was changed" }),
  done: z.int().nonnegative().meta({ description: "Tasks that were purged, cancelled or queued again so far" }),
  running: z.boolean().meta({ description: "Whether it goes on: there are too many for one call" }),
  stopped: z.string().optional().meta({ description: "Why it ended before all tasks were done" }),
});
export type BulkTasksAnswer = Readonly<z.infer<typeof BulkTasksAnswer>>;
