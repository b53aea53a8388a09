import { Queues } from "../core/access/api.ts";
import {
  Bottlenecks,
  BulkReceipts,
  CallReply,
  type QueueEvent,
  QueueEvents,
  TaskPage,
  type TaskReceipt,
  TaskReceipts,
  TaskState,
  TaskView,
} from "../core/queue/api.ts";
import { type BulkAction, BulkTasksAnswer, type TaskFilter } from "../core/queue/bulk.ts";
import { FinishedPage } from "../core/queue/finished-query.ts";
import { PauseState } from "../core/queue/pause.ts";
import type { QueueSettingsChange } from "../core/queue/queue-settings.ts";
import type { Outcome } from "../core/queue/task.ts";
import type { TaskInput } from "../core/queue/task-input.ts";
import { NoAnswer } from "./answers/no-answer.ts";
import { AnyCreatedQueue, AnyQueueSettings, AnyQueueStatus, EarlierCall } from "./answers/queue.ts";
import type { Call } from "./http/exchange.ts";
import { EdgeUnreachable } from "./http/problem-errors.ts";
import type { CallEdge } from "./http/request.ts";
import { uuid7 } from "./http/uuid7.ts";
import type { FollowEventsOptions } from "./stream/queue-events.ts";

/** A task to be queued. Without a `task_id` the client chooses one. */
export type TaskRequest = TaskInput;

