import { readdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { TaskRefused, TaskReleased, type Worker, work } from "../../src/client/work/worker.ts";
import {
  type FileTask,
  FileTaskId,
  type FileTaskLayout,
  ownTimeout,
  readFileTask,
} from "../../src/core/file-tasks/file-task.ts";
import type { LeasedTask } from "../../src/core/queue/api.ts";
import { LIMITS } from "../../src/core/signals/limits.ts";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import type { Logger } from "../base/log.ts";
import { endLeftovers } from "../base/process/leftovers.ts";
import { FLEET_QUEUE, type FleetQueueOptions, type FleetResult } from "./fleet-queue.ts";
import { Outcomes } from "./outcomes.ts";
import type { WorkerSettings } from "./settings.ts";
import { failureOf, outputOf, runTask } from "./task-command.ts";
import { type TaskPlace, taskDirectories } from "./task-directories.ts";
import type { TaskSignals } from "./task-signals.ts";

export interface FleetRunnerOptions extends FleetQueueOptions {
  readonly settings: WorkerSettings;
  /** Its root is the default working directory of the command. */
  readonly place: TaskPlace;
  readonly layout: FileTaskLayout;
  /** Directory for a file for each attempt under way. */
  readonly runs: string;
  readonly host: string;
  readonly signals: TaskSignals;
  readonly now: () => number;
  readonly log: Logger;
}

const FleetPayload = z.object({
  task: z.unknown(),
  claim: z.object({ taskId: FileTaskId, nonce: z.string().regex(/^[0-9a-f]{12}$/) }),
});

/** How long a task waits after its host was killed. A lease is renewed after a third of this time. */
const LEASE_MS = 15_000;
/** The edge takes results of 64 KiB; the rest of a result is the host and two times. */
const MAX_RESULT_BYTES = LIMITS.signalBytes - 1_024;
const RUN = /^(worker\.[0-9a-f]{12}\.\d+)\.fleet$/;

/** Runs dropped tasks of any host that the edge's queue gives out: its leases make each claim exclusive. */
export class FleetRunner {
  readonly #options: FleetRunnerOptions;
  #stopping = new AbortController();
  readonly #outcomes: Outcomes;
  #settings: WorkerSettings;
  #worker: Worker | undefined;
  /** Resolves when a worker with the old concurrency has finished its tasks, and a new one takes over. */
  #replacing: Promise<void> = Promise.resolve();

  constructor(options: FleetRunnerOptions) {
    const { settings, place, host } = options;
    this.#options = options;
    this.#settings = settings;
    this.#outcomes = new Outcomes({ tree: taskDirectories(place, settings.name), worker: settings.name, host });
  }

  get running(): number {
    return this.#worker?.running ?? 0;
  }

  async start(): Promise<void> {
    if (this.#worker !== undefined) return;
    const { runs } = this.#options;
    // Attempts of a killed agent: their leases have expired, or soon will, and another host repeats them.
    const left = (await readdir(runs)).flatMap((name) => RUN.exec(name)?.[1] ?? []);
    await endLeftovers(left.map((run) => ({ run, leader: undefined })));
    for (const run of left)
      for (const name of [`${run}.fleet`, `${run}.fleet.output`]) await unlink(join(runs, name)).catch(ignoreMissing);
    this.#stopping = new AbortController();
    this.#open();
  }

  /** Attempts under way finish by the old settings. If the concurrency changed, no task is taken until then. */
  configure(settings: WorkerSettings): void {
    const same = settings.concurrency === this.#settings.concurrency;
    this.#settings = settings;
    const old = this.#worker;
    if (old === undefined || same) return;
    this.#replacing = old.stop().then(() => {
      if (this.#worker === old && !this.#stopping.signal.aborted) this.#open();
    });
  }

  /** Aborts the attempts under way and releases their tasks: another host may take them at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#worker?.stop();
    await this.#replacing;
    this.#worker = undefined;
  }

  #open(): void {
    const { host, url, token, ecosystem, log } = this.#options;
    const { name, concurrency } = this.#settings;
    this.#worker = work(FLEET_QUEUE, name, (task, { signal }) => this.#run(task, signal), {
      url,
      token,
      ecosystem,
      concurrency,
      leaseMs: LEASE_MS,
      worker: `${host}.${name}`,
      onRemark: (text) => log.warn(`worker ${name}: ${text}`),
    });
  }

  async #run({ payload, attempt }: LeasedTask, lost: AbortSignal): Promise<FleetResult> {
    const { place, layout, runs, host, signals, now } = this.#options;
    const { root } = place;
    const settings = this.#settings;
    const timeoutOf = (task: FileTask) =>
      (layout === "classic" ? ownTimeout(task) : undefined) ?? settings.timeout_seconds;
    const given = FleetPayload.safeParse(payload);
    if (!given.success) throw new TaskRefused(`The payload is not a dropped task: ${z.prettifyError(given.error)}`);
    const { claim } = given.data;
    const read = readFileTask(given.data.task, settings.name, claim.taskId, layout);
    if (!read.ok) throw new TaskRefused(read.reason);
    const run = `worker.${claim.nonce}.${attempt}`;
    const note = join(runs, `${run}.fleet`);
    await writeFile(note, "");
    await signals.started({ claim, task: read.task }, attempt, timeoutOf(read.task));
    const started_at = new Date(now()).toISOString();
    const abort = AbortSignal.any([lost, this.#stopping.signal]);
    const timeoutSeconds = timeoutOf(read.task);
    const output = `${note}.output`;
    const done = await runTask({ settings, root, task: read.task, attempt, run, output, abort, timeoutSeconds });
    await unlink(note);
    const failure = failureOf(done);
    if (failure !== undefined) done.wholeOutput?.discard();
    if (done.ending.kind === "aborted") throw new TaskReleased("this host is stopping");
    if (failure !== undefined) throw new Error(failure);
    const printed = outputOf(done, MAX_RESULT_BYTES);
    const result = printed.kind === "value" ? printed.value : await this.#outcomes.keepOutput(claim, printed);
    return { host, started_at, duration_ms: done.durationMs, result };
  }
}
