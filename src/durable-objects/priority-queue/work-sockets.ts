import { type Problem, problem } from "../../core/problem/problem.ts";
import { exceedsBytes } from "../../core/signals/limits.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { Lease, NewTask } from "../../core/tasks/task.ts";
import { admitTask, jsonOf, taskErrors, taskOfCall } from "../../core/tasks/task-input.ts";
import type { Enqueued, Entry, Settled, TaskQueue } from "../../core/tasks/task-queue.ts";
import { leasedJson } from "../../core/tasks/task-view.ts";
import type { Waiter } from "../../core/tasks/waiters.ts";
import { PING, PONG } from "../../core/wire/link-frames.ts";
import { MAX_FRAME_BYTES, WorkerFrame } from "../../core/wire/work-frames.ts";

/** What a worker has said that it takes. */
interface Ready {
  readonly recipient: string;
  readonly credit: number;
  readonly leaseMs: number;
}

/** All that survives hibernation. What a worker holds is known from the leases, which name its connection. */
interface Attachment {
  readonly id: string;
  readonly worker: string;
  readonly mayAsk: boolean;
  readonly ready: readonly Ready[];
}

interface Connection extends Omit<Attachment, "ready"> {
  readonly socket: WebSocket;
  readonly ready: Map<string, { readonly said: Ready; readonly waiter: Waiter }>;
  /** Tasks given in the transaction that is running. */
  given: Entry[];
}

export interface WorkSocketsOptions {
  readonly queue: () => TaskQueue;
  readonly payloadOf: (entry: Entry) => string;
  readonly addWaiter: (waiter: Waiter) => void;
  readonly removeWaiter: (waiter: Waiter) => void;
  /** Makes a change in a transaction, then calls `answer` with what came of it; `refuse` where that failed. */
  readonly change: <Result>(
    make: (queue: TaskQueue, nowMs: number) => Result,
    answer: (result: Result) => void,
    refuse: () => void,
  ) => void;
  /** Puts a call; `answer` is called where it cannot be, or has ended already. */
  readonly call: (task: NewTask, requireResponder: boolean, refuse: (problem: Problem) => void) => void;
  /** Ends a task that is not wanted any more. */
  readonly cancel: (taskId: string) => void;
}

/** A frame of tasks is cut where it would exceed this, in characters. */
const FRAME_CHARS = 256 * 1024;
const OVERLOADED = problem("overloaded", 503, "Too much at once", "the queue could not take it; send it again");
const RETRY_MS = 500;

/** The workers' channels of one queue. */
export class WorkSockets {
  readonly #options: WorkSocketsOptions;
  readonly #bySocket = new Map<WebSocket, Connection>();
  readonly #byId = new Map<string, Connection>();
  #served = new Set<Connection>();

  /** @param open - sockets that outlived hibernation: without them, workers would wait in silence for ever */
  constructor(open: readonly WebSocket[], options: WorkSocketsOptions) {
    this.#options = options;
    for (const socket of open) {
      const attachment = socket.deserializeAttachment() as Attachment | null;
      if (attachment === null) continue;
      const connection = this.#remember(socket, attachment);
      for (const said of attachment.ready) this.#setReady(connection, said);
    }
  }

  get size(): number {
    return this.#bySocket.size;
  }

  open(socket: WebSocket, worker: string, mayAsk: boolean): void {
    const connection = this.#remember(socket, { id: crypto.randomUUID(), worker, mayAsk });
    this.#attach(connection);
  }

