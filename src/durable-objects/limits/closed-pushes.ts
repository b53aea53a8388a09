import type { ClosedLimits } from "../../core/limits/closed-limits.ts";
import { logLine } from "../shell/log-line.ts";
import { objectNamed } from "../shell/ports.ts";
import type { LimitStore } from "./limit-store.ts";
import type { LimitsBindings } from "./ports.ts";

/** Queues that are sent the table at a time. */
const AT_ONCE = 20;

interface ClosedPushesOptions {
  readonly env: LimitsBindings;
  readonly ecosystem: string;
  readonly store: LimitStore;
  readonly table: () => ClosedLimits;
}

/**
 * Sends queues the table of closed limits. Which of them do not have the last one is stored, so a crash or a queue that does
 * not answer costs a repetition; a table that comes twice, or after a newer one, changes nothing there.
 */
export class ClosedPushes {
  readonly #options: ClosedPushesOptions;
  #running: Promise<boolean> | undefined;

  constructor(options: ClosedPushesOptions) {
    this.#options = options;
  }

  /** @returns whether every queue has the last table */
  async run(): Promise<boolean> {
    while (this.#running !== undefined) await this.#running;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
    return await this.#running;
  }

  async #run(): Promise<boolean> {
    const { store, table } = this.#options;
    const behind = store.behind();
    const sent = table();
    let all = true;
    for (let from = 0; from < behind.length; from += AT_ONCE) {
      const some = behind.slice(from, from + AT_ONCE);
      const done = await Promise.all(some.map((queue) => this.#send(queue, sent)));
      all &&= done.every(Boolean);
    }
    return all && store.behind().length === 0;
  }

  async #send(queue: string, table: ClosedLimits): Promise<boolean> {
    const { env, ecosystem, store } = this.#options;
    try {
      const watches = await objectNamed(env.PRIORITY_QUEUE, `${ecosystem}/${queue}`, env).closeLimits(table);
      if (watches) store.delivered(queue, table.version);
      else store.unwatch(queue, table.version);
      return true;
    } catch (error) {
      logLine("warn", "closed-limits-not-sent", { ecosystem, object: "limits", queue, error });
      return false;
    }
  }
}
