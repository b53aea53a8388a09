import { TaskRefused, TaskReleased, type Worker, work } from "../../src/client/work/worker.ts";
import type { LeasedTask } from "../../src/core/queue/api.ts";
import { lease } from "../../src/core/reactions/run.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { StateDatabase } from "../store/state-database.ts";
import type { AttemptRunner } from "./attempt-runner.ts";
import type { Entry, RunJournal } from "./journal.ts";
import type { Reaction } from "./reaction.ts";
import { inputOfTask } from "./run-input.ts";

export interface TaskReaction extends Reaction {
  readonly queue: string;
  readonly recipient: string;
}

export interface TaskReactionsOptions {
  readonly db: StateDatabase;
  readonly journal: RunJournal;
  readonly attempts: AttemptRunner;
  readonly reactions: readonly TaskReaction[];
  readonly url: string;
  readonly ecosystem: string;
  readonly token: () => string;
  readonly hostId: string;
  readonly now: () => number;
  readonly log: Logger;
}

/** How long a task waits after its host was killed. A lease is renewed after a third of this time. */
const LEASE_MS = 10_000;

/**
 * Reactions that take their work from a queue: one host of many runs each task, and the queue counts attempts, pauses
 * between them and dead-letters tasks. The journal knows by a task's id what this host has done: a task that is given
 * out again because its completion was lost is answered with the stored result.
 */
export class TaskReactions implements Service {
  readonly name = "task reactions";
  readonly #options: TaskReactionsOptions;
  /** Attempts that are under way, by reaction and task. */
  readonly #attempts = new Map<string, Promise<Entry>>();
  /** The current reactions. The worker decides how many tasks come at a time, and these how each is run. */
  #reactions: ReadonlyMap<string, TaskReaction>;
  readonly #workers = new Map<string, Worker>();
  /** Workers that finish the tasks they hold, by reaction: the next worker of the same name begins after them. */
  readonly #finishing = new Map<string, Promise<void>>();
  #running = false;

  constructor(options: TaskReactionsOptions) {
    this.#options = options;
    this.#reactions = byName(options.reactions);
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (const name of this.#reactions.keys()) this.#open(name);
  }

  /** Call {@link AttemptRunner.stop} first: it ends the attempts, and their tasks are released to the queue. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const name of this.#workers.keys()) this.#retire(name);
    await Promise.all(this.#finishing.values());
  }

  /** Continues with other reactions. Attempts under way finish by their old settings; new tasks use the new ones. */
  setReactions(reactions: readonly TaskReaction[]): void {
    const before = this.#reactions;
    this.#reactions = byName(reactions);
    for (const [name, old] of before) {
      const next = this.#reactions.get(name);
      const same =
        next?.queue === old.queue && next.recipient === old.recipient && next.concurrency === old.concurrency;
      if (!same) this.#retire(name);
    }
    for (const name of this.#reactions.keys()) this.#open(name);
  }

  #open(name: string): void {
    const reaction = this.#reactions.get(name);
    // Together, a new worker and one that still finishes its tasks would exceed the concurrency.
    if (!this.#running || reaction === undefined || this.#workers.has(name) || this.#finishing.has(name)) return;
    const { url, ecosystem, token, hostId, log } = this.#options;
    const { queue, recipient, concurrency } = reaction;
    const handle = (task: LeasedTask, { signal }: { signal: AbortSignal }) =>
      this.#handle(this.#reactions.get(name) ?? reaction, task, signal);
    this.#workers.set(
      name,
      work(queue, recipient, handle, {
        url,
        ecosystem,
        token,
        concurrency,
        leaseMs: LEASE_MS,
        worker: `${hostId}.${name}`,
        onRemark: (text) => log.warn({ reaction: name, queue }, `reactions: ${text}`),
      }),
    );
  }

  #retire(name: string): void {
    const worker = this.#workers.get(name);
    if (worker === undefined) return;
    this.#workers.delete(name);
    const finished = worker.stop().then(() => {
      this.#finishing.delete(name);
      this.#open(name);
    });
    this.#finishing.set(name, finished);
  }

  async #handle(reaction: TaskReaction, task: LeasedTask, abort: AbortSignal): Promise<unknown> {
    const { attempts } = this.#options;
    const key = `${reaction.name}/${task.task_id}`;
    // The lease was lost, and the task came back to this host before that attempt had ended.
    await this.#attempts.get(key);
    const entry = await this.#accept(reaction, task);
    if (entry.run.state === "done") return resultOf(entry);
    const attempt = attempts.run(reaction, entry, abort).finally(() => this.#attempts.delete(key));
    this.#attempts.set(key, attempt);
    const after = await attempt;
    switch (after.run.state) {
      case "done":
        return resultOf(after);
      case "dead":
        throw new TaskRefused(after.run.error);
      default:
        if (after.error === null) throw new TaskReleased("this host is stopping");
        throw new Error(after.error);
    }
  }

  async #accept(reaction: TaskReaction, task: LeasedTask): Promise<Entry> {
    const { db, journal, now } = this.#options;
    const { name } = reaction;
    const input = JSON.stringify(inputOfTask(task, new Date(now()).toISOString()));
    const found = await db.commit<{ entry: Entry; refused: string | undefined }>(1, () => {
      journal.accept(name, task.task_id, input, now());
      const entry = journal.find(name, task.task_id);
      if (entry === undefined) throw new Error(`the journal has no run of ${name} for ${task.task_id}`);
      const { run, refused } = lease(entry.run, task.attempt, now());
      if (run !== entry.run) journal.set(entry.key, run, now());
      // The error of an earlier attempt must not be taken for an error of this one.
      return () => ({ entry: { ...entry, run, error: null }, refused });
    });
    if (found.refused !== undefined) throw new TaskRefused(found.refused);
    return found.entry;
  }
}

function resultOf({ result }: Entry): unknown {
  return result === null ? null : JSON.parse(result);
}

function byName(reactions: readonly TaskReaction[]): ReadonlyMap<string, TaskReaction> {
  return new Map(reactions.map((reaction) => [reaction.name, reaction]));
}
