import type { PlacementVariables } from "../../core/deployment/placement.ts";
import type { FinishedTask } from "../../core/queue/task.ts";
import type { TaskLook } from "../../core/schedules/machine.ts";
import { lookOfFinished, scheduleOf } from "../../core/schedules/task-of-run.ts";
import { logLine } from "../shell/log-line.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";

/** Binding to the schedules, which follow their tasks. */
export interface ScheduleBindings extends PlacementVariables {
  readonly SCHEDULES: Namespace<{ ended(schedule: string, looks: readonly TaskLook[]): Promise<void> }>;
}

interface ScheduleNoticesOptions {
  readonly env: ScheduleBindings;
  readonly ecosystem: string;
  readonly keepAlive: (work: Promise<void>) => void;
}

/**
 * Tells schedules of the ends of their tasks. A notice that is lost is not repeated: a schedule looks at its open tasks before
 * it decides anything, and at the latest each hour.
 */
export class ScheduleNotices {
  readonly #options: ScheduleNoticesOptions;

  constructor(options: ScheduleNoticesOptions) {
    this.#options = options;
  }

  /** To be called after the tasks are stored. */
  send(finished: readonly { readonly record: FinishedTask }[]): void {
    let ended: Map<string, TaskLook[]> | undefined;
    for (const { record } of finished) {
      const schedule = scheduleOf(record);
      if (schedule === undefined) continue;
      ended ??= new Map();
      ended.set(schedule, [...(ended.get(schedule) ?? []), lookOfFinished(record)]);
    }
    if (ended !== undefined) this.#options.keepAlive(this.#tell(ended));
  }

  async #tell(ended: ReadonlyMap<string, readonly TaskLook[]>): Promise<void> {
    const { env, ecosystem } = this.#options;
    const schedules = objectNamed(env.SCHEDULES, ecosystem, env);
    for (const [schedule, looks] of ended) {
      try {
        await schedules.ended(schedule, looks);
      } catch (error) {
        logLine("warn", "schedule-not-told", { ecosystem, object: "queue", schedule, error });
      }
    }
  }
}
