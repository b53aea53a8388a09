import { type DroppedTask, readDroppedTask } from "../../src/core/file-tasks/file-task.ts";
import { type FileVersion, readIntent } from "../intents/read-intent.ts";

const MAX_TASK = { what: "a task", maxBytes: 1024 * 1024 };

export type ClaimedFile =
  | { readonly kind: "task"; readonly task: DroppedTask }
  /** Somebody has taken it back. */
  | { readonly kind: "gone" }
  /** It is being written, by somebody who does not rename: worth another look. */
  | { readonly kind: "unfinished" }
  | { readonly kind: "invalid"; readonly reason: string; readonly details: Readonly<Record<string, unknown>> };

/** Reads claimed files, and remembers which were not JSON when they were looked at last. */
export class TaskReader {
  readonly #worker: string;
  readonly #unparsed = new Map<string, FileVersion>();

  constructor(worker: string) {
    this.#worker = worker;
  }

  async read(path: string, taskId: string): Promise<ClaimedFile> {
    const file = await readIntent(path, `${taskId}.json`, MAX_TASK);
    const before = this.#unparsed.get(path);
    this.#unparsed.delete(path);
    switch (file.kind) {
      case "gone":
        return { kind: "gone" };
      case "changing":
        return { kind: "unfinished" };
      case "unreadable":
        return { kind: "invalid", reason: file.reason, details: {} };
      case "unparsed":
        if (before === file.stamp) return { kind: "invalid", reason: file.reason, details: {} };
        this.#unparsed.set(path, file.stamp);
        return { kind: "unfinished" };
      case "intent": {
        const read = readDroppedTask(file.value, this.#worker, taskId);
        if (read.ok) return { kind: "task", task: read.task };
        const details = read.errors === undefined ? {} : { errors: read.errors };
        return { kind: "invalid", reason: read.reason, details };
      }
    }
  }
}
