import { TaskRefused, TaskReleased, type Worker, work } from "../../src/client/work.ts";
import { accept } from "../../src/core/reactions/run.ts";
import { Identifier, type Signal } from "../../src/core/signals/signal.ts";
import type { LeasedTask } from "../../src/core/wire/work-frames.ts";
import type { Logger } from "../log.ts";
import type { Service } from "../service.ts";
import type { StateDatabase } from "../state-database.ts";
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
  #workers: Worker[] = [];

  constructor(options: TaskReactionsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#workers.length > 0) return;
    const { reactions, url, ecosystem, token, hostId, log } = this.#options;
    this.#workers = reactions.map((reaction) =>
      work(reaction.queue, reaction.recipient, (task, { signal }) => this.#handle(reaction, task, signal), {
        ...{
          url,
          ecosystem,
          token,
          concurrency: reaction.concurrency,
          leaseMs: LEASE_MS,
          worker: `${hostId}.${reaction.name}`,
        },
        onRemark: (text) => log.warn({ reaction: reaction.name, queue: reaction.queue }, `reactions: ${text}`),
      }),
    );
  }

  /** What runs ends with {@link Attempts.stop}, which is asked first; it is given back to the queue. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.stop()));
  }

  async #handle(reaction: TaskReaction, task: LeasedTask, abort: AbortSignal): Promise<unknown> {
    const { attempts } = this.#options;
    const key = `${reaction.name}/${task.task_id}`;
    // Its lease was lost, and it came back to this host before that attempt had ended.
    await this.#making.get(key);
    const entry = await this.#open(reaction, task);
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

  /** Each lease is an attempt of its own: what an earlier one ended with does not hold it back, unless it is done. */
  async #open(reaction: TaskReaction, task: LeasedTask): Promise<Entry> {
    const { db, journal, now } = this.#options;
    const { name } = reaction;
    const input = JSON.stringify(signalOf(task, new Date(now()).toISOString()));
    const found = await db.commit<{ entry: Entry; refused: string | null }>(1, () => {
      journal.accept(name, task.task_id, input, now());
      const entry = journal.find(name, task.task_id);
      if (entry === undefined) throw new Error("what was just written is there");
      const { run } = entry;
      if (run.state === "pending" || run.state === "dead") journal.set(entry.key, accept(now()), now());
      const fresh = run.state === "pending" || run.state === "dead" ? { ...entry, run: accept(now()) } : entry;
      // It was given up after a crash, and the queue has not heard of it. Given out once more after that, somebody
      // wants it to be done again.
      return () => ({ entry: fresh, refused: run.state === "dead" ? run.error : null });
    });
    if (found.refused !== null) throw new TaskRefused(found.refused);
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
