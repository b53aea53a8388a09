import { ApiProblem } from "../../src/client/http/problem-errors.ts";
import { TaskRefused, type Worker, work } from "../../src/client/work/worker.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";
import { CurrentReport } from "../telemetry/current-report.ts";
import { CommandRefused, type HostCommands } from "./host-commands.ts";

/** The queue of commands for hosts; a host takes those whose recipient is its id. */
export const HOSTS_QUEUE = "hosts";

export interface HostQueueOptions {
  readonly url: string;
  readonly token: () => string;
  readonly ecosystem: string;
  readonly hostId: string;
  readonly work: HostCommands;
  readonly log: Logger;
}

/** A command that is under way when the agent stops has so long to be answered, in milliseconds. */
const STOP_MS = 5_000;

/** Commands at a time. A stop may take half a minute; a question after the state must not wait for it. */
const CONCURRENCY = 8;

/**
 * The edge's way to {@link HostCommands}: this host as a worker of the queue `hosts`. Where nothing can be commanded here,
 * no connection is held.
 */
export class HostQueue implements ReportingService {
  readonly name = "commands";
  readonly stopMs = STOP_MS;
  readonly #options: HostQueueOptions;
  readonly #report = new CurrentReport({ name: "commands", state: "off", detail: "not started", needsEdge: true });
  #worker: Worker | undefined;
  #running = false;
  #unheed: (() => void) | undefined;

  constructor(options: HostQueueOptions) {
    this.#options = options;
  }

  report(): Report {
    return this.#report.value;
  }

  onChange(listener: () => void): () => void {
    return this.#report.onChange(listener);
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#unheed = this.#options.work.onAdded(() => this.#open());
    if (this.#options.work.types.length === 0) this.#change("off", "nothing on this host takes commands");
    this.#open();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#unheed?.();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.stop();
    this.#change("off", "stopped");
  }

  #open(): void {
    const { url, token, ecosystem, hostId, work: commands } = this.#options;
    if (!this.#running || this.#worker !== undefined || commands.types.length === 0) return;
    this.#change("starting", "connecting");
    this.#worker = work(
      HOSTS_QUEUE,
      hostId,
      async ({ type, payload }, context) => {
        try {
          return await commands.run(type, payload, context);
        } catch (error) {
          throw error instanceof CommandRefused ? new TaskRefused(error.message) : error;
        }
      },
      { url, token, ecosystem, worker: hostId, concurrency: CONCURRENCY, onConnection: (error) => this.#heard(error) },
    );
  }

  #heard(error: unknown): void {
    if (error === null) return this.#change("live", `takes commands from the queue ${HOSTS_QUEUE}`);
    if (error instanceof ApiProblem && error.problem.status === 403) {
      // Nothing is broken: the host was not given this right.
      return this.#change("off", "the token may not take work: give it the scope tasks:work to command this host");
    }
    this.#change("failing", error instanceof Error ? error.message : String(error));
  }

  #change(state: Report["state"], detail: string): void {
    const changed = this.#report.set(state, detail);
    if (changed && state === "off" && this.#running) this.#options.log.info(`commands: off, ${detail}`);
  }
}
