import type { PlacementVariables } from "../../core/deployment/placement.ts";
import { logLine } from "./log-line.ts";
import { type Namespace, objectNamed } from "./ports.ts";

/** Call of the log that wakes those who watch what needs somebody. */
export interface WatchCalls {
  attentionChanged(): Promise<void>;
}

export interface AttentionNudgeOptions {
  readonly ctx: Pick<DurableObjectState, "waitUntil">;
  readonly env: PlacementVariables & { readonly SIGNAL_LOG: Namespace<WatchCalls> };
  readonly ecosystem: string;
}

/**
 * Wakes those who watch what needs somebody, where it changes and no signal tells of it: one call of the log for all changes of a
 * moment. A call that fails is not repeated: who watches looks every two seconds anyway.
 */
export class AttentionNudge {
  readonly #options: AttentionNudgeOptions;
  #changed = false;
  #running: Promise<void> | undefined;

  constructor(options: AttentionNudgeOptions) {
    this.#options = options;
  }

  /** May be called in the midst of a transaction: the call leaves after it. */
  changed(): void {
    this.#changed = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    this.#options.ctx.waitUntil(this.#running);
  }

  async #run(): Promise<void> {
    const { env, ecosystem } = this.#options;
    await Promise.resolve();
    while (this.#changed) {
      this.#changed = false;
      try {
        await objectNamed(env.SIGNAL_LOG, ecosystem, env).attentionChanged();
      } catch (error) {
        logLine("warn", "watchers-not-woken", { ecosystem, error });
      }
    }
  }
}
