import type { PlacementVariables } from "../../core/deployment/placement.ts";
import type { ClosedLimits } from "../../core/limits/closed-limits.ts";
import { logLine } from "../shell/log-line.ts";
import { RETRY_MS } from "../shell/outbox-relay.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";
import { type QueueOperation, submitted } from "./operation.ts";
import type { QueueRuntime } from "./queue-runtime.ts";
import type { TaskStore } from "./task-store.ts";

/** Binding to the limits of the ecosystem. */
export interface LimitWatchBindings extends PlacementVariables {
  readonly LIMITS: Namespace<{ watch(queue: string): Promise<ClosedLimits> }>;
}

interface LimitWatchOptions {
  readonly env: LimitWatchBindings;
  readonly ecosystem: string;
  readonly queue: string;
  readonly keepAlive: (work: Promise<void>) => void;
  readonly wakeBy: (atMs: number) => void;
  readonly commits: {
    readonly store: TaskStore;
    readonly runtime: QueueRuntime;
    submit(operations: readonly QueueOperation[]): void;
  };
}

/**
 * Has the limits of the ecosystem send this queue what is closed, from its first task that names one. Each table is stored
 * before its receipt is confirmed, and the limits send it again until then; a queue whose answer was lost asks again.
 */
export class LimitWatch {
  readonly #options: LimitWatchOptions;
  #asking = false;
  #notBeforeMs = 0;

  constructor(options: LimitWatchOptions) {
    this.#options = options;
  }

  /** To be called after each commit: asks for the first table, where tasks wait for it. */
  follow(): void {
    const { commits, keepAlive } = this.#options;
    const { limitGate, queue } = commits.runtime;
    if (queue.ready.limits.size === 0 || limitGate.isKnown || this.#asking || Date.now() < this.#notBeforeMs) return;
    this.#asking = true;
    keepAlive(this.#ask());
  }

  /** A table that the limits send. @returns `false`: this queue does not have to know */
  async take(table: ClosedLimits): Promise<boolean> {
    const { limitGate } = this.#options.commits.runtime;
    if (!limitGate.isKnown && !this.#asking) return false;
    await this.#store(table);
    return true;
  }

  async #ask(): Promise<void> {
    const { env, ecosystem, queue, wakeBy } = this.#options;
    try {
      await this.#store(await objectNamed(env.LIMITS, ecosystem, env).watch(queue));
    } catch (error) {
      // The commit of the next alarm asks again.
      this.#notBeforeMs = Date.now() + RETRY_MS;
      wakeBy(this.#notBeforeMs);
      logLine("warn", "limits-not-watched", { ecosystem, object: "queue", queue, error });
    } finally {
      this.#asking = false;
    }
  }

  /** @throws Error where the queue could not store it */
  async #store(table: ClosedLimits): Promise<void> {
    const { commits } = this.#options;
    const answer = await submitted(commits, () => {
      if (commits.runtime.limitGate.take(table)) commits.store.notes.write("limits", JSON.stringify(table));
      return { result: {} };
    });
    if ("overloaded" in answer) throw new Error("the queue is overloaded");
  }
}
