import type { QueueRemoval } from "../../core/queue/api.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";
import type { QueueCommits } from "./queue-commits.ts";
import { queueOf } from "./queue-runtime.ts";
import { OVERLOADED } from "./refusals.ts";

/** Binding to the directory of queues. */
export interface RemovalBindings {
  readonly DIRECTORY: Namespace<{ removeQueue(ecosystem: string, name: string): Promise<void> }>;
}

const END_MS = 2_000;
export const QUEUE_DELETED = "the queue was deleted";

interface RemovalOptions {
  readonly ctx: DurableObjectState;
  readonly env: RemovalBindings;
  readonly ecosystem: string;
  /** Name of the object: `<ecosystem>/<queue>`. */
  readonly name: string;
  readonly commits: QueueCommits;
  /** Whether another call has deleted the queue. */
  readonly removed: () => boolean;
  /** Answers who waits, and closes the channels. */
  readonly dismiss: () => void;
  /** Also while the queue has unfinished tasks. */
  readonly force: boolean;
}

/** Deletes a queue: its name in the directory, then everything that the object stores. */
export async function removeQueue(options: RemovalOptions): Promise<QueueRemoval> {
  const { ctx, env, ecosystem, name, commits, dismiss, force } = options;
  // What tasks have led to is delivered first: signals, and dead letters, which others read.
  if (!(await commits.deliver())) return OVERLOADED;
  // Nothing comes in meanwhile: a task that was accepted after the look at the others would be lost unnoticed.
  return await ctx.blockConcurrencyWhile(async (): Promise<QueueRemoval> => {
    if (options.removed()) return { removed: true };
    const unfinished = commits.queue.size;
    if (unfinished > 0 && !force) return { unfinished };
    try {
      await objectNamed(env.DIRECTORY, "directory").removeQueue(ecosystem, queueOf(name));
      await ctx.storage.deleteAlarm();
      await ctx.storage.deleteAll();
      await ctx.storage.sync();
    } catch (error) {
      console.error("priority queue: not deleted", name, String(error));
      // What was deleted of it stays so, and the call can be made again.
      return OVERLOADED;
    }
    dismiss();
    // The object in memory still knows what is gone. Its caller ends it, or this does where the caller is gone too.
    setTimeout(() => ctx.abort(QUEUE_DELETED), END_MS);
    return { removed: true };
  });
}
