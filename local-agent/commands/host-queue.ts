import { ApiProblem } from "../../src/client/http/problem-errors.ts";
import { TaskRefused, type Worker, work } from "../../src/client/work/worker.ts";
import { HOSTS_QUEUE } from "../../src/core/hosts/command-queue.ts";
import { CurrentReport } from "../base/current-report.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";
import { CommandRefused, type CommandRunner } from "../feature/command.ts";

export interface HostQueueOptions {
  readonly url: string;
  readonly token: () => string;
  readonly ecosystem: string;
  readonly hostId: string;
  readonly commands: CommandRunner;
  readonly log: Logger;
}

/** Time that a running command has for its answer when the agent stops, in milliseconds. */
const STOP_MS = 5_000;

const LACKS_SCOPE = "the token lacks the scope tasks:work: create one with it";
/** Why the edge gives this host no commands, by the type of the refusal. */
const NOT_COMMANDED: Readonly<Record<string, string>> = {
  "/problems/not-bound": "the token is bound to other hosts: create one with --host and this host's name",
};

/** Commands that run at the same time. Stopping an agent may take half a minute; a query of the state must not wait for it. */
const CONCURRENCY = 8;

/**
 * Takes commands from the edge: this host is a worker of the queue `hosts`. While no feature has registered a command,
 * no connection is held.
 */
export class HostQueue implements ReportingService {
  readonly name = "commands";
  readonly stopMs = STOP_MS;
  readonly #options: HostQueueOptions;
  readonly #report = new CurrentReport({ name: "commands", state: "off", detail: "not started", needsEdge: true });
  #worker: Worker | undefined;
  #running = false;
  #removeListener: (() => void) | undefined;

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
    this.#removeListener = this.#options.commands.onAdded(() => this.#open());
    if (this.#options.commands.types.length === 0) this.#change("off", "no feature of this host takes commands");
    this.#open();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#removeListener?.();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.stop();
    this.#change("off", "stopped");
  }

  #open(): void {
    const { url, token, ecosystem, hostId, commands } = this.#options;
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
      {
        url,
        token,
        ecosystem,
        worker: hostId,
        concurrency: CONCURRENCY,
        onConnection: (error) => this.#connectionChanged(error),
      },
    );
  }

  #connectionChanged(error: unknown): void {
    if (error === null) return this.#change("live", `takes commands from the queue ${HOSTS_QUEUE}`);
    if (error instanceof ApiProblem && error.problem.status === 403) {
      // Not a failure: the token was created without this right.
      return this.#change("off", `${NOT_COMMANDED[error.problem.type] ?? LACKS_SCOPE} to command this host`);
    }
    this.#change("failing", error instanceof Error ? error.message : String(error));
  }

  #change(state: Report["state"], detail: string): void {
    const changed = this.#report.set(state, detail);
    if (changed && state === "off" && this.#running) this.#options.log.info(`commands: off, ${detail}`);
  }
}