export interface CallOptions {
  /** Longest wait for the reply, in milliseconds; default 5,000. */
  readonly timeoutMs?: number | undefined;
  readonly priority?: number | undefined;
  readonly sender?: string | undefined;
  /** Fail at once when no responder is connected. */
  readonly requireResponder?: boolean | undefined;
  /** Id of the call: a call that is sent again under the same id runs once. Default: a new id. */
  readonly correlationId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FinishedTasksQuery {
  readonly state?: Outcome;
  readonly recipient?: string;
  readonly type?: string;
  /** When they ended: RFC 3339 or seconds since the epoch. */
  readonly since?: string | number;
  readonly until?: string | number;
  /** Text in the payload, the error or the id. */
  readonly text?: string;
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

export interface TasksQuery {
  readonly status?: "queued" | "running" | "verifying";
  readonly recipient?: string;
  readonly type?: string;
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: number;
}

/** Added to the time-out of the HTTP request, for the network. */
const NETWORK_MS = 5_000;
/** Longer than the edge waits for the end of an action on many tasks. */
const BULK_MS = 60_000;

interface QueueCallsOptions {
  readonly call: CallEdge;
  readonly withRetries: <Answer>(attempt: () => Promise<Answer>, signal?: AbortSignal) => Promise<Answer>;
  readonly inside: (path: string) => string;
  /** Events of the queue of this path, as they happen. */
  readonly follow: (
    path: string,
    query: Call["query"],
    options: FollowEventsOptions,
  ) => AsyncGenerator<QueueEvent, void, void>;
}

/** Calls about queues, over plain HTTP. For workers see work/worker.ts; for calls over a channel work/caller.ts. */
export function queueCalls({ call, withRetries, inside, follow }: QueueCallsOptions) {
  const at = (queue: string, path = "") => inside(`/queues/${encodeURIComponent(queue)}${path}`);
  const of = (queue: string, task: string, path = "") => at(queue, `/tasks/${encodeURIComponent(task)}${path}`);

  return {
    list: async () => (await call(Queues, { path: inside("/queues") })).queues,
    status: (queue: string) => call(AnyQueueStatus, { path: at(queue) }),
    configure: (queue: string, change: QueueSettingsChange) =>
      call(AnyQueueSettings, { method: "PATCH", path: at(queue), body: change }),
    /** Deletes a queue. @param force - also while it has unfinished tasks, which are lost */
    delete: (queue: string, force = false) =>
      call(NoAnswer, { method: "DELETE", path: at(queue), ...(force ? { query: { force: "true" } } : {}) }),
    /** Makes a queue before its first task, or sets one up. */
    create: (queue: string, settings: QueueSettingsChange = {}) =>
      call(AnyCreatedQueue, { method: "PUT", path: at(queue), body: settings }),
    /** Has a queue take tasks and give none out. */
    pause: (queue: string, reason?: string) =>
      call(PauseState, { method: "POST", path: at(queue, "/pause"), body: { reason } }),
    resume: (queue: string) => call(PauseState, { method: "POST", path: at(queue, "/resume") }),
    /** Purges, cancels or retries all tasks of a filter; with `dryRun` they are counted. */
    bulk: (queue: string, action: BulkAction, filter: TaskFilter = {}, dryRun = false) =>
      call(BulkTasksAnswer, {
        method: "POST",
        path: at(queue, `/${action}`),
        body: { filter, dry_run: dryRun },
        timeoutMs: BULK_MS,
      }),
    bottlenecks: (queue: string, limit = 10) =>
      call(Bottlenecks, { path: at(queue, "/bottlenecks"), query: { limit } }),
    events: async (queue: string, tail = 100) =>
      (await call(QueueEvents, { path: at(queue, "/events"), query: { tail } })).events,

    /** The latest events, and new events as they happen. */
    follow: (queue: string, options: FollowEventsOptions = {}) =>
      follow(at(queue, "/events"), { tail: options.tail ?? 100 }, options),

    /** Queues all tasks or none. A task without an id gets one here, so that a retry does not queue it a second time. */
    async put(queue: string, tasks: readonly TaskRequest[]): Promise<readonly TaskReceipt[]> {
      const body = tasks.map((task) => ({ ...task, task_id: task.task_id ?? uuid7() }));
      const path = at(queue, "/tasks");
      return (await withRetries(() => call(TaskReceipts, { method: "POST", path, body }))).tasks;
    },
    /** Queues many tasks, each by itself: one that is refused stops no other. */
    async putEach(queue: string, tasks: readonly TaskRequest[]): Promise<BulkReceipts> {
      const body = tasks.map((task) => ({ ...task, task_id: task.task_id ?? uuid7() }));
      const path = at(queue, "/tasks/bulk");
      return withRetries(() => call(BulkReceipts, { method: "POST", path, body, timeoutMs: BULK_MS }));
    },
    task: (queue: string, task: string) => call(TaskView, { path: of(queue, task) }),
    /** Unfinished tasks that match, in the order of their arrival. */
    tasks: (queue: string, query: TasksQuery = {}) =>
      call(TaskPage, { path: at(queue, "/tasks"), query: { ...query } }),
    /** Finished tasks that match, the newest first, of those that are kept: those of a day, and the last `keep_finished`. */
    finished: (queue: string, query: FinishedTasksQuery = {}) =>
      call(FinishedPage, { path: at(queue, "/finished"), query: { ...query } }),
    cancel: (queue: string, task: string) => call(TaskState, { method: "POST", path: of(queue, task, "/cancel") }),
    /** Leaves a task until a question is answered: it comes back once, with the answer in its `answers`. */
    park: (queue: string, task: string, leaseId: string, question: string) => {
      const body = { lease_id: leaseId, question };
      return withRetries(() => call(TaskState, { method: "POST", path: of(queue, task, "/park"), body }));
    },
    retry: (queue: string, task: string) => call(TaskState, { method: "POST", path: of(queue, task, "/retry") }),

    /**
     * Calls a responder that works for `recipient`, and waits for the reply. When the edge cannot be reached the call is
     * sent again, and runs once, because the correlation id is the same.
     *
     * @throws ApiProblem with 504 when no reply came in time, 502 when the responder failed, 503 `no-responder` or
     *   `breaker-open`
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
        recipient,
        type,
        payload,
        priority,
        sender,
        correlation_id: options.correlationId ?? uuid7(),
        timeout_ms: timeoutMs,
        require_responder: requireResponder,
      };
      const request: Call = {
        method: "POST",
        path: at(queue, "/calls"),
        body,
        signal,
        timeoutMs: timeoutMs + NETWORK_MS,
      };
      // Every answer of the edge is final, 502 and 504 included. Only a call without an answer is sent again.
      return withRetries(
        () =>
          call(CallReply, request).then(
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
    /** The reply to an earlier call, or the state of the call. */
    reply: (queue: string, correlationId: string) =>
      call(EarlierCall, {
        path: at(queue, `/calls/${encodeURIComponent(correlationId)}`),
      }),
  };
}
