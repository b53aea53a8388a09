import type { Logger } from "./log.ts";

export interface RetriedStartOptions {
  readonly start: () => Promise<void>;
  /** Called when a start failed, with the reason. */
  readonly onFailure: (reason: string) => void;
  /** Milliseconds until the next attempt after a failure. */
  readonly retryMs: number;
  readonly what: string;
  readonly log: Logger;
}

/** Starts a part of the agent that may not be able to start now, without failing the parts beside it. */
export class RetriedStart {
  readonly #options: RetriedStartOptions;
  #running = false;
  #timer: NodeJS.Timeout | undefined;
  #attempt: Promise<void> = Promise.resolve();
  #reason: string | undefined;

  constructor(options: RetriedStartOptions) {
    this.#options = options;
  }

  /** Resolves after the first attempt. */
  async start(): Promise<void> {
    this.#running = true;
    this.#attempt = this.#try();
    await this.#attempt;
  }

  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
    await this.#attempt;
  }

  async #try(): Promise<void> {
    const { start, onFailure, retryMs, what, log } = this.#options;
    try {
      await start();
      this.#reason = undefined;
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      if (this.#reason !== failure.message) log.error({ err: failure }, `${what} cannot start; it is tried again`);
      this.#reason = failure.message;
      onFailure(failure.message);
      if (!this.#running) return;
      this.#timer = setTimeout(() => {
        this.#attempt = this.#try();
      }, retryMs);
    }
  }
}
