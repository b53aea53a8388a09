import type { LeasedTask } from "../../core/queue/api.ts";
import type { QueueFrame } from "../../core/queue/work-frames.ts";
import { ApiProblem } from "../http/problem-errors.ts";
import { request } from "../http/request.ts";
import { mayPass } from "../http/retry.ts";
import type { WorkChannel, WorkChannelOptions } from "./work-channel.ts";

/** A request waits for tasks for so long; also how long a stop may have to wait for it. */
const WAIT_MS = 10_000;

interface Ready {
  readonly recipient: string;
  readonly credit: number;
  readonly lease_ms: number;
}
type Held = { readonly task_id: string; readonly lease_id: string };
const ACTIONS = new Set(["complete", "fail", "extend", "release"]);

/**
 * A queue's channel over plain HTTP, for where a proxy refuses WebSockets: the same frames, each of them a request, and
 * one request that waits for tasks. It takes one recipient.
 *
 * @throws ApiProblem for a refusal, EdgeUnreachable where nobody answers
 */
export async function openHttpWorkChannel(options: WorkChannelOptions): Promise<WorkChannel> {
  const base = `/v1/${encodeURIComponent(options.ecosystem)}/queues/${encodeURIComponent(options.queue)}`;
  const connection = {
    url: options.url,
    token: options.token,
    fetch: (...args: Parameters<typeof fetch>) => fetch(...args),
  };
  const post = <Answer>(path: string, body: object) =>
    request<Answer>(connection, { method: "POST", path: `${base}${path}`, body });
  const held = new Set<string>();
  let ready: Ready | undefined;
  let leasing: Promise<void> | undefined;
  let closed = false;

  const lost = (): void => {
    if (closed) return;
    closed = true;
    options.onClose();
  };
  const hear = (frame: QueueFrame): void => {
    if (!closed) options.onFrame(frame);
  };

  /** Asks for as many as there is room for, and again: one request at a time. */
  function lease(): void {
    leasing ??= takeTasks().finally(() => {
      leasing = undefined;
      if (hasRoom()) lease();
    });
  }
  const hasRoom = () => !closed && ready !== undefined && ready.credit > held.size;

  async function takeTasks(): Promise<void> {
    if (!hasRoom() || ready === undefined) return;
    const { recipient, credit, lease_ms } = ready;
    const body = { recipient, max: credit - held.size, lease_ms, wait_ms: WAIT_MS };
    try {
      const asked = options.worker === undefined ? body : { ...body, worker: options.worker };
      const { tasks } = await post<{ tasks: LeasedTask[] }>("/lease", asked);
      for (const { lease_id } of tasks) held.add(lease_id);
      if (tasks.length > 0) hear({ type: "tasks", tasks });
    } catch {
      lost();
    }
  }

  async function settle(type: string, { task_id, lease_id, ...more }: Held): Promise<void> {
    const names = { task_id, lease_id };
    try {
      const path = `/tasks/${encodeURIComponent(task_id)}/${type}`;
      const done = await post<{ status: string; lease_expires_at?: string }>(path, { lease_id, ...more });
      if (type !== "extend") held.delete(lease_id);
      hear({ type: "done", tasks: [{ ...names, ...done }] });
    } catch (error) {
      if (!(error instanceof ApiProblem) || mayPass(error)) return lost(); // told again on the next connection
      held.delete(lease_id);
      const reason = error.problem.status === 404 ? "unknown" : "lost";
      hear({ type: "conflict", tasks: [{ ...names, reason }] });
    }
    if (hasRoom()) lease();
  }

  // Whether the queue is there and lets this token work is to be known before the channel counts as open.
  await post("/tasks/nothing/release", { lease_id: "0" }).catch((error: unknown) => {
    if (!(error instanceof ApiProblem && error.problem.status === 404)) throw error;
  });
  return {
    send(frame) {
      const { type, tasks = [] } = frame as { type: string; tasks?: readonly Held[] };
      if (type === "ready") {
        ready = frame as unknown as Ready;
        if (hasRoom()) lease();
      } else if (ACTIONS.has(type)) {
        for (const task of tasks) void settle(type, task);
      }
    },
    drained: async () => {
      ready = undefined;
      await leasing;
    },
    close: () => {
      closed = true;
    },
  };
}
