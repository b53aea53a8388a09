import { type FileTask, type FileTaskLayout, readFileTask } from "../../src/core/file-tasks/file-task.ts";
import { JSON_LIMITS, MAX_DEPTH } from "../../src/core/json/limits.ts";
import { type DroppedFileLimits, type FileVersion, readDroppedFile } from "../base/files/read-dropped-file.ts";

/** A fleet's task lies inside the payload of a task of the edge. */
const LIMITS: DroppedFileLimits = {
  content: "a task",
  maxBytes: 1024 * 1024,
  json: { ...JSON_LIMITS, depth: MAX_DEPTH - 1 },
};

export type ClaimedFile =
  | {
      readonly kind: "task";
      readonly task: FileTask;
      /** Numbers that JSON readers would change, and that became texts. */
      readonly keptAsText: number;
    }
  /** Its writer has taken the file back. */
  | { readonly kind: "gone" }
  /** A program writes the file in place, without a rename: read it again later. */
  | { readonly kind: "unfinished" }
  | { readonly kind: "invalid"; readonly reason: string; readonly details: Readonly<Record<string, unknown>> };

/** Reads claimed files, and remembers which were not JSON when they were last read. */
export class TaskReader {
  readonly #worker: string;
  readonly #layout: FileTaskLayout;
  /** By path, the version of a file that was not JSON. */
  readonly #notJson = new Map<string, FileVersion>();

  constructor(worker: string, layout: FileTaskLayout = "ganglion") {
    this.#worker = worker;
    this.#layout = layout;
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
        return {
          kind: "invalid",
          reason: file.reason,
          details: file.errors === undefined ? {} : { errors: file.errors },
        };
      case "not_json":
        if (before === file.version) return { kind: "invalid", reason: file.reason, details: {} };
        this.#notJson.set(path, file.version);
        return { kind: "unfinished" };
      case "json": {
        const read = readFileTask(file.value, this.#worker, taskId, this.#layout);
        if (read.ok) return { kind: "task", task: read.task, keptAsText: file.keptAsText };
        const details = read.errors === undefined ? {} : { errors: read.errors };
        return { kind: "invalid", reason: read.reason, details };
      }
    }
  }
}
