import { type Problem, problem } from "../../core/problem/problem.ts";
import type { CallAnswer } from "../../core/queue/api.ts";
import { type BreakerRefusal, breakerOpen, refusalOf } from "../../core/queue/breaker-status.ts";
import type { CallBreakers } from "../../core/queue/call-breakers.ts";
import { noResponder, notACall, queueFull } from "../../core/queue/call-problems.ts";
import type { Entry } from "../../core/queue/entry.ts";
import type { FinishedTask, NewTask } from "../../core/queue/task.ts";
import type { TaskQueue } from "../../core/queue/task-queue.ts";
import { answerOf, Callers, fallbackFrame, replyFrame } from "./callers.ts";
import { operationOf, type QueueOperation } from "./operation.ts";
import { OVERLOADED } from "./refusals.ts";

export interface PendingCallsOptions {
  readonly queue: () => TaskQueue;
  readonly breakers: () => Pick<CallBreakers, "isClosed" | "admit" | "withdraw">;
  readonly finished: (taskId: string) => FinishedTask | undefined;
  /** Whether a worker is connected that takes tasks for the recipient. */
  readonly serves: (recipient: string, needs: readonly string[] | undefined) => boolean;
  readonly submit: (changes: readonly QueueOperation[]) => void;
  /** Sends a frame to a connection that is still open; otherwise the reply stays with the finished task. */
  readonly send: (connectionId: string, frame: string) => void;
}

const TOO_MUCH = problem("overloaded", 503, "The queue is overloaded", "Nothing of the call was kept: call again.");
type Refused = { readonly refused: "no_responder" | "full" | "not_a_call" } | BreakerRefusal;
/** Prefix of the `caller` of a task, where the caller is a channel. */
const OVER_CHANNEL = "ws:";
export const channelCaller = (connectionId: string) => `${OVER_CHANNEL}${connectionId}`;

/** Queues calls and sends their replies. A call is a task, so everything that has to outlive a crash is in the task. */
export class PendingCalls {
  readonly #options: PendingCallsOptions;
  readonly #callers = new Callers();

  constructor(options: PendingCallsOptions) {
    this.#options = options;
  }

  /** Resolves with the end of the call, or with its state after `timeoutMs`. A later result is kept with the task. */
  call(task: NewTask, timeoutMs: number, requireResponder: boolean): Promise<CallAnswer> {
    const id = task.taskId ?? "";
    return new Promise((resolve) => {
      const end = (answer: CallAnswer) => {
        clearTimeout(timer);
        this.#callers.remove(id, listener);
        resolve(answer);
      };
      const listener = (record: FinishedTask | null) => end(record === null ? OVERLOADED : answerOf(record));
      const timer = setTimeout(() => end(this.result(id) ?? { correlation_id: id, pending: "queued" }), timeoutMs);
      this.#callers.add(id, listener);
      const operation = operationOf(
        (queue, nowMs) => this.#enqueue(task, requireResponder, queue, nowMs),
        (outcome) => {
          if (outcome !== undefined) end("record" in outcome ? answerOf(outcome.record) : outcome);
        },
        () => end(OVERLOADED),
        [task],
      );
      this.#options.submit([operation]);
    });
  }

