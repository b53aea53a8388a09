import { type FileTask, readFileTask } from "../../src/core/file-tasks/file-task.ts";
import { type DroppedFileLimits, type FileVersion, readDroppedFile } from "../base/files/read-dropped-file.ts";

const LIMITS: DroppedFileLimits = { content: "a task", maxBytes: 1024 * 1024 };

export type ClaimedFile =
  | { readonly kind: "task"; readonly task: FileTask }
  /** Its writer has taken the file back. */
  | { readonly kind: "gone" }
  /** A program writes the file in place, without a rename: read it again later. */
  | { readonly kind: "unfinished" }
  | { readonly kind: "invalid"; readonly reason: string; readonly details: Readonly<Record<string, unknown>> };

/** Reads claimed files, and remembers which were not JSON when they were last read. */
export class TaskReader {
  readonly #worker: string;
  /** By path, the version of a file that was not JSON. */
  readonly #notJson = new Map<string, FileVersion>();

  constructor(worker: string) {
    this.#worker = worker;
  }

  async read(path: string, taskId: string): Promise<ClaimedFile> {
    const file = await readDroppedFile(path, `${taskId}.json`, LIMITS);
    const before = this.#notJson.get(path);
    this.#notJson.delete(path);
    switch (file.kind) {
      case "gone":
        return { kind: "gone" };
      case "changing":
        return { kind: "unfinished" };
      case "unreadable":
        return { kind: "invalid", reason: file.reason, details: {} };
      case "not_json":
        if (before === file.version) return { kind: "invalid", reason: file.reason, details: {} };
        this.#notJson.set(path, file.version);
        return { kind: "unfinished" };
      case "json": {
        const read = readFileTask(file.value, this.#worker, taskId);
        if (read.ok) return { kind: "task", task: read.task };
        const details = read.errors === undefined ? {} : { errors: read.errors };
        return { kind: "invalid", reason: read.reason, details };
      }
    }
  }
}
