import * as z from "zod";
import { TaskView } from "./api.ts";
import type { Outcome } from "./task.ts";

/** Which finished tasks to list, of those that are kept: those of a day, and the last `keep_finished`. */
export interface FinishedQuery {
  readonly limit: number;
  /** How they ended; absent: in any way. */
  readonly outcomes?: readonly Outcome[] | undefined;
  readonly recipient?: string | undefined;
  readonly type?: string | undefined;
  readonly sender?: string | undefined;
  /** Of messages: their thread. */
  readonly thread?: string | undefined;
  /** When they ended, inclusive, in milliseconds since the epoch. */
  readonly sinceMs?: number | undefined;
  /** When they ended, exclusive. */
  readonly untilMs?: number | undefined;
  /** Text in the payload, the error or the id. The case of the letters A to Z is ignored. */
  readonly text?: string | undefined;
  /** Recipients whose tasks the caller may see; names, or beginnings with a `*`. Absent: all. */
  readonly recipients?: readonly string[] | undefined;
  readonly after?: FinishedPlace | undefined;
}

/**
 * Where a page of finished tasks ended. They lie in tables by the time of their end, `slice`, in the order of their ids; a
 * stretch of a table is looked at together and sorted by time.
 */
export const FinishedPlace = z.tuple([
  z.int().nonnegative(),
  /** The stretch begins after this id. */
  z.string(),
  /** The last task of the page: when it ended, and its id. `null`: the stretch is done. */
  z.tuple([z.number(), z.string()]).nullable(),
]);
export type FinishedPlace = z.infer<typeof FinishedPlace>;

export interface FinishedTasks {
  /** As JSON texts, the newest first. */
  readonly tasks: readonly string[];
  readonly next: FinishedPlace | null;
}

/** A place as a caller gets it, and gives it back. */
export const placeText = (place: FinishedPlace): string =>
  // Ids of tasks are ASCII.
  btoa(JSON.stringify(place)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** @returns `undefined` for any other text */
export function placeOf(text: string): FinishedPlace | undefined {
  try {
    return FinishedPlace.safeParse(JSON.parse(atob(text.replaceAll("-", "+").replaceAll("_", "/")))).data;
  } catch {
    return undefined;
  }
}

/** Finished tasks, the newest first. */
export const FinishedPage = z.object({
  tasks: z.array(TaskView),
  next: z.string().nullable().meta({
    description:
      "Send it as `after` to get the next page; null: no more tasks. A page may be short and still have a next one",
  }),
});
export type FinishedPage = z.infer<typeof FinishedPage>;
