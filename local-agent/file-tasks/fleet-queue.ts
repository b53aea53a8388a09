import * as z from "zod";
import { createClient } from "../../src/client/client.ts";
import { ApiProblem } from "../../src/client/http/problem-errors.ts";
import type { FailedAttempt } from "../../src/core/file-tasks/attempts.ts";
import type { Claim } from "../../src/core/file-tasks/claim.ts";
import { causeOf, type FileTask } from "../../src/core/file-tasks/file-task.ts";
import type { TaskView } from "../../src/core/queue/api.ts";
import type { WorkerSettings } from "./settings.ts";

/** The edge's queue of dropped tasks that any host may run; the recipient is the worker's name. */
export const FLEET_QUEUE = "workers";

export interface FleetQueueOptions {
  readonly url: string;
  readonly token: () => string;
  readonly ecosystem: string;
}

/** Payload of a dropped task in the edge's queue. */
export interface FleetPayload {
  readonly task: FileTask;
  readonly claim: Pick<Claim, "taskId" | "nonce">;
}

/** Result of a task, from the host that ran it. */
export const FleetResult = z.object({
  host: z.string(),
  started_at: z.string(),
  duration_ms: z.number(),
  result: z.unknown(),
});
export type FleetResult = z.infer<typeof FleetResult>;

export type FleetEnding =
  | (FleetResult & { readonly status: "complete"; readonly finished_at: string; readonly attempts: number })
  | { readonly status: "failed"; readonly history: readonly FailedAttempt[] };

/** Submits dropped tasks to the edge, whose leases make a claim exclusive across hosts. */
export class FleetQueue {
  readonly #options: FleetQueueOptions;
  #prepared = false;

  constructor(options: FleetQueueOptions) {
    this.#options = options;
  }

  /**
   * Makes the queue emit signals when tasks end. With a token that may not configure queues, the worker finds out by
   * asking every five minutes.
   */
  async #prepare(): Promise<void> {
    if (this.#prepared) return;
    try {
      await this.#queues.configure(FLEET_QUEUE, { signal_complete: true, signal_failed: true });
    } catch (error) {
      if (!(error instanceof ApiProblem && error.problem.status === 403)) throw error;
    }
    this.#prepared = true;
  }

  /** Submitting the same claim twice makes one task. @returns the task's id in the queue */
  async submit(claim: Claim, task: FileTask, settings: WorkerSettings): Promise<string> {
    await this.#prepare();
    const task_id = fleetTaskId(settings.name, claim);
    const payload: FleetPayload = { task, claim: { taskId: claim.taskId, nonce: claim.nonce } };
    await this.#queues.put(FLEET_QUEUE, [
      {
        task_id,
        recipient: settings.name,
        type: "file-drop",
        payload,
        sender: claim.owner.host,
        max_attempts: settings.attempts,
        timeout_ms: settings.timeout_seconds * 1_000 + MARGIN_MS,
        ...causeOf(task),
      },
    ]);
    return task_id;
  }

  /** @returns `undefined`: the task has not ended */
  async ending(worker: string, claim: Claim): Promise<FleetEnding | undefined> {
    return endingOf(await this.#queues.task(FLEET_QUEUE, fleetTaskId(worker, claim)));
  }

  get #queues() {
    const { url, token, ecosystem } = this.#options;
    return createClient({ url, token: token(), ecosystem }).queues;
  }
}

/** Statuses by which the edge refuses a task itself: the same task would be refused each time. */
const REFUSED_FOR_GOOD = [400, 413, 414, 415, 422, 431];

/** Whether the edge will refuse the same task each time. A token, a queue or a limit may change: those refusals may pass. */
export function isRefusedForGood(error: unknown): boolean {
  return error instanceof ApiProblem && REFUSED_FOR_GOOD.includes(error.problem.status);
}

/** Added to the command's own time limit, which ends first and gives the better error. */
const MARGIN_MS = 30_000;

function fleetTaskId(worker: string, { taskId, nonce }: Claim): string {
  return `${worker}~${taskId}~${nonce}`;
}

function endingOf({
  status,
  result,
  attempt,
  history,
  error,
  created_at,
  finished_at,
}: TaskView): FleetEnding | undefined {
  if (status !== "complete" && status !== "failed") return undefined;
  const at = finished_at ?? created_at;
  if (status === "complete") {
    const read = FleetResult.safeParse(result);
    if (read.success) return { ...read.data, status, finished_at: at, attempts: attempt };
    // Somebody else has completed the task, by hand or by another program.
    const error = "the task was completed with a result that is not one of a file worker";
    return { status: "failed", history: [{ attempt, started_at: created_at, ended_at: at, host: "", error }] };
  }
  const failed = history
    .filter((entry) => entry.error !== undefined)
    .map((entry, place) => ({
      attempt: place + 1,
      started_at: entry.at,
      ended_at: entry.at,
      host: entry.worker ?? "",
      error: entry.error ?? "",
    }));
  const none = { attempt, started_at: created_at, ended_at: at, host: "", error: error ?? "the task failed" };
  return { status, history: failed.length > 0 ? failed : [none] };
}
