import { Worker } from "node:worker_threads";
import type { CodeRequest } from "../../src/core/intelligence/request.ts";
import type { Logger } from "../base/log.ts";
import type { HostAnswer } from "./answer-request.ts";
import { RequestFailed } from "./request-failed.ts";
import type { FromThread, IndexState, ThreadSettings, ToThread } from "./thread-messages.ts";

export interface IndexClientOptions extends ThreadSettings {
  readonly log: Logger;
  /** Called when the state of the index has changed. */
  readonly onState: () => void;
}

// Packed for hosts, the same file is JavaScript.
const THREAD = new URL(import.meta.url.endsWith(".ts") ? "./index-thread.ts" : "./index-thread.js", import.meta.url);
/** Memory of the thread, in MiB: a file that needs more ends the thread, and not the agent. */
const MAX_MEMORY_MB = 512;
/**
 * Of that, for what lives shortly, in MiB. The runtime would take 48 for it, and keep it: trees of files are garbage at once,
 * and whether they are collected often or seldom costs the same time.
 */
const SHORT_LIVED_MB = 4;
/** A thread that does not answer for so long is ended. */
const ANSWER_MS = 30_000;
const RESTART_MS = 1_000;
const STOP_MS = 5_000;

interface Pending {
  readonly resolve: (answer: HostAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** The agent's end of the index's thread. A thread that dies is started again, and goes on from what is stored. */
export class IndexClient {
  readonly #options: IndexClientOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #last = 0;
  #running = false;
  #restart: NodeJS.Timeout | undefined;
  state: IndexState | undefined;

  constructor(options: IndexClientOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.#begin();
  }

  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    const timer = setTimeout(() => void worker.terminate(), STOP_MS);
    this.#send({ kind: "stop" });
    await ended;
    clearTimeout(timer);
  }

  /** @throws RequestFailed */
  ask(request: CodeRequest): Promise<HostAnswer> {
    if (this.#worker === undefined)
      return Promise.reject(
        new RequestFailed("BACKEND_UNAVAILABLE", "the index is being started", "Try again in a second."),
      );
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#overdue(id), ANSWER_MS);
      this.#pending.set(id, { resolve, reject, timer });
      this.#send({ kind: "ask", id, request });
    });
  }

  #begin(): void {
    const { database, roots, languages, ignored, maxFiles, log } = this.#options;
    const workerData: ThreadSettings = { database, roots, languages, ignored, maxFiles };
    const worker = new Worker(THREAD, {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: MAX_MEMORY_MB, maxYoungGenerationSizeMb: SHORT_LIVED_MB },
    });
    this.#worker = worker;
    worker.on("message", (message: FromThread) => this.#receive(message));
    worker.on("error", (error) => log.error({ err: error }, "intelligence: the thread of the index failed"));
    worker.on("exit", () => {
      this.#worker = undefined;
      for (const id of this.#pending.keys())
        this.#settle(id, ({ reject }) =>
          reject(new RequestFailed("BACKEND_UNAVAILABLE", "the index was restarted", "Try again in a second.")),
        );
      if (this.#running) this.#restart = setTimeout(() => this.#begin(), RESTART_MS);
    });
  }

  #send(message: ToThread): void {
    this.#worker?.postMessage(message);
  }

  #receive(message: FromThread): void {
    switch (message.kind) {
      case "answer":
        return this.#settle(message.id, ({ resolve }) => resolve(message.answer));
      case "failure": {
        const { code, message: text, action, place } = message.failure;
        return this.#settle(message.id, ({ reject }) => reject(new RequestFailed(code, text, action, place)));
      }
      case "warning":
        this.#options.log.warn(`intelligence: ${message.message}`);
        return;
      case "state":
        this.state = message.state;
        this.#options.onState();
        return;
    }
  }

  #overdue(id: number): void {
    this.#settle(id, ({ reject }) => reject(new RequestFailed("TIMEOUT", "the index did not answer in time")));
    this.#options.log.error("intelligence: the thread of the index does not answer; it is started again");
    void this.#worker?.terminate();
  }

  #settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    how(pending);
  }
}
