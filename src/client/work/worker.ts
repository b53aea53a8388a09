import type { LeasedTask } from "../../core/queue/api.ts";
import type { QueueFrame } from "../../core/queue/work-frames.ts";
import { ApiProblem, EdgeUnreachable } from "../http/problem-errors.ts";
import { backoffMs, mayPass } from "../http/retry.ts";
import { openHttpWorkChannel } from "./http-work-channel.ts";
import { openWorkChannel, type WorkChannel, type WorkChannelOptions } from "./work-channel.ts";

export interface WorkOptions {
  readonly url: string;
  /** A function is asked at every connection, so that a token that was replaced is picked up. */
  readonly token: string | (() => string);
  /** Default `default`. */
  readonly ecosystem?: string;
  /** Tasks at a time; default 1. */
  readonly concurrency?: number;
  /** A lease is renewed each third of this; default 30,000. */
  readonly leaseMs?: number;
  /** Name under which the worker is known; default: the recipient. */
  readonly worker?: string;
  /** While tasks are taken over plain HTTP, the channel is tried again so often; default 30,000. */
  readonly channelRetryMs?: number;
  /** How the connection fares, for a log. */
  readonly onRemark?: (text: string) => void;
  /** `null` when the connection is open; what went wrong when there is none. */
  readonly onConnection?: (error: unknown) => void;
}

/** What a handler gets besides the task. */
export interface TaskContext {
  /** Aborted when the task is cancelled, or its lease was lost: somebody else may have it, and the result is not wanted. */
  readonly signal: AbortSignal;
}

/** Returns the result, or throws: the attempt has failed then, and the message is kept. */
export type TaskHandler = (task: LeasedTask, context: TaskContext) => unknown;

/** Throw it to have a task fail for good, without another attempt. */
export class TaskRefused extends Error {
  override readonly name = "TaskRefused";
}

/** Throw it to give a task back as if it had not been begun: others may have it at once, and no attempt is counted. */
export class TaskReleased extends Error {
  override readonly name = "TaskReleased";
}

/** `stop` may come twice; it resolves when no handler runs and the queue knows it. */
export interface Worker {
  stop(): Promise<void>;
  /** Tasks that handlers are at. */
  readonly running: number;
}

interface Running {
  readonly task: LeasedTask;
  readonly aborting: AbortController;
}

interface Report {
  readonly type: "complete" | "fail" | "release";
  readonly item: { readonly task_id: string; readonly lease_id: string } & Record<string, unknown>;
}

const MAX_DELAY_MS = 10_000;
/** A refusal changes when somebody mends the token: soon enough for them, and seldom enough for a fleet. */
const DENIED_DELAY_MS = 60_000;
/** A proxy may be taken away, or learn; an upgrade that is refused costs a request. */
const CHANNEL_RETRY_MS = 30_000;
/** After `stop`, results that the queue has not confirmed are waited for so long. */
const CONFIRM_MS = 10_000;

/**
 * Works off a queue: tasks for `recipient`, and those for anyone, come by push as long as there is room; where no
 * WebSocket can be opened, by requests that wait for them, until it can. Across lost
 * connections handlers go on, leases are renewed on the next connection, and results are told until they are
 * confirmed: the queue recognises a completion that it has had.
 *
 * A graceful stop takes no more, lets what has begun finish, and only then says good-bye.
 */
