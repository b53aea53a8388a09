import type { PlacementVariables } from "../../core/deployment/placement.ts";
import type { Entry } from "../../core/queue/entry.ts";
import { HostLoads, type HostSample } from "../../core/queue/host-loads.ts";
import { isOfHost } from "../../core/queue/needs.ts";
import type { UnplacedTasks } from "../../core/queue/queue-trouble.ts";
import { ANYONE } from "../../core/queue/task.ts";
import type { TaskQueue } from "../../core/queue/task-queue.ts";
import type { Waiters } from "../../core/queue/waiters.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import { logLine } from "../shell/log-line.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";

/** Binding to the observations, which hold what hosts last said of themselves. */
export interface HostSampleBindings extends PlacementVariables {
  readonly OBSERVATION_CACHE: Namespace<{ hostSamples(hosts: readonly string[]): Promise<HostSample[]> }>;
}

/** What is known of hosts is used for so long before it is asked for again. */
const KNOWN_MS = 3_000;
/** Between two looks while tasks wait for a host, in milliseconds. */
const LOOK_MS = 10_000;
/** After a look without an answer. */
const RETRY_MS = 2_000;
/** Hosts that are asked about at a time. */
const MAX_HOSTS = 1_000;

/** Lines of tasks that the status of a queue names. */
const MAX_LINES = 20;

interface HostSamplesOptions {
  readonly env: HostSampleBindings;
  readonly ecosystem: string;
  readonly queue: () => TaskQueue;
  readonly waiters: () => Waiters;
  /** Hands out by what is known now. */
  readonly handOut: () => void;
  readonly wakeBy: (atMs: number) => void;
  readonly keepAlive: (work: Promise<void>) => void;
}

/**
 * Asks what hosts last said of themselves, while tasks wait that need something of a host and a worker says its host: nothing
 * is asked otherwise, and a queue without such tasks costs what it always did.
 */
export class HostSamples {
  /** Which hosts have room for what. */
  readonly loads: HostLoads;
  readonly #options: HostSamplesOptions;
  #askedMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(options: HostSamplesOptions) {
    this.#options = options;
    this.loads = new HostLoads((taskId, leaseId) => options.queue().find(taskId)?.lease?.id === leaseId);
  }

  /** Why no worker is given a task that needs something of a host; `undefined`: it has one, or needs nothing of a host. */
  unplaced({ state, needs, recipient }: Entry): string | undefined {
    if (state !== "ready" || needs?.some(isOfHost) !== true) return undefined;
    this.loads.nowMs = Date.now();
    return this.loads.reason(needs, this.#options.waiters().hostsFor(recipient, needs));
  }

  /** Tasks that wait for a host, by their needs, the longest first. */
  waiting(): UnplacedTasks[] {
    const lines = [...this.#options.queue().ready.linesOfHosts()];
    return lines
      .sort((a, b) => a.task.readyMs - b.task.readyMs)
      .slice(0, MAX_LINES)
      .map(({ task, ready }) => ({
        recipient: task.recipient,
        task_id: task.taskId,
        tasks: ready,
        since: formatTimestamp(task.readyMs),
        why: this.unplaced(task) ?? "",
      }));
  }

  /** After a commit. What is young enough was used by it already. */
  committed(nowMs: number): void {
    const { queue, wakeBy, keepAlive } = this.#options;
    if (!queue().ready.placing || this.#hosts.length === 0) return;
    // A clock that was set back makes nothing young for ever.
    if (nowMs >= this.#askedMs && nowMs - this.#askedMs < KNOWN_MS) return wakeBy(nowMs + LOOK_MS);
    keepAlive(this.#ask(nowMs));
  }

  /** Before a worker of the host asks for tasks. @returns `undefined`: nothing needs to be known, or it is known */
  know(host: string): Promise<void> | undefined {
    const nowMs = Date.now();
    const young = nowMs >= this.#askedMs && nowMs - this.#askedMs < KNOWN_MS;
    if (!this.#options.queue().ready.placing || (young && this.loads.knows(host))) return undefined;
    // What is being asked may be about other hosts.
    return (this.#asking ?? Promise.resolve()).then(() => this.#ask(nowMs, host));
  }

  /** Hosts of the workers that are connected. */
  get #hosts(): readonly string[] {
    return this.#options.waiters().hostsFor(ANYONE);
  }

  #ask(nowMs: number, host?: string): Promise<void> {
    this.#asking ??= this.#look(nowMs, host).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Never rejects. */
  async #look(nowMs: number, host: string | undefined): Promise<void> {
    const { env, ecosystem, handOut, wakeBy } = this.#options;
    const asked = [...new Set([...(host === undefined ? [] : [host]), ...this.#hosts])].slice(0, MAX_HOSTS);
    try {
      this.loads.update(await objectNamed(env.OBSERVATION_CACHE, ecosystem, env).hostSamples(asked));
      this.#askedMs = nowMs;
      handOut();
    } catch (error) {
      // Nothing is given by what is not known; the alarm asks again.
      logLine("warn", "hosts-not-known", { ecosystem, object: "queue", error });
      wakeBy(nowMs + RETRY_MS);
    }
  }
}
