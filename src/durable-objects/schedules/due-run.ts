import type { TaskLook } from "../../core/schedules/machine.ts";
import { ScheduleMachine } from "../../core/schedules/machine.ts";
import { taskOfRun } from "../../core/schedules/task-of-run.ts";
import type { QueueCalls } from "./queue-calls.ts";
import type { ScheduleStore, StoredSchedule } from "./schedule-store.ts";

/** Schedules that are worked on together. */
const BATCH = 100;
/** An alarm works for so long, in milliseconds; the next one does the rest. */
const RUN_MS = 20_000;
/** Where a queue does not say how tasks are, nothing is decided for this time. */
const UNSEEN_MS = 5_000;

export type Change = <Answer>(
  name: string,
  work: (machine: ScheduleMachine, nowMs: number, stored: StoredSchedule) => Answer,
) => Answer | undefined;

interface DueRunParts {
  readonly store: ScheduleStore;
  readonly queues: QueueCalls;
  readonly change: Change;
}

/** Does what is due: asks queues how open tasks are, changes each schedule in a transaction, hands tasks over. */
export async function runDue({ store, queues, change }: DueRunParts): Promise<void> {
  const startMs = Date.now();
  while (Date.now() < startMs + RUN_MS) {
    const due = store.due(Date.now(), BATCH);
    if (due.length === 0) return;
    const seen = await look(due, queues);
    const handed: string[] = [];
    for (const { name } of due) {
      const asked = seen.get(name);
      if (asked === undefined) store.postpone(name, Date.now() + UNSEEN_MS);
      else {
        change(name, (machine, nowMs) => {
          machine.observe(asked.looks, asked.ids, nowMs);
          machine.advance(nowMs);
        });
        handed.push(name);
      }
    }
    await handOver(handed, { store, queues, change });
  }
}

/** @returns what queues say of the open tasks of each; schedules whose queue did not answer are missing */
async function look(due: readonly StoredSchedule[], queues: QueueCalls) {
  const nowMs = Date.now();
  const asked = new Map<string, string[]>();
  const byQueue = new Map<string, string[]>();
  for (const { name, settings, state } of due) {
    const ids = machineOf({ name, settings, state }).looks(nowMs);
    asked.set(name, ids);
    const queue = settings.task?.queue;
    if (queue !== undefined && ids.length > 0) byQueue.set(queue, [...(byQueue.get(queue) ?? []), ...ids]);
  }
  const known = new Map<string, TaskLook>();
  const silent = new Set<string>();
  for (const [queue, ids] of byQueue) {
    const looks = await queues.look(queue, ids);
    if (looks === undefined) silent.add(queue);
    else for (const one of looks) known.set(one.id, one);
  }
  const seen = new Map<string, { ids: string[]; looks: TaskLook[] }>();
  for (const { name, settings } of due) {
    const ids = asked.get(name) ?? [];
    if (ids.length > 0 && silent.has(settings.task?.queue ?? "")) continue;
    seen.set(name, { ids, looks: ids.flatMap((id) => known.get(id) ?? []) });
  }
  return seen;
}

async function handOver(names: readonly string[], { store, queues, change }: DueRunParts): Promise<void> {
  const wanted = new Map<string, { name: string; ids: string[]; tasks: ReturnType<typeof taskOfRun>[] }[]>();
  for (const name of names) {
    const stored = store.read(name);
    const task = stored?.settings.task;
    if (stored === undefined || task === undefined) continue;
    for (const { id } of machineOf(stored).toCancel(Date.now())) {
      const over = await queues.cancel(task.queue, id);
      change(name, (machine, nowMs) => (over ? machine.cancelled(id, nowMs) : machine.notHanded(nowMs)));
    }
    const now = store.read(name);
    if (now?.settings.task === undefined) continue;
    const { queue } = now.settings.task;
    const ids = machineOf(now)
      .toHand(Date.now())
      .map(({ id }) => id);
    if (ids.length === 0) continue;
    const tasks = ids.map((id) => taskOfRun(name, now.settings.task ?? task, id));
    wanted.set(queue, [...(wanted.get(queue) ?? []), { name, ids, tasks }]);
  }
  for (const [queue, schedules] of wanted) {
    const taken = new Set(
      await queues.enqueue(
        queue,
        schedules.flatMap(({ tasks }) => tasks),
      ),
    );
    for (const { name, ids } of schedules)
      change(name, (machine, nowMs) => {
        machine.handed(
          ids.filter((id) => taken.has(id)),
          nowMs,
        );
        if (!ids.every((id) => taken.has(id))) machine.notHanded(nowMs);
      });
  }
}

/** To look only: what it would change is not stored. */
const machineOf = ({ name, settings, state }: StoredSchedule) => new ScheduleMachine(name, settings, state, 0);