  /** @param clean - the worker said good-bye: what it holds can go to another at once; else its leases run out */
  close(socket: WebSocket, clean: boolean): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) return;
    this.#bySocket.delete(socket);
    this.#byId.delete(connection.id);
    for (const { waiter } of connection.ready.values()) this.#options.removeWaiter(waiter);
    if (!clean) return;
    const holders = [...connection.ready.keys()].map((recipient) => holderName(connection.id, recipient));
    const nothing = () => undefined;
    this.#options.change(
      (queue, nowMs) => {
        for (const holder of holders) queue.giveBackAll(holder, nowMs);
      },
      nothing,
      nothing, // then the leases run out
    );
  }

  hear(socket: WebSocket, message: string | ArrayBuffer): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) {
      socket.close(1011, "the connection was lost; connect again");
      return;
    }
    if (typeof message !== "string") {
      this.#refuse(connection, null, problem("binary-frame", 415, "Frames are JSON text"));
      return;
    }
    if (message === PING) {
      socket.send(PONG);
      return;
    }
    const frame = readFrame(message);
    if ("type" in frame) this.#obey(connection, frame);
    else this.#refuse(connection, frame.batch, frame.problem);
  }

  /** Sends what was given in the transaction that has just been written. */
  sendGiven(): void {
    const served = this.#served;
    if (served.size === 0) return;
    this.#served = new Set();
    for (const connection of served) {
      const { given } = connection;
      connection.given = [];
      let parts: string[] = [];
      let chars = 0;
      const send = () => {
        if (parts.length > 0) this.#transmit(connection, `{"type":"tasks","tasks":[${parts.join(",")}]}`);
        parts = [];
        chars = 0;
      };
      for (const entry of given) {
        // Given and taken away again in one transaction: there is nothing to do.
        if (entry.lease === null) continue;
        const part = leasedJson(entry, this.#options.payloadOf(entry));
        if (chars + part.length > FRAME_CHARS) send();
        parts.push(part);
        chars += part.length;
      }
      send();
    }
  }

  /** The transaction failed: what was given in it was not. */
  forgetGiven(): void {
    for (const connection of this.#served) connection.given = [];
    this.#served = new Set();
  }

  /** Tells a worker that what it holds is not wanted any more. */
  cancelled(taskId: string, lease: Lease): void {
    const connection = this.#byId.get(lease.holder.split(" ", 1)[0] ?? "");
    if (connection === undefined) return;
    const tasks = [{ task_id: taskId, lease_id: lease.id, reason: "cancelled" }];
    this.#transmit(connection, JSON.stringify({ type: "cancel", tasks }));
  }

  /** Gives a caller its reply, if it is still there. Else the reply is kept with the task. */
  reply(connectionId: string, frame: string): void {
    const connection = this.#byId.get(connectionId);
    if (connection !== undefined) this.#transmit(connection, frame);
  }

  #obey(connection: Connection, frame: WorkerFrame): void {
    switch (frame.type) {
      case "ready":
        this.#setReady(connection, { recipient: frame.recipient, credit: frame.credit, leaseMs: frame.lease_ms });
        this.#attach(connection);
        // An empty change: it hands out what waits already.
        this.#change(
          connection,
          null,
          () => undefined,
          () => undefined,
        );
        return;
      case "complete":
        this.#settle(connection, frame.tasks, (queue, { task_id, lease_id, result }, nowMs) => {
          const resultJson = jsonOf(result);
          if (typeof resultJson === "string") return queue.complete(task_id, lease_id, resultJson, nowMs);
          // Trying again would give the same result: it fails for good, and says why.
          return queue.fail(task_id, lease_id, `the result cannot be kept: ${resultJson.message}`, false, nowMs);
        });
        return;
      case "fail":
        this.#settle(connection, frame.tasks, (queue, { task_id, lease_id, error, retry }, nowMs) =>
          queue.fail(task_id, lease_id, error, retry, nowMs),
        );
        return;
      case "extend":
        this.#settle(connection, frame.tasks, (queue, { task_id, lease_id, lease_ms }, nowMs) =>
          queue.extend(task_id, lease_id, lease_ms, nowMs),
        );
        return;
      case "release":
        this.#settle(connection, frame.tasks, (queue, { task_id, lease_id }, nowMs) =>
          queue.giveBack(task_id, lease_id, nowMs),
        );
        return;
      case "enqueue":
        this.#enqueue(connection, frame);
        return;
      case "call":
        this.#call(connection, frame);
        return;
      case "cancel":
        if (this.#asks(connection, null)) this.#options.cancel(frame.correlation_id);
        return;
    }
  }

  #settle<Item extends { task_id: string; lease_id: string }>(
    connection: Connection,
    items: readonly Item[],
    settle: (queue: TaskQueue, item: Item, nowMs: number) => Settled,
  ): void {
    this.#change(
      connection,
      null,
      (queue, nowMs) => items.map((item) => settle(queue, item, nowMs)),
      (outcomes) => {
        const done: string[] = [];
        const conflict: string[] = [];
        outcomes.forEach((outcome, place) => {
          const { task_id, lease_id } = items[place] as Item;
          const names = `"task_id":${JSON.stringify(task_id)},"lease_id":${JSON.stringify(lease_id)}`;
          if (!outcome.ok) conflict.push(`{${names},"reason":"${outcome.reason}"}`);
          else if (outcome.expiresMs === undefined) done.push(`{${names},"status":"${outcome.status}"}`);
          else done.push(`{${names},"status":"running","lease_expires_at":"${formatTimestamp(outcome.expiresMs)}"}`);
        });
        if (done.length > 0) this.#transmit(connection, `{"type":"done","tasks":[${done.join(",")}]}`);
        if (conflict.length > 0) this.#transmit(connection, `{"type":"conflict","tasks":[${conflict.join(",")}]}`);
      },
    );
  }

  #enqueue(connection: Connection, { batch, tasks: inputs }: Extract<WorkerFrame, { type: "enqueue" }>): void {
    if (!this.#asks(connection, batch)) return;
    const admissions = inputs.map((input, place) => admitTask(input, `/tasks/${place}`));
    const errors = admissions.flatMap((admission) => (admission.ok ? [] : admission.errors));
    if (errors.length > 0) {
      const wrong = problem("invalid-task", 422, "Some tasks are not valid; none was kept", undefined, {
        errors: errors.slice(0, 100),
      });
      this.#refuse(connection, batch, wrong);
      return;
    }
    const tasks = admissions.flatMap((admission) => (admission.ok ? [admission.task] : []));
    this.#change<Enqueued>(
      connection,
      batch,
      (queue, nowMs) => queue.enqueue(tasks, nowMs),
      (outcome) => {
        if ("full" in outcome) {
          this.#refuse(connection, batch, queueFull(outcome.capacity), RETRY_MS);
          return;
        }
        const receipts = outcome.receipts.map(({ taskId, status }) => ({ task_id: taskId, status }));
        this.#transmit(connection, JSON.stringify({ type: "enqueued", batch, tasks: receipts }));
      },
    );
  }

  #call(connection: Connection, frame: Extract<WorkerFrame, { type: "call" }>): void {
    const { correlation_id, payload, task_type } = frame;
    const refuse = (wrong: Problem) =>
      this.#transmit(connection, JSON.stringify({ type: "reply", correlation_id, problem: wrong }));
    if (!connection.mayAsk) {
      refuse(problem("no-scope", 403, "The token may not do this", "It needs the scope tasks:write."));
      return;
    }
    const payloadJson = jsonOf(payload);
    if (typeof payloadJson !== "string") {
      refuse(problem("invalid-call", 422, "The call is not valid", `/payload: ${payloadJson.message}`));
      return;
    }
    const task = taskOfCall({ ...frame, type: task_type }, correlation_id, payloadJson, `ws:${connection.id}`);
    this.#options.call(task, frame.require_responder, refuse);
  }

  #asks(connection: Connection, batch: number | null): boolean {
    if (connection.mayAsk) return true;
    const wrong = problem("no-scope", 403, "The token may not do this", "It needs the scope tasks:write.");
    this.#refuse(connection, batch, wrong);
    return false;
  }

  #change<Result>(
    connection: Connection,
    batch: number | null,
    make: (queue: TaskQueue, nowMs: number) => Result,
    answer: (result: Result) => void,
  ): void {
    this.#options.change(make, answer, () => this.#refuse(connection, batch, OVERLOADED, RETRY_MS));
  }

  #remember(socket: WebSocket, { id, worker, mayAsk }: Omit<Attachment, "ready">): Connection {
    const connection: Connection = { socket, id, worker, mayAsk, ready: new Map(), given: [] };
    this.#bySocket.set(socket, connection);
    this.#byId.set(id, connection);
    return connection;
  }

  #setReady(connection: Connection, said: Ready): void {
    const { recipient, credit, leaseMs } = said;
    const before = connection.ready.get(recipient);
    if (before !== undefined) this.#options.removeWaiter(before.waiter);
    const holder = holderName(connection.id, recipient);
    const waiter: Waiter = {
      ...{ recipient, holder, worker: connection.worker, leaseMs },
      hasRoom: () => this.#options.queue().heldBy(holder) < credit,
      give: (entry) => {
        connection.given.push(entry);
        this.#served.add(connection);
      },
    };
    connection.ready.set(recipient, { said, waiter });
    if (credit > 0) this.#options.addWaiter(waiter);
  }

  #attach({ socket, id, worker, mayAsk, ready }: Connection): void {
    const attachment: Attachment = { id, worker, mayAsk, ready: [...ready.values()].map(({ said }) => said) };
    socket.serializeAttachment(attachment);
  }

  #refuse(connection: Connection, batch: number | null, refusal: Problem, retryAfterMs?: number): void {
    const frame = { type: "refused", batch, problem: refusal };
    this.#transmit(
      connection,
      JSON.stringify(retryAfterMs === undefined ? frame : { ...frame, retry_after_ms: retryAfterMs }),
    );
  }

  #transmit(connection: Connection, frame: string): void {
    try {
      connection.socket.send(frame);
    } catch {
      // The other end went away between two events; its leases run out, its replies are kept.
      this.close(connection.socket, false);
    }
  }
}

/** The connection and, where it works for several, the recipient: each has a credit of its own. */
const holderName = (id: string, recipient: string) => `${id} ${recipient}`;

export const queueFull = (capacity: number) =>
  problem("queue-full", 429, "The queue is full", `It holds ${capacity} unfinished tasks, as many as it may.`, {
    capacity,
  });

function readFrame(message: string): WorkerFrame | { batch: number | null; problem: Problem } {
  if (exceedsBytes(message, MAX_FRAME_BYTES)) {
    return { batch: null, problem: problem("too-large", 413, "A frame may take 1 MiB", "send smaller batches") };
  }
  let document: unknown;
  try {
    document = JSON.parse(message);
  } catch (error) {
    return { batch: null, problem: problem("malformed-json", 400, "The frame is not JSON", String(error)) };
  }
  const parsed = WorkerFrame.safeParse(document);
  if (parsed.success) return parsed.data;
  const batch = typeof document === "object" && document !== null && "batch" in document ? document.batch : null;
  const errors = taskErrors(parsed.error.issues, "").slice(0, 100);
  return {
    batch: Number.isInteger(batch) ? (batch as number) : null,
    problem: problem("invalid-frame", 422, "The frame is not one of ganglion.work.v1", undefined, { errors }),
  };
}
