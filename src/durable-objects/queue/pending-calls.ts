import { type Problem, problem } from "../../core/problem/problem.ts";
import type { CallAnswer } from "../../core/queue/api.ts";
import { noResponder } from "../../core/queue/call-problems.ts";
import type { Entry } from "../../core/queue/entry.ts";
import type { FinishedTask, NewTask } from "../../core/queue/task.ts";
import type { TaskQueue } from "../../core/queue/task-queue.ts";
import { answerOf, Callers, replyFrame } from "./callers.ts";
import { operationOf, type QueueOperation } from "./operation.ts";
import { OVERLOADED, queueFull } from "./refusals.ts";

export interface PendingCallsOptions {
  readonly queue: () => TaskQueue;
  readonly finished: (taskId: string) => FinishedTask | undefined;
  /** Whether a worker is connected that takes tasks for the recipient. */
  readonly serves: (recipient: string) => boolean;
  readonly submit: (changes: readonly QueueOperation[]) => void;
  /** Sends a frame to a connection, if it is still there. Else the reply is kept with the task. */
  readonly send: (connectionId: string, frame: string) => void;
}

const TOO_MUCH = problem("overloaded", 503, "Too much at once", "the queue could not take it; call again");
type Refused = { readonly refused: "no_responder" | "full" };
/** A caller over a channel is named in the task with this in front. */
const OVER_CHANNEL = "ws:";
export const channelCaller = (connectionId: string) => `${OVER_CHANNEL}${connectionId}`;

/** Where calls are put and their ends are told. A call is a task, so everything that has to outlive a crash is in it. */
export class PendingCalls {
  readonly #options: PendingCallsOptions;
  readonly #callers = new Callers();

  constructor(options: PendingCallsOptions) {
    this.#options = options;
  }

  /** Resolves with the call's end, or with where it stands after `timeoutMs`. Its result is kept either way. */
  ask(task: NewTask, timeoutMs: number, requireResponder: boolean): Promise<CallAnswer> {
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
      const put = operationOf(
        (queue, nowMs) => this.#put(task, requireResponder, queue, nowMs),
        (outcome) => {
          if (outcome !== undefined) end("record" in outcome ? answerOf(outcome.record) : outcome);
        },
        () => end(OVERLOADED),
        [task],
      );
      this.#options.submit([put]);
    });
  }

  /** A call whose reply, or refusal, goes to the connection that the task names. */
  overChannel(task: NewTask, connectionId: string, requireResponder: boolean): QueueOperation {
    const id = task.taskId ?? "";
    const { send } = this.#options;
    const refuse = (wrong: Problem) => send(connectionId, refusedCall(id, wrong));
    const reply = (record: FinishedTask | null) =>
      record === null ? refuse(TOO_MUCH) : send(connectionId, replyFrame(record));
    return operationOf(
      (queue, nowMs) => {
        const outcome = this.#put(task, requireResponder, queue, nowMs);
        // The same call from another connection: the task names the first one, this one is remembered here.
        return { outcome, elsewhere: outcome === undefined && queue.find(id)?.caller !== task.caller };
      },
      ({ outcome, elsewhere }) => {
        if (elsewhere) this.#callers.add(id, reply);
        if (outcome === undefined) return;
        if ("record" in outcome) reply(outcome.record);
        else if (outcome.refused === "full") refuse(queueFull(this.#options.queue().settings.capacity));
        else refuse(noResponder(task.recipient));
      },
      () => refuse(TOO_MUCH),
      [task],
    );
  }

  /** How a call ended or where it stands; `null`: there is no such call, or not any more. */
  result(correlationId: string): CallAnswer | null {
    const entry = this.#options.queue().find(correlationId);
    if (entry !== undefined) {
      return { correlation_id: correlationId, pending: entry.lease === null ? "queued" : "running" };
    }
    const record = this.#options.finished(correlationId);
    return record === undefined ? null : answerOf(record);
  }

  /** A task has ended: whoever waits for it is told. */
  finished(record: FinishedTask): void {
    this.#callers.tell(record.taskId, record);
    if (record.caller !== null) this.#toChannel(record.caller, () => replyFrame(record));
  }

  /** A call was only in memory, and memory could not be kept: whoever waits for it is told to call again. */
  lost({ taskId, caller }: Entry): void {
    this.#callers.tell(taskId, null);
    if (caller !== null) this.#toChannel(caller, () => refusedCall(taskId, TOO_MUCH));
  }

  #toChannel(caller: string, frame: () => string): void {
    if (caller.startsWith(OVER_CHANNEL)) this.#options.send(caller.slice(OVER_CHANNEL.length), frame());
  }

  /** @returns nothing where the reply is to come; else the refusal, or how the same call has ended before */
  #put(
    task: NewTask,
    requireResponder: boolean,
    queue: TaskQueue,
    nowMs: number,
  ): Refused | { readonly record: FinishedTask } | undefined {
    const id = task.taskId ?? "";
    if (queue.find(id) !== undefined) return undefined;
    const ended = () => {
      const record = this.#options.finished(id);
      return record === undefined ? undefined : { record };
    };
    if (requireResponder && !this.#options.serves(task.recipient)) return ended() ?? { refused: "no_responder" };
    const outcome = queue.enqueue([task], nowMs);
    if ("full" in outcome) return { refused: "full" };
    return outcome.receipts[0]?.known === true ? ended() : undefined;
  }
}

export const refusedCall = (correlationId: string, wrong: Problem) =>
  JSON.stringify({ type: "reply", correlation_id: correlationId, problem: wrong });
