import * as z from "zod";
import { packFinished, readStoredFinishedTask } from "../queue/stored-task.ts";
import type { FinishedTask } from "../queue/task.ts";
import { exported, MAX_ERROR_CHARS } from "./payload.ts";
import type { Payload } from "./span.ts";
import type { ExportedTask } from "./task-spans.ts";

const TaskItem = z.object({ record: z.string(), input: z.string().optional(), output: z.string().optional() });

/**
 * A finished task on its way to the export, without what may not leave.
 *
 * @param payloadJson - of the task; asked for only where something of it leaves
 */
export function writeTaskItem(record: FinishedTask, payloadJson: () => string | undefined, payload: Payload): string {
  const all = payload === "all";
  const history = record.history.map(({ error, ...event }) =>
    all && error !== undefined ? { ...event, error: error.slice(0, MAX_ERROR_CHARS) } : event,
  );
  const error = all ? (record.error?.slice(0, MAX_ERROR_CHARS) ?? null) : null;
  return JSON.stringify({
    record: packFinished({ ...record, history, error, resultJson: null }),
    ...(payload === "none"
      ? {}
      : { input: exported(payloadJson(), payload), output: exported(record.resultJson, payload) }),
  } satisfies z.input<typeof TaskItem>);
}

/** @param mayLeave - whether what the item holds of payload and result may leave now @throws Error where the text is not that of a task */
export function readTaskItem(queue: string, text: string, mayLeave: boolean): ExportedTask {
  const { record, input, output } = TaskItem.parse(JSON.parse(text));
  const task = readStoredFinishedTask(record);
  return mayLeave ? { queue, task, input, output } : { queue, task };
}
