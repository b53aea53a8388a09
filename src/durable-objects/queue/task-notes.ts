import type { PlacementVariables } from "../../core/deployment/placement.ts";
import type { Entry } from "../../core/queue/entry.ts";
import { logLine } from "../shell/log-line.ts";
import type { Notes } from "../shell/notes.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";
import type { NoteName } from "./task-store.ts";

/** Binding to the notes, which workers get with their tasks. */
export interface TaskNotesBindings extends PlacementVariables {
  readonly NOTES: Namespace<{ ofTasks(taskIds: readonly string[]): Promise<Record<string, string>> }>;
}

interface TaskNotesOptions {
  readonly env: TaskNotesBindings;
  readonly ecosystem: string;
  readonly values: Notes<NoteName>;
  readonly keepAlive: (work: Promise<void>) => void;
}

/** Longest time that tasks wait for their notes, in milliseconds. */
const PATIENCE_MS = 2_000;
/** After a time without an answer tasks go out without their notes for so long, so that the queue is not held up. */
const PAUSE_MS = 5_000;

/** Instead of the notes: the worker reads them itself. */
const MISSING = '"notes_missing":true';

/** The text of a task that a worker leased, with its notes. */
export type WithNotes = (entry: Entry, json: string) => string;

/**
 * The notes of tasks that go out to workers. Until an ecosystem has the first note of a task, none is asked for and nothing is
 * slower; from then on each commit that gives tasks out makes one call for all of them. The leases are written by then: who
 * waits is the worker.
 */
export class TaskNotes {
  readonly #options: TaskNotesOptions;
  #handing: boolean;
  #pausedUntilMs = 0;
  /** Tasks go out in the order in which they were given. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: TaskNotesOptions) {
    this.#options = options;
    this.#handing = options.values.read("noting") !== undefined;
  }

  /** From now on, for good: tasks of the ecosystem have notes. */
  hand(): void {
    if (this.#handing) return;
    this.#options.values.write("noting", "1");
    this.#handing = true;
  }

  /**
   * Calls `send` once with what adds the notes to a task: at once where no task has any.
   *
   * @param given - tasks that go out now
   */
  with(given: readonly Entry[], send: (withNotes: WithNotes) => void): void {
    // The id of a call is new for each call: nobody has noted anything about it.
    const ids = this.#handing ? given.filter(({ caller }) => caller === null).map(({ taskId }) => taskId) : [];
    if (ids.length === 0) return send(asItIs);
    const found = this.#find(ids);
    this.#last = this.#last.then(async () => send(await found));
    this.#options.keepAlive(this.#last);
  }

  /** Never rejects. */
  async #find(ids: readonly string[]): Promise<WithNotes> {
    const { env, ecosystem } = this.#options;
    const missing: WithNotes = (entry, json) => (entry.caller === null ? withFields(json, MISSING) : json);
    if (Date.now() < this.#pausedUntilMs) return missing;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS} ms`)), PATIENCE_MS);
      });
      const notes = await Promise.race([objectNamed(env.NOTES, ecosystem, env).ofTasks(ids), late]);
      return ({ taskId }, json) => withFields(json, notes[taskId]);
    } catch (error) {
      logLine("warn", "notes-not-handed", { ecosystem, object: "queue", tasks: ids.length, error });
      this.#pausedUntilMs = Date.now() + PAUSE_MS;
      return missing;
    } finally {
      if (timer !== undefined) clearTimeout(timer);
    }
  }
}

const asItIs: WithNotes = (_entry, json) => json;

const withFields = (json: string, fields: string | undefined) =>
  fields === undefined ? json : `${json.slice(0, -1)},${fields}}`;
