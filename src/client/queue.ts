import type { Bottlenecks, QueueEvent, QueueStatus, TaskReceipt } from "../core/queue/api.ts";
import type { QueueSettings, QueueSettingsChange } from "../core/queue/queue-settings.ts";
import type { TaskStatus } from "../core/queue/task.ts";
import { EdgeUnreachable } from "./http/problem-errors.ts";
import type { Call } from "./http/request.ts";
import { uuid7 } from "./http/uuid7.ts";
import { type FollowEventsOptions, followEvents } from "./stream/queue-events.ts";
import type { ServerSentEvents } from "./stream/server-sent-events.ts";

/** A task to be queued; see core/tasks/task-input.ts. Times are durations in milliseconds. */
export interface TaskRequest {
  readonly recipient: string;
  readonly type: string;
  readonly payload: unknown;
  readonly sender?: string | undefined;
  readonly priority?: number | undefined;
  readonly task_id?: string | undefined;
  readonly delay_ms?: number | undefined;
  readonly max_attempts?: number | undefined;
  readonly timeout_ms?: number | undefined;
  readonly deadline_ms?: number | undefined;
  /** Id of the signal that led to it, with what that signal says about its own chain. */
  readonly cause?: string | undefined;
  readonly trace?: string | undefined;
  readonly depth?: number | undefined;
}

export interface TaskView {
  readonly task_id: string;
  readonly recipient: string;
  readonly type: string;
  readonly sender: string | null;
  readonly priority: number;
  readonly status: TaskStatus;
  readonly outcome?: string;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly created_at: string;
  readonly finished_at?: string;
  readonly ready_at?: string;
  readonly worker?: string;
  readonly error?: string;
  readonly waited_ms: number;
  readonly ran_ms: number;
  readonly cause?: string;
  readonly trace?: string;
  readonly depth?: number;
  readonly history: readonly {
    readonly at: string;
    readonly event: string;
    readonly worker?: string;
    readonly error?: string;
  }[];
  readonly payload: unknown;
  readonly result?: unknown;
}

export interface CallOptions {
  /** Longest wait for the reply; default 5,000. */
  readonly timeoutMs?: number | undefined;
  readonly priority?: number | undefined;
  readonly sender?: string | undefined;
  /** Fail at once when nobody who could answer is connected. */
  readonly requireResponder?: boolean | undefined;
  /** Names the call: sent again it is the same call, and is not run twice. Default: a new one. */
  readonly correlationId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CallReply {
  readonly correlation_id: string;
  readonly result: unknown;
  readonly responder: string | null;
  readonly duration_ms: number;
}

/** Time for the way there and back, on top of the time that the reply may take. */
const TRAVEL_MS = 5_000;

interface Calls {
  readonly call: <Answer>(what: Call) => Promise<Answer>;
  readonly again: <Answer>(attempt: () => Promise<Answer>, signal?: AbortSignal) => Promise<Answer>;
  readonly inside: (path: string) => string;
  /** Opens server-sent events behind the one of an id. */
  readonly stream: (
    path: string,
    query: Call["query"],
    lastId: string | undefined,
    signal: AbortSignal | undefined,
  ) => Promise<ServerSentEvents>;
}

/** Calls about queues, over plain HTTP. To work one off, see work.ts; to ask over a channel, caller.ts. */
export function queueCalls({ call, again, inside, stream }: Calls) {
  const at = (queue: string, path = "") => inside(`/queues/${encodeURIComponent(queue)}${path}`);
  const of = (queue: string, task: string, path = "") => at(queue, `/tasks/${encodeURIComponent(task)}${path}`);

  return {
    list: async () =>
      (await call<{ queues: { name: string; created_at: string }[] }>({ path: inside("/queues") })).queues,
    status: (queue: string) => call<QueueStatus>({ path: at(queue) }),
    configure: (queue: string, change: QueueSettingsChange) =>
      call<QueueSettings>({ method: "PATCH", path: at(queue), body: change }),
    bottlenecks: (queue: string, limit = 10) =>
      call<Bottlenecks>({ path: at(queue, "/bottlenecks"), query: { limit } }),
    events: async (queue: string, tail = 100) =>
      (await call<{ events: QueueEvent[] }>({ path: at(queue, "/events"), query: { tail } })).events,

    /** What happened lately and what happens from now on, as it happens. */
    follow: (queue: string, options: FollowEventsOptions = {}) =>
      followEvents(
        (lastId) => stream(at(queue, "/events"), { tail: options.tail ?? 100 }, lastId, options.signal),
        options,
      ),

    /** Queues tasks, all or none. Each gets an id here if it has none, so that trying again makes no second task. */
    async put(queue: string, tasks: readonly TaskRequest[]): Promise<readonly TaskReceipt[]> {
      const body = tasks.map((task) => ({ ...task, task_id: task.task_id ?? uuid7() }));
      const path = at(queue, "/tasks");
      return (await again(() => call<{ tasks: TaskReceipt[] }>({ method: "POST", path, body }))).tasks;
    },
    task: (queue: string, task: string) => call<TaskView>({ path: of(queue, task) }),
    tasks: (queue: string, query: { limit?: number; after?: number } = {}) =>
      call<{ tasks: TaskView[]; next: number | null }>({ path: at(queue, "/tasks"), query }),
    cancel: (queue: string, task: string) => call<TaskReceipt>({ method: "POST", path: of(queue, task, "/cancel") }),
    retry: (queue: string, task: string) => call<TaskReceipt>({ method: "POST", path: of(queue, task, "/retry") }),

    /**
     * Asks whoever works for `recipient`, and waits for the reply. Where nobody could be reached the same call is sent
     * again: it is run once, because its correlation id names it.
     *
     * @throws ApiProblem with 504 in time-out, 502 when the responder failed, 503 `no-responder`
     */
    call(
      queue: string,
      recipient: string,
      type: string,
      payload: unknown,
      options: CallOptions = {},
    ): Promise<CallReply> {
      const { timeoutMs = 5_000, requireResponder = false, signal, priority, sender } = options;
      const body = {
        ...{ recipient, type, payload, priority, sender, correlation_id: options.correlationId ?? uuid7() },
        ...{ timeout_ms: timeoutMs, require_responder: requireResponder },
      };
      const what: Call = { method: "POST", path: at(queue, "/calls"), body, signal, timeoutMs: timeoutMs + TRAVEL_MS };
      // Answers of the edge are final, 502 and 504 among them; only silence is worth another try.
      return again(
        () =>
          call<CallReply>(what).then(
            (reply) => () => reply,
            (error: unknown) => {
              if (error instanceof EdgeUnreachable) throw error;
              return () => {
                throw error;
              };
            },
          ),
        signal,
      ).then((outcome) => outcome());
    },
    /** The reply to an earlier call that had not come in time. */
    reply: (queue: string, correlationId: string) =>
      call<CallReply | { correlation_id: string; status: "queued" | "running" }>({
        path: at(queue, `/calls/${encodeURIComponent(correlationId)}`),
      }),
  };
}
