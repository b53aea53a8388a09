import type * as z from "zod";
import { LeasedTasks, TaskState } from "../../core/queue/api.ts";
import type { OutgoingWorkerFrame } from "../../core/queue/work-frames.ts";
import type { Connection } from "../http/exchange.ts";
import { ApiProblem } from "../http/problem-errors.ts";
import { request } from "../http/request.ts";
import { isTransient } from "../http/retry.ts";
import type { WorkChannel, WorkChannelOptions } from "./work-channel.ts";

/** Time that a request waits for tasks. A stop may have to wait for as long. */
const WAIT_MS = 10_000;

type ReadyFrame = Extract<OutgoingWorkerFrame, { type: "ready" }>;
type ActionFrame = Extract<OutgoingWorkerFrame, { type: "complete" | "fail" | "extend" | "release" }>;

/**
 * A queue's channel over plain HTTP, for networks whose proxy refuses WebSockets. Takes the same frames: each is sent as
 * requests, and one request at a time waits for tasks. Works for one recipient.
 *
 * @throws ApiProblem for a refusal, EdgeUnreachable where no edge answers
 */
export async function openHttpWorkChannel(options: WorkChannelOptions): Promise<WorkChannel> {
  const channel = new HttpWorkChannel(options);
  await channel.probe();
  return channel;
}

class HttpWorkChannel implements WorkChannel {
  readonly #options: WorkChannelOptions;
  readonly #connection: Connection;
  readonly #base: string;
  /** Ids of the leases that this end holds. */
  readonly #held = new Set<string>();
  #ready: ReadyFrame | undefined;
  #leasing: Promise<void> | undefined;
  #closed = false;

  constructor(options: WorkChannelOptions) {
    this.#options = options;
    this.#connection = { url: options.url, token: options.token, fetch: (...args) => fetch(...args) };
    this.#base = `/v1/${encodeURIComponent(options.ecosystem)}/queues/${encodeURIComponent(options.queue)}`;
  }

  /** Finds out whether the queue answers and accepts the token, without any effect. */
  async probe(): Promise<void> {
    await this.#post(TaskState, "/tasks/nothing/release", { lease_id: "0" }).catch((error: unknown) => {
      if (!(error instanceof ApiProblem && error.problem.status === 404)) throw error;
    });
  }

  send(frame: OutgoingWorkerFrame): void {
    switch (frame.type) {
      case "ready":
        this.#ready = frame;
        this.#leaseIfRoom();
        return;
      case "complete":
      case "fail":
      case "extend":
      case "release":
        for (const task of frame.tasks) void this.#act(frame.type, task);
        return;
    }
  }

  async drained(): Promise<void> {
    this.#ready = undefined;
    await this.#leasing;
  }

  close(): void {
    this.#closed = true;
  }

  /** Free places, at most as many as the last `ready` frame gave credit. */
  get #room(): number {
    return this.#closed || this.#ready === undefined ? 0 : this.#ready.credit - this.#held.size;
  }

  /** Waits for tasks while there is room, with one request at a time. */
  #leaseIfRoom(): void {
    if (this.#room <= 0) return;
    this.#leasing ??= this.#lease().finally(() => {
      this.#leasing = undefined;
      this.#leaseIfRoom();
    });
  }

  async #lease(): Promise<void> {
    if (this.#ready === undefined) return;
    const { recipient, lease_ms, skills, host, labels } = this.#ready;
    const { worker } = this.#options;
    try {
      const { tasks } = await this.#post(LeasedTasks, "/lease", {
        recipient,
        max: this.#room,
        lease_ms,
        wait_ms: WAIT_MS,
        worker,
        skills,
        host,
        labels,
      });
      for (const { lease_id } of tasks) this.#held.add(lease_id);
      if (tasks.length > 0 && !this.#closed) this.#options.onFrame({ type: "tasks", tasks });
    } catch (error) {
      this.#lost(error instanceof ApiProblem && !isTransient(error) ? error : undefined);
    }
  }

  async #act(action: ActionFrame["type"], task: ActionFrame["tasks"][number]): Promise<void> {
    const { task_id, lease_id, ...fields } = task;
    try {
      const path = `/tasks/${encodeURIComponent(task_id)}/${action}`;
      const state = await this.#post(TaskState, path, { lease_id, ...fields });
      if (action !== "extend") this.#held.delete(lease_id);
      if (!this.#closed) this.#options.onFrame({ type: "done", tasks: [{ ...state, task_id, lease_id }] });
    } catch (error) {
      // The frame is sent again over the next connection.
      if (!(error instanceof ApiProblem) || isTransient(error)) return this.#lost();
      const { status } = error.problem;
      // A result that the queue refuses is followed by the failure of its task.
      if (status === 404 || status === 409 || action === "fail" || action === "release") this.#held.delete(lease_id);
      if (this.#closed) return;
      const tasks = [{ task_id, lease_id }];
      if (status === 409) this.#options.onFrame({ type: "conflict", tasks: [{ task_id, lease_id, reason: "lost" }] });
      else if (status === 404)
        this.#options.onFrame({ type: "conflict", tasks: [{ task_id, lease_id, reason: "unknown" }] });
      else this.#options.onFrame({ type: "refused", batch: null, frame: action, tasks, problem: error.problem });
    }
    this.#leaseIfRoom();
  }

  #lost(refusal?: ApiProblem): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.onClose(refusal);
  }

  #post<Schema extends z.ZodType>(answer: Schema, path: string, body: object): Promise<z.output<Schema>> {
    return request(this.#connection, answer, { method: "POST", path: `${this.#base}${path}`, body });
  }
}