export function work(queue: string, recipient: string, handler: TaskHandler, options: WorkOptions): Worker {
  const {
    concurrency = 1,
    leaseMs = 30_000,
    ecosystem = "default",
    onRemark = () => {},
    onConnection = () => {},
  } = options;
  const running = new Map<string, Running>();
  const unconfirmed = new Map<string, Report>();
  let channel: WorkChannel | undefined;
  let stopping = false;
  let over = false;
  let failures = 0;
  let drained = false;
  let ended = (): void => {};
  let reconnecting: ReturnType<typeof setTimeout> | undefined;
  let upgrading: ReturnType<typeof setTimeout> | undefined;
  let confirming: ReturnType<typeof setTimeout> | undefined;
  const stopped = new Promise<void>((resolve) => {
    ended = resolve;
  });

  const send = (frame: object) => channel?.send(frame);
  const ready = () => send({ type: "ready", recipient, credit: stopping ? 0 : concurrency, lease_ms: leaseMs });
  const tell = ({ type, item }: Report) => send({ type, tasks: [item] });

  function renew(): void {
    const tasks = [...running.values()].map(({ task: { task_id, lease_id } }) => ({
      task_id,
      lease_id,
      lease_ms: leaseMs,
    }));
    if (tasks.length > 0) send({ type: "extend", tasks });
  }
  const renewal = setInterval(renew, leaseMs / 3);

  function report(one: Report): void {
    unconfirmed.set(one.item.lease_id, one);
    tell(one);
  }

  async function run(task: LeasedTask): Promise<void> {
    const { task_id, lease_id } = task;
    const names = { task_id, lease_id };
    const aborting = new AbortController();
    running.set(lease_id, { task, aborting });
    try {
      const result = await handler(task, { signal: aborting.signal });
      if (!aborting.signal.aborted) report({ type: "complete", item: { ...names, result: result ?? null } });
    } catch (error) {
      const text =
        (error instanceof Error ? error.message : String(error)).slice(0, 4_000) || "it failed without a word";
      if (error instanceof TaskReleased) report({ type: "release", item: names });
      else if (!aborting.signal.aborted) {
        report({ type: "fail", item: { ...names, error: text, retry: !(error instanceof TaskRefused) } });
      }
    } finally {
      running.delete(lease_id);
      endIfDone();
    }
  }

  function lose(lease_id: string, reason: string): void {
    unconfirmed.delete(lease_id);
    const one = running.get(lease_id);
    if (one === undefined) return;
    one.aborting.abort(new Error(reason));
  }

  function hear(frame: QueueFrame): void {
    switch (frame.type) {
      case "tasks":
        for (const task of frame.tasks) {
          // It came while we said that we want no more: it goes back unused.
          if (stopping) report({ type: "release", item: { task_id: task.task_id, lease_id: task.lease_id } });
          else void run(task);
        }
        return;
      case "done":
        for (const { lease_id, status } of frame.tasks) if (status !== "running") unconfirmed.delete(lease_id);
        break;
      case "conflict":
        for (const { lease_id } of frame.tasks) lose(lease_id, "the lease was lost");
        break;
      case "cancel":
        for (const { lease_id, reason } of frame.tasks) lose(lease_id, reason);
        break;
      case "refused":
        onRemark(`the queue refused: ${frame.problem.title}`);
        // Overloaded: what it did not take is told again.
        if (frame.retry_after_ms !== undefined)
          setTimeout(() => [...unconfirmed.values()].forEach(tell), frame.retry_after_ms);
        return;
    }
    endIfDone();
  }

  function endIfDone(): void {
    if (!stopping || !drained || running.size > 0) return;
    if (unconfirmed.size === 0) end();
    // Should nobody be there to confirm, the leases run out and somebody else does it again: waiting on helps nobody.
    else confirming ??= setTimeout(end, CONFIRM_MS);
  }

  function end(): void {
    over = true;
    clearInterval(renewal);
    clearTimeout(reconnecting);
    clearTimeout(confirming);
    clearTimeout(upgrading);
    channel?.close();
    channel = undefined;
    ended();
  }

  const target = (): WorkChannelOptions => ({
    url: options.url,
    token: typeof options.token === "function" ? options.token() : options.token,
    ecosystem,
    queue,
    worker: options.worker ?? (recipient === "*" ? undefined : recipient),
    onFrame: hear,
    onClose: () => again(new EdgeUnreachable(options.url, new Error("the connection was lost"))),
  });

  async function connect(): Promise<void> {
    try {
      begin(await openWorkChannel(target()));
    } catch (error) {
      try {
        // A proxy that knows no WebSockets may answer anything to an upgrade, or hang up.
        begin(await openHttpWorkChannel(target()));
        onRemark(`the channel could not be opened (${textOf(error)}); working over plain HTTP`);
        upgradeLater();
      } catch (second) {
        // Where the queue itself refuses, both ways say so.
        again(second);
      }
    }
  }

  function upgradeLater(): void {
    if (!over) upgrading = setTimeout(() => void upgrade(), options.channelRetryMs ?? CHANNEL_RETRY_MS);
  }

  /** From HTTP back to the channel, where that can be opened now. */
  async function upgrade(): Promise<void> {
    const before = channel;
    const outdated = () => over || stopping || channel !== before;
    let early = true; // the new channel can be lost while the old one is in use
    try {
      const opened = await openWorkChannel({
        ...target(),
        onClose: () => (early ? upgradeLater() : target().onClose()),
      });
      // What the waiting request still brings is taken; only then the channel says that there is room.
      await before?.drained();
      if (outdated()) return opened.close();
      before?.close();
      early = false;
      begin(opened);
      onRemark("the channel is open again");
    } catch {
      if (!outdated()) upgradeLater();
    }
  }

  function begin(opened: WorkChannel): void {
    channel = opened;
    if (over) {
      channel.close();
      return;
    }
    failures = 0;
    onConnection(null);
    ready();
    // What happened meanwhile: leases are renewed at once, and results told that were not confirmed.
    renew();
    for (const one of unconfirmed.values()) tell(one);
    if (stopping) drain();
  }

  function drain(): void {
    void (channel?.drained() ?? Promise.resolve()).then(() => {
      drained = true;
      endIfDone();
    });
  }

  function again(error: unknown): void {
    channel = undefined;
    clearTimeout(upgrading);
    if (over) return;
    if (stopping) drain();
    onConnection(error);
    failures += 1;
    // A refusal that will not pass (no scope, no such version) is told; trying on helps when the token is mended.
    const passing = mayPass(error);
    const reason = passing ? "no queue answers" : textOf(error);
    const denied = error instanceof ApiProblem && !passing;
    const delayMs = backoffMs(failures, MAX_DELAY_MS) + (denied ? DENIED_DELAY_MS : 0);
    onRemark(`${reason}; trying again in ${Math.round(delayMs)} ms`);
    reconnecting = setTimeout(() => void connect(), delayMs);
  }

  void connect();
  return {
    stop: () => {
      if (!stopping) {
        stopping = true;
        ready();
        drain();
      }
      return stopped;
    },
    get running() {
      return running.size;
    },
  };
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
