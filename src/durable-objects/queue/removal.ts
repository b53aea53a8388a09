import type { PlacementVariables } from "../../core/deployment/placement.ts";
import type { QueueRemoval } from "../../core/queue/api.ts";
import { logLine } from "../shell/log-line.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";
import type { TaggedSockets } from "../shell/sockets.ts";
import type { UsageStore } from "../shell/usage-store.ts";
import type { PendingCalls } from "./pending-calls.ts";
import { queueOf } from "./queue-signals.ts";
import { OVERLOADED } from "./refusals.ts";
import type { WaitingLeases } from "./waiting-leases.ts";

/** Binding to the directory of queues. */
export interface RemovalBindings extends PlacementVariables {
  readonly DIRECTORY: Namespace<{ removeQueue(ecosystem: string, name: string): Promise<void> }>;
}

const END_MS = 2_000;
export const QUEUE_DELETED = "the queue was deleted";

/** Objects whose queue was deleted, and that end soon. */
const removed = new WeakSet<DurableObjectState>();

interface RemovalOptions {
  readonly ctx: DurableObjectState;
  readonly env: RemovalBindings;
  readonly ecosystem: string;
  /** Name of the object: `<ecosystem>/<queue>`. */
  readonly name: string;
  readonly commits: { readonly queue: { readonly size: number }; deliver(): Promise<boolean> };
  readonly leases: WaitingLeases;
  readonly calls: PendingCalls;
  readonly tagged: TaggedSockets;
  readonly used: Pick<UsageStore, "emptied">;
  /** Also while the queue has unfinished tasks. */
  readonly force: boolean;
}

/** Deletes a queue: its name in the directory, then everything that the object stores. */
export async function removeQueue(options: RemovalOptions): Promise<QueueRemoval> {
  const { ctx, env, ecosystem, name, commits, force } = options;
  // Two delete it at the same time: there is nothing left to read.
  if (removed.has(ctx)) return { removed: true };
  // What tasks have led to is delivered first: signals, and dead letters, which others read.
  if (!(await commits.deliver())) return OVERLOADED;
  // Nothing comes in meanwhile: a task that was accepted after the look at the others would be lost unnoticed.
  return await ctx.blockConcurrencyWhile(async (): Promise<QueueRemoval> => {
    if (removed.has(ctx)) return { removed: true };
    const unfinished = commits.queue.size;
    if (unfinished > 0 && !force) return { unfinished };
    try {
      await objectNamed(env.DIRECTORY, "directory", env).removeQueue(ecosystem, queueOf(name));
      await ctx.storage.deleteAlarm();
      await ctx.storage.deleteAll();
      options.used.emptied();
      await ctx.storage.sync();
    } catch (error) {
      logLine("error", "queue-not-deleted", { ecosystem, object: "queue", name, error });
      // What was deleted of it stays so, and the call can be made again.
      return OVERLOADED;
    }
    removed.add(ctx);
    options.leases.endAll();
    options.calls.notifyAllLost();
    for (const socket of options.tagged.all()) socket.close(1001, QUEUE_DELETED);
    // The object in memory still knows what is gone. Its caller ends it, or this does where the caller is gone too.
    setTimeout(() => ctx.abort(QUEUE_DELETED), END_MS);
    return { removed: true };
  });
}
