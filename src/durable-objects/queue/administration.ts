import type { QueueOverloaded } from "../../core/queue/api.ts";
import type { BulkAction, BulkProgress, BulkTasksAnswer, TaskFilter } from "../../core/queue/bulk.ts";
import { pauseFrame, type QueuePause } from "../../core/queue/pause.ts";
import type { Recipients } from "../../core/queue/queries.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { AlarmClock } from "../shell/alarm-clock.ts";
import { logLine } from "../shell/log-line.ts";
import { readableOr } from "../shell/readable-rows.ts";
import { BulkJob, type BulkStep, bulkStep, selectionOf } from "./bulk-step.ts";
import { findFinished } from "./finished-search.ts";
import { submitted } from "./operation.ts";
import type { QueueCommits } from "./queue-commits.ts";
import { bulkSignal, pauseSignal } from "./queue-signals.ts";
import type { WorkSockets } from "./work-sockets.ts";

/** A caller of a bulk action waits for its end for so long; the action goes on without a caller. */
const WAIT_MS = 20_000;
const RETRY_MS = 1_000;
const COUNTED_FINISHED = 1_000;

export interface BulkOrder {
  readonly action: BulkAction;
  readonly filter: TaskFilter;
  readonly dryRun: boolean;
  /** Name of the token. */
  readonly by: string;
  /** Recipients whose tasks the token may change; absent: all. */
  readonly recipients: Recipients;
}

interface AdministrationOptions {
  /** Name of the queue's object: `<ecosystem>/<queue>`. */
  readonly name: string;
  readonly sql: SqlStorage;
  readonly commits: QueueCommits;
  readonly sockets: () => WorkSockets;
  readonly alarms: AlarmClock;
  readonly ctx: Pick<DurableObjectState, "waitUntil">;
}

/**
 * What people do to a queue as a whole: pause it, and act on all tasks of a filter. Such an action is stored, and done in
 * steps, a transaction each with its place, so that it goes on after a crash and leaves one signal, in that of its last step.
 */
export class Administration {
  readonly #options: AdministrationOptions;
  /** The steps of the action that runs. */
  #running: Promise<BulkProgress | undefined> | undefined;

