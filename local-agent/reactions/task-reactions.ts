import { TaskRefused, TaskReleased, type Worker, work } from "../../src/client/work/worker.ts";
import type { LeasedTask } from "../../src/core/queue/api.ts";
import { lease } from "../../src/core/reactions/run.ts";
import { Identifier, type Signal } from "../../src/core/signals/signal.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { StateDatabase } from "../store/state-database.ts";
import type { Attempts } from "./attempts.ts";
import type { Entry, RunJournal } from "./journal.ts";
import type { Reaction } from "./reaction.ts";

export interface TaskReaction extends Reaction {
  readonly queue: string;
  readonly recipient: string;
}

export interface TaskReactionsOptions {
  readonly db: StateDatabase;
  readonly journal: RunJournal;
  readonly attempts: Attempts;
  readonly reactions: readonly TaskReaction[];
  readonly url: string;
  readonly ecosystem: string;
  readonly token: () => string;
  readonly hostId: string;
  readonly now: () => number;
  readonly log: Logger;
}

/** How long a task waits when its host was killed. A third of it is the pace at which a lease is renewed. */
const LEASE_MS = 10_000;

/**
 * Reactions that take their work from a queue: one host of many does it, and the queue counts attempts, pauses between
 * them and keeps what failed for good. The journal knows by the task's id what this host has done: a task that comes
 * again because its completion was not heard is answered with the result that there is.
 */
export class TaskReactions implements Service {
  readonly name = "task reactions";
  readonly #options: TaskReactionsOptions;
  /** The attempts that are being made, by reaction and task. */
  readonly #making = new Map<string, Promise<Entry>>();
  /** As they are now; which worker asks for a task decides how much comes, and this how it is done. */
  #reactions: ReadonlyMap<string, TaskReaction>;
  readonly #workers = new Map<string, Worker>();
  /** Those that finish what they have, by reaction: the next one of the same name begins after them. */
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

  /** What runs ends with {@link Attempts.stop}, which is asked first; it is given back to the queue. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const name of this.#workers.keys()) this.#retire(name);
    await Promise.all(this.#finishing.values());
  }

  /** Goes on with other reactions. What was begun finishes by its old settings; a task that comes now is done by the new ones. */
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
    // More than it may do at a time would run if the next one did not wait for the last one.
    if (!this.#running || reaction === undefined || this.#workers.has(name) || this.#finishing.has(name)) return;
    const { url, ecosystem, token, hostId, log } = this.#options;
    const { queue, recipient, concurrency } = reaction;
    const handle = (task: LeasedTask, { signal }: { signal: AbortSignal }) =>
      this.#handle(this.#reactions.get(name) ?? reaction, task, signal);
    this.#workers.set(
      name,
      work(queue, recipient, handle, {
        ...{ url, ecosystem, token, concurrency, leaseMs: LEASE_MS, worker: `${hostId}.${name}` },
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
    // Its lease was lost, and it came back to this host before that attempt had ended.
    await this.#making.get(key);
    const entry = await this.#note(reaction, task);
    if (entry.run.state === "done") return answerOf(entry);
    const making = attempts.make(reaction, entry, abort).finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    const after = await making;
    switch (after.run.state) {
      case "done":
        return answerOf(after);
      case "dead":
        throw new TaskRefused(after.run.error);
      default:
        if (after.error === null) throw new TaskReleased("this host is about to stop");
        throw new Error(after.error);
    }
  }

  async #note(reaction: TaskReaction, task: LeasedTask): Promise<Entry> {
    const { db, journal, now } = this.#options;
    const { name } = reaction;
    const input = JSON.stringify(signalOf(task, new Date(now()).toISOString()));
    const found = await db.commit<{ entry: Entry; refused: string | undefined }>(1, () => {
      journal.accept(name, task.task_id, input, now());
      const entry = journal.find(name, task.task_id);
      if (entry === undefined) throw new Error("what was just written is there");
      const { run, refused } = lease(entry.run, task.attempt, now());
      if (run !== entry.run) journal.set(entry.key, run, now());
      // Why an earlier attempt failed is no reason why this one may not begin.
      return () => ({ entry: { ...entry, run, error: null }, refused });
    });
    if (found.refused !== undefined) throw new TaskRefused(found.refused);
    return found.entry;
  }
}

/**
 * A task whose payload is a signal is a reaction to that signal. Any other is put in the form of one, so that a command
 * reads the same wherever its work comes from.
 */
function signalOf(task: LeasedTask, nowText: string): Signal {
  const { payload, task_id: id, type, sender, cause, trace, depth } = task;
  if (isSignal(payload)) return payload;
  const facts =
    typeof payload === "object" && payload !== null && !Array.isArray(payload)
      ? (payload as Record<string, unknown>)
      : { payload };
  const at = { timestamp: nowText, received_at: nowText };
  const chain = {
    ...(cause === undefined ? {} : { cause }),
    ...(trace === undefined ? {} : { trace }),
    ...(depth === undefined ? {} : { depth }),
  };
  return { seq: 0, id, signal: type, source: sender ?? "queue", ecosystem: "", ...at, facts, ...chain };
}

function isSignal(payload: unknown): payload is Signal {
  if (typeof payload !== "object" || payload === null) return false;
  const { id, signal, source, facts } = payload as Partial<Signal>;
  const isObject = typeof facts === "object" && facts !== null && !Array.isArray(facts);
  return typeof signal === "string" && typeof source === "string" && isObject && Identifier.safeParse(id).success;
}

function answerOf({ result }: Entry): unknown {
  return result === null ? null : JSON.parse(result);
}

function byName(reactions: readonly TaskReaction[]): ReadonlyMap<string, TaskReaction> {
  return new Map(reactions.map((reaction) => [reaction.name, reaction]));
}
