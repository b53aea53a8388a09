import { createClient } from "../../src/client/client.ts";
import { ApiProblem } from "../../src/client/http/problem-errors.ts";
import type { FailedAttempt } from "../../src/core/file-tasks/attempts.ts";
import type { Claim } from "../../src/core/file-tasks/claim.ts";
import { causeOf, type FileTask } from "../../src/core/file-tasks/file-task.ts";
import type { TaskView } from "../../src/core/queue/api.ts";
import type { WorkerSettings } from "./settings.ts";

/** The edge's queue of dropped tasks that any host may do; the recipient is the worker. */
export const FLEET_QUEUE = "workers";

export interface FleetQueueOptions {
  readonly url: string;
  readonly token: () => string;
  readonly ecosystem: string;
}

/** A dropped task as it stands in the edge's queue. */
export interface FleetPayload {
  readonly task: FileTask;
  readonly claim: Pick<Claim, "taskId" | "nonce">;
}

/** What the host that did a task answers with. */
export interface FleetResult {
  readonly host: string;
  readonly started_at: string;
  readonly duration_ms: number;
  readonly result: unknown;
}

export type FleetEnding =
  | (FleetResult & { readonly status: "complete"; readonly finished_at: string; readonly attempts: number })
  | { readonly status: "failed"; readonly history: readonly FailedAttempt[] };

/** Hands dropped tasks to the edge, whose leases make a claim exclusive across hosts (R49). */
export class FleetQueue {
  readonly #options: FleetQueueOptions;
  #prepared = false;

  constructor(options: FleetQueueOptions) {
    this.#options = options;
  }

  /**
   * Has the queue tell of what is over. A token that may not set that leaves it as it is: then the ends are asked for
   * every five minutes.
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

  /** The same claim again is the same task. @returns its id in the queue */
  async submit(claim: Claim, task: FileTask, settings: WorkerSettings): Promise<string> {
    await this.#prepare();
    const task_id = fleetTaskId(settings.name, claim);
    const payload: FleetPayload = { task, claim: { taskId: claim.taskId, nonce: claim.nonce } };
    await this.#queues.put(FLEET_QUEUE, [
      {
        ...{ task_id, recipient: settings.name, type: "file-drop", payload, sender: claim.owner.host },
        ...{ max_attempts: settings.attempts, timeout_ms: settings.timeout_seconds * 1_000 + MARGIN_MS },
        ...causeOf(task),
      },
    ]);
    return task_id;
  }

  /** @returns `undefined`: it is not over */
  async ending(worker: string, claim: Claim): Promise<FleetEnding | undefined> {
    return endingOf(await this.#queues.task(FLEET_QUEUE, fleetTaskId(worker, claim)));
  }

  get #queues() {
    const { url, token, ecosystem } = this.#options;
    return createClient({ url, token: token(), ecosystem }).queues;
  }
}

/** The command's own time limit comes first, and says more. */
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
  if (status === "complete") return { ...(result as FleetResult), status, finished_at: at, attempts: attempt };
  const failed = history
    .filter((entry) => entry.error !== undefined)
    .map((entry, place) => ({
      ...{ attempt: place + 1, started_at: entry.at, ended_at: entry.at },
      ...{ host: entry.worker ?? "", error: entry.error ?? "" },
    }));
  const none = { attempt, started_at: created_at, ended_at: at, host: "", error: error ?? "it failed" };
  return { status, history: failed.length > 0 ? failed : [none] };
}