  /** A call whose reply, or refusal, goes to the connection that the task names. */
  callOverChannel(task: NewTask, connectionId: string, requireResponder: boolean): QueueOperation {
    const id = task.taskId ?? "";
    const { send } = this.#options;
    const refuse = (wrong: Problem) => send(connectionId, refusedCall(id, wrong));
    const reply = (record: FinishedTask | null) =>
      record === null ? refuse(TOO_MUCH) : send(connectionId, replyFrame(record));
    return operationOf(
      (queue, nowMs) => {
        const outcome = this.#enqueue(task, requireResponder, queue, nowMs);
        // The same call from another connection: the task names the first connection, and this one waits in memory.
        return { outcome, elsewhere: outcome === undefined && queue.find(id)?.caller !== task.caller };
      },
      ({ outcome, elsewhere }) => {
        if (elsewhere) this.#callers.add(id, reply);
        if (outcome === undefined) return;
        if ("record" in outcome) reply(outcome.record);
        else if (outcome.refused !== "breaker_open") refuse(this.#problemOf(outcome.refused, task));
        else if (outcome.fallback === null) refuse(breakerOpen(outcome));
        else send(connectionId, fallbackFrame(id, outcome.fallback));
      },
      () => refuse(TOO_MUCH),
      [task],
    );
  }

  /** How a call ended, or its state; `null`: the queue does not know the call, or not any more. */
  result(correlationId: string): CallAnswer | null {
    const entry = this.#options.queue().find(correlationId);
    if (entry !== undefined) {
      return { correlation_id: correlationId, pending: entry.lease === null ? "queued" : "running" };
    }
    const record = this.#options.finished(correlationId);
    return record === undefined ? null : answerOf(record);
  }

  /** Notifies the callers of a finished task. */
  notifyFinished(record: FinishedTask): void {
    this.#callers.notify(record.taskId, record);
    if (record.caller !== null) this.#toChannel(record.caller, () => replyFrame(record));
  }

  /** Asks the callers to call again: the call was only in memory, and its transaction failed. */
  notifyLost({ taskId, caller }: Entry): void {
    this.#callers.notify(taskId, null);
    if (caller !== null) this.#toChannel(caller, () => refusedCall(taskId, TOO_MUCH));
  }

  /** Asks all callers who wait to call again: the queue is gone. */
  notifyAllLost(): void {
    this.#callers.notifyAllLost();
  }

  #toChannel(caller: string, frame: () => string): void {
    if (caller.startsWith(OVER_CHANNEL)) this.#options.send(caller.slice(OVER_CHANNEL.length), frame());
  }

  /** @returns `undefined` when a reply will follow; otherwise the refusal, or how the same call has ended before */
  #enqueue(
    task: NewTask,
    requireResponder: boolean,
    queue: TaskQueue,
    nowMs: number,
  ): Refused | { readonly record: FinishedTask } | undefined {
    const id = task.taskId ?? "";
    const known = queue.find(id);
    if (known !== undefined) return isSameCall(known, task) ? undefined : { refused: "not_a_call" };
    const ended = (): Refused | { readonly record: FinishedTask } | undefined => {
      const record = this.#options.finished(id);
      if (record === undefined) return undefined;
      return isSameCall(record, task) ? { record } : { refused: "not_a_call" };
    };
    const { recipient, needs } = task;
    if (requireResponder && !this.#options.serves(recipient, needs)) return ended() ?? { refused: "no_responder" };
    const breakers = this.#options.breakers();
    // A call that has ended is not made again, so no breaker stands in its way, and it is no probe.
    const before = breakers.isClosed(recipient) ? undefined : ended();
    if (before !== undefined) return before;
    const call = { id, beganMs: nowMs, endsMs: nowMs + (task.deadlineMs ?? Number.POSITIVE_INFINITY) };
    const wait = breakers.admit(recipient, call, nowMs);
    if (wait !== undefined) return refusalOf(recipient, wait, queue.settings.breaker_fallback, nowMs);
    const outcome = queue.enqueue([task], nowMs);
    if (!("full" in outcome) && outcome.receipts[0]?.known !== true) return undefined;
    breakers.withdraw(id, nowMs);
    return "full" in outcome ? { refused: "full" } : ended();
  }

  #problemOf(refused: "no_responder" | "full" | "not_a_call", { taskId, recipient }: NewTask): Problem {
    switch (refused) {
      case "no_responder":
        return noResponder(recipient);
      case "full":
        return queueFull(this.#options.queue().settings.capacity);
      case "not_a_call":
        return notACall(taskId ?? "");
    }
  }
}

/** Who repeats a call gets its result. Who merely knows the id of another task must not get the result of that. */
const isSameCall = (known: Pick<FinishedTask, "recipient" | "type">, { recipient, type }: NewTask) =>
  known.recipient === recipient && known.type === type;

export const refusedCall = (correlationId: string, wrong: Problem) =>
  JSON.stringify({ type: "reply", correlation_id: correlationId, problem: wrong });
