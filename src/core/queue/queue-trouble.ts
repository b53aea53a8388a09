import * as z from "zod";
import { formatTimestamp } from "../signals/timestamp.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { Accept, checkWaits, waitsForText } from "./accept.ts";
import { LateMail } from "./late-mail.ts";
import type { VerifyingTask } from "./verifying-tasks.ts";

/** Tasks of a recipient with the same needs that wait for a host. */
const UnplacedTasks = z.object({
  recipient: z.string(),
  task_id: z.string().meta({ description: "The one that waits longest" }),
  tasks: z.int().positive().meta({ description: "How many wait" }),
  since: Timestamp.meta({ description: "Since when that one is ready" }),
  why: z.string().meta({ description: "Why no worker is given it" }),
});
export type UnplacedTasks = Readonly<z.infer<typeof UnplacedTasks>>;

/** Tasks that wait to be judged by the same check, rule or person. */
const UnjudgedTasks = z.object({
  accept: Accept.meta({ description: "Who judges them" }),
  task_id: z.string().meta({ description: "The one that waits longest" }),
  tasks: z.int().positive().meta({ description: "How many wait" }),
  since: Timestamp.meta({ description: "Since when that one waits" }),
  why: z.string().meta({ description: "What it waits for" }),
});
export type UnjudgedTasks = Readonly<z.infer<typeof UnjudgedTasks>>;

/** Groups that a status names. */
const MAX_GROUPS = 20;

/** Tasks that wait to be judged, those that wait longest first. */
export function unjudgedTasks(waiting: Iterable<VerifyingTask>): UnjudgedTasks[] {
  const groups = new Map<string, { first: VerifyingTask; tasks: number }>();
  for (const task of waiting) {
    const key = JSON.stringify(task.accept);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: task, tasks: 1 });
    else {
      group.tasks++;
      if (task.sinceMs < group.first.sinceMs) group.first = task;
    }
  }
  return [...groups.values()]
    .sort((a, b) => a.first.sinceMs - b.first.sinceMs)
    .slice(0, MAX_GROUPS)
    .map(({ first: { accept, taskId, sinceMs }, tasks }) => ({
      accept,
      task_id: taskId,
      tasks,
      since: formatTimestamp(sinceMs),
      why: waitsForText(accept),
    }));
}

/** The same where it is known how many connected hosts have each check. */
export const unjudgedBy = (
  unjudged: readonly UnjudgedTasks[],
  hosts: Readonly<Record<string, number>>,
): UnjudgedTasks[] =>
  unjudged.map((tasks) => {
    const { check } = tasks.accept;
    return check === undefined ? tasks : { ...tasks, why: checkWaits(check, hosts[check] ?? 0) };
  });

/** What is wrong in a queue beyond its alerts. */
export const QueueTrouble = {
  late_mail: LateMail.optional().meta({
    description: "Only of the queue mail: recipients whose messages are late; absent: none are",
  }),
  unjudged: z.array(UnjudgedTasks).readonly().optional().meta({
    description: "Tasks that wait to be judged, by who judges them, the longest first; absent: none do",
  }),
  unplaced: z.array(UnplacedTasks).readonly().optional().meta({
    description: "Tasks that wait for a host that has what they need, the longest first; absent: none do",
  }),
};