  constructor(options: AdministrationOptions) {
    this.#options = options;
    if (this.#job() !== undefined) options.alarms.wakeBy(Date.now());
  }

  /** @param reason - `undefined`: the queue gives out tasks again */
  async setPaused(by: string, reason: string | null | undefined): Promise<QueuePause | null | QueueOverloaded> {
    const { name, commits, sockets } = this.#options;
    return submitted<QueuePause | null>(commits, (_, nowMs) => {
      const { runtime, store } = commits;
      const pause = reason === undefined ? undefined : (runtime.pause ?? { since: formatTimestamp(nowMs), by, reason });
      if ((pause === undefined) === (runtime.pause === undefined)) return { result: runtime.pause ?? null };
      runtime.emit(pauseSignal(name, runtime.pause, pause, by, nowMs));
      runtime.pause = pause;
      if (pause === undefined) store.notes.delete("paused");
      else store.notes.write("paused", JSON.stringify(pause));
      return { result: pause ?? null, written: () => sockets().sendToReady(pauseFrame(pause)) };
    });
  }

  /** @returns the action that runs already, where it is another one */
  async bulk(order: BulkOrder): Promise<BulkTasksAnswer | { readonly busy: BulkProgress } | QueueOverloaded> {
    const { commits } = this.#options;
    const startedMs = Date.now();
    const { action, filter, by, recipients, dryRun } = order;
    const terms = { action, filter, startedMs, untilSeq: commits.queue.nextSeq };
    const bound = recipients === undefined ? {} : { recipients: [...recipients] };
    const matched = await this.#count({ ...terms, ...bound });
    if (dryRun) return { dry_run: true, matched, done: 0, running: false };
    const job: BulkJob = { ...terms, ...bound, id: crypto.randomUUID(), by, done: 0, afterSeq: 0, afterPlace: null };
    const running = this.#job();
    if (running !== undefined) return { busy: progressOf(running, true) };
    const begun = await submitted(commits, () => {
      const other = this.#job();
      if (other === undefined) commits.store.notes.write("bulk", JSON.stringify(job));
      return { result: other };
    });
    if (begun !== undefined && "overloaded" in begun) return begun;
    if (begun !== undefined) return { busy: progressOf(begun, true) };
    const waited = scheduler.wait(WAIT_MS).then(() => progressOf(this.#job() ?? job, true));
    const ended = (await Promise.race([this.#run(), waited])) ?? progressOf(job, false);
    const { done, running: goesOn, stopped } = ended;
    return { dry_run: false, matched, done, running: goesOn, ...(stopped === undefined ? {} : { stopped }) };
  }

  /** The bulk action that runs; `null`: none does. */
  get progress(): BulkProgress | null {
    const job = this.#job();
    return job === undefined ? null : progressOf(job, true);
  }

  /** Goes on with an action that a crash, or a store that could not write, has interrupted. */
  goOn(): void {
    if (this.#job() !== undefined) this.#options.ctx.waitUntil(this.#run());
  }

  #run(): Promise<BulkProgress | undefined> {
    this.#running ??= this.#steps().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #steps(): Promise<BulkProgress | undefined> {
    const { commits, sql, sockets, alarms } = this.#options;
    // Whatever becomes of this object, an alarm goes on with what is stored.
    alarms.wakeBy(Date.now() + RETRY_MS);
    for (;;) {
      const before = this.#job();
      if (before === undefined) return undefined;
      const step = await submitted<BulkStep>(commits, (queue, nowMs) => {
        const made = bulkStep(before, queue, commits.store, sql, nowMs);
        if (made.over === false) commits.store.notes.write("bulk", JSON.stringify(made.job));
        else this.#end(made, nowMs);
        return {
          result: made,
          written: () => {
            for (const [taskId, lease] of made.cancelled) sockets().notifyCancelled(taskId, lease);
          },
        };
      });
      if ("overloaded" in step) {
        logLine("warn", "bulk-action-waits", { object: "queue", name: this.#options.name, action: before.action });
        alarms.wakeBy(Date.now() + RETRY_MS);
        return progressOf(before, true);
      }
      if (step.over !== false) return progressOf(step.job, false, step.over);
      // Requests that came meanwhile have their turn.
      await scheduler.wait(0);
    }
  }

  /** The last step: one signal for all of them. */
  #end({ job, over }: BulkStep, nowMs: number): void {
    const { commits, name } = this.#options;
    commits.store.notes.delete("bulk");
    commits.runtime.emit(bulkSignal(name, job, over === true ? undefined : String(over), nowMs));
  }

  async #count(terms: Parameters<typeof selectionOf>[0]): Promise<number> {
    const { commits, sql } = this.#options;
    const selection = selectionOf(terms);
    let matched = 0;
    if (selection.standings.length > 0) {
      for (let after: number | null = 0; after !== null; ) {
        const part = commits.store.count(selection, after);
        matched += part.matched;
        after = part.next;
        await scheduler.wait(0);
      }
      return matched;
    }
    let place: ReturnType<typeof findFinished>["next"] | undefined;
    do {
      const query = { ...selection, limit: COUNTED_FINISHED, payloads: false, after: place ?? undefined };
      const { rows, next } = findFinished(sql, query);
      matched += rows.length;
      place = next;
      await scheduler.wait(0);
    } while (place !== null);
    return matched;
  }

  #job(): BulkJob | undefined {
    const text = this.#options.commits.store.notes.read("bulk");
    return readableOr("bulk action of a queue", text, (job) => BulkJob.parse(JSON.parse(job)), undefined);
  }
}

function progressOf(
  { id, action, by, startedMs, done }: BulkJob,
  running: boolean,
  over?: boolean | string,
): BulkProgress {
  const stopped = typeof over === "string" ? { stopped: over } : {};
  return { id, action, by, started_at: formatTimestamp(startedMs), done, running, ...stopped };
}
