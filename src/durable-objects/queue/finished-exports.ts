import { HOSTS_QUEUE } from "../../core/hosts/command-queue.ts";
import type { QueueChanges } from "../../core/queue/change-tracker.ts";
import type { FinishedTask } from "../../core/queue/task.ts";
import { queueSource } from "../../core/telemetry/sources.ts";
import { writeTaskItem } from "../../core/telemetry/task-item.ts";
import { ExportOutbox, type ExportOutboxOptions } from "../shell/export-outbox.ts";
import type { TaskStore } from "./task-store.ts";

/** Finished tasks that a queue exports which begins while its ecosystem exports. */
const FIRST = 1_000;

interface FinishedExportsOptions extends Pick<ExportOutboxOptions, "env" | "ecosystem" | "sql" | "wakeBy"> {
  readonly queue: string;
  readonly store: Pick<TaskStore, "done">;
}

/** Hands the finished tasks of a queue over to the export of its ecosystem. Does nothing while nothing is exported. */
export class FinishedExports {
  readonly outbox: ExportOutbox;
  readonly #options: FinishedExportsOptions;

  constructor(options: FinishedExportsOptions) {
    this.#options = options;
    const { env, ecosystem, sql, wakeBy, queue } = options;
    this.outbox = new ExportOutbox({ env, ecosystem, sql, wakeBy, source: queueSource(queue) });
  }

  /** Belongs into the transaction that stores the tasks, after their rows are written. */
  add(finished: QueueChanges["finished"]): void {
    if (this.outbox.payload === undefined || finished.length === 0) return;
    this.outbox.add(finished.map(({ entry, record }) => this.#item(record, entry.payloadJson)));
  }

  /** The queue has just begun, and its ecosystem exports: also what has ended meanwhile. */
  async begin(): Promise<void> {
    if (this.outbox.payload !== undefined) return;
    await this.outbox.ask();
    const ended = this.#options.store.done.records(FIRST).reverse();
    this.outbox.add(ended.map((record) => this.#item(record, undefined)));
  }

  #item(record: FinishedTask, inMemory: string | undefined): string {
    const { queue, store } = this.#options;
    // What hosts are asked to do, and answer, is for those who may command them.
    const payload = queue === HOSTS_QUEUE ? "none" : (this.outbox.payload ?? "none");
    return writeTaskItem(record, () => inMemory ?? store.done.find(record.taskId)?.payload, payload);
  }
}
