import type { NewTask } from "../../core/queue/task.ts";
import type { TaskLook } from "../../core/schedules/machine.ts";
import { lookOf } from "../../core/schedules/task-of-run.ts";
import { logLine } from "../shell/log-line.ts";
import { objectNamed } from "../shell/ports.ts";
import type { SchedulesBindings } from "./ports.ts";

/** Tasks in one call, and the characters of their payloads. */
const CALL = { tasks: 200, chars: 4_000_000 } as const;

/** The queues of an ecosystem, as its schedules call them. A call that fails says so, and is made again by an alarm. */
export class QueueCalls {
  readonly #env: SchedulesBindings;
  readonly #ecosystem: string;

  constructor(env: SchedulesBindings, ecosystem: string) {
    this.#env = env;
    this.#ecosystem = ecosystem;
  }

  /** @returns what the queue says of each task that it knows; `undefined`: it did not answer */
  async look(queue: string, ids: readonly string[]): Promise<TaskLook[] | undefined> {
    try {
      const texts: string[] = [];
      for (let from = 0; from < ids.length; from += CALL.tasks)
        texts.push(...(await this.#queue(queue).tasksById(ids.slice(from, from + CALL.tasks))));
      return texts.map(lookOf);
    } catch (error) {
      this.#failed("look", queue, error);
      return undefined;
    }
  }

  /** @returns ids of the tasks that the queue has now */
  async enqueue(queue: string, tasks: readonly NewTask[]): Promise<string[]> {
    const taken: string[] = [];
    for (const some of calls(tasks)) {
      const outcome = await this.#enqueue(queue, some);
      if (outcome === "taken") taken.push(...some.flatMap(({ taskId }) => taskId ?? []));
      // A full queue takes all of a call or none: one by one, tasks go in while there is room.
      else if (outcome === "full" && some.length > 1)
        for (const one of some) if ((await this.#enqueue(queue, [one])) === "taken") taken.push(one.taskId ?? "");
    }
    return taken;
  }

  /** @returns whether the task is over now, or is not there */
  async cancel(queue: string, taskId: string): Promise<boolean> {
    try {
      return !("overloaded" in (await this.#queue(queue).applyAction({ action: "cancel", taskId })));
    } catch (error) {
      this.#failed("cancel", queue, error);
      return false;
    }
  }

  async #enqueue(queue: string, tasks: readonly NewTask[]): Promise<"taken" | "full" | "failed"> {
    try {
      const answer = await this.#queue(queue).enqueue(tasks);
      if ("tasks" in answer) return "taken";
      return "full" in answer ? "full" : "failed";
    } catch (error) {
      this.#failed("enqueue", queue, error);
      return "failed";
    }
  }

  #queue(queue: string) {
    return objectNamed(this.#env.PRIORITY_QUEUE, `${this.#ecosystem}/${queue}`, this.#env);
  }

  #failed(what: string, queue: string, error: unknown): void {
    logLine("warn", "schedule-call-failed", { ecosystem: this.#ecosystem, object: "schedules", what, queue, error });
  }
}

/** As many tasks as one call may carry, one at least. */
function* calls(tasks: readonly NewTask[]): Generator<NewTask[]> {
  let some: NewTask[] = [];
  let chars = 0;
  for (const task of tasks) {
    chars += task.payloadJson.length;
    if (some.length > 0 && (some.length >= CALL.tasks || chars > CALL.chars)) {
      yield some;
      some = [];
      chars = task.payloadJson.length;
    }
    some.push(task);
  }
  if (some.length > 0) yield some;
}
