import type { Problem } from "../../core/problem/problem.ts";
import { placedBy } from "../../core/queue/abilities.ts";
import type { Entry } from "../../core/queue/entry.ts";
import type { HostLoads } from "../../core/queue/host-loads.ts";
import type { CallerToken } from "../../core/queue/queries.ts";
import type { Lease } from "../../core/queue/task.ts";
import type { TaskQueue } from "../../core/queue/task-queue.ts";
import { leasedJson } from "../../core/queue/task-view.ts";
import type { Waiter, Waiters } from "../../core/queue/waiters.ts";
import type { WorkerFrame } from "../../core/queue/work-frames.ts";
import { closeEnded } from "../shell/sockets.ts";
import {
  Attachment,
  Connection,
  connectionOf,
  holderName,
  type Ready,
  readyOf,
  TOO_MANY_RECIPIENTS,
} from "./connection.ts";
import { operationOf, type QueueOperation } from "./operation.ts";
import { type PendingCalls, refusedCall } from "./pending-calls.ts";
import { type RefusedFrame, readMessage } from "./read-message.ts";
import type { TaskNotes, WithNotes } from "./task-notes.ts";
import { mayWrite, operationOfFrame, refuseForNow, refuseFrame } from "./worker-frames.ts";
import { refusedReady } from "./worker-rights.ts";

export interface WorkSocketsOptions {
  readonly queue: () => TaskQueue;
  readonly payloadOf: (entry: Entry) => string;
  readonly waiters: Waiters;
  readonly loads: HostLoads;
  readonly calls: PendingCalls;
  /** Applies operations in one transaction: all of them, or none when the transaction fails. */
  readonly submit: (changes: readonly QueueOperation[]) => void;
  /** The operation that cancels a task. @param recipients - of which the task must be; `undefined`: any */
  readonly cancelOperation: (taskId: string, recipients: readonly string[] | undefined) => QueueOperation;
  /** Name of the queue. */
  readonly queueName: string;
  /** Whether a connection may take tasks of this recipient now. */
  readonly admits: (connection: Connection, recipient: string) => boolean;
  /** A connection queued a task or made a call. */
  readonly wrote: (connection: Connection, frame: "enqueue" | "call") => void;
  /** The frame about a pause of the queue; `undefined`: it is not paused. */
  readonly pauseFrame?: () => string | undefined;
  /** Whether a token was deleted or has expired. */
  readonly isOver: (token: CallerToken | undefined) => boolean;
}

/** Largest `tasks` frame, in characters: a larger one is cut into several. */
const FRAME_CHARS = 256 * 1024;

/** The channels of the workers and callers of one queue. */
export class WorkSockets {
  readonly #options: WorkSocketsOptions;
  readonly #bySocket = new Map<WebSocket, Connection>();
  readonly #byId = new Map<string, Connection>();
  /** Connections that the running transaction gave tasks to. */
  #served = new Set<Connection>();
  /** Connections with frames that are not sent yet. */
  readonly #unflushed = new Set<Connection>();

  /** @param open - sockets that outlived hibernation: if they were forgotten, their workers would wait for ever */
  constructor(open: readonly WebSocket[], options: WorkSocketsOptions) {
    this.#options = options;
    for (const socket of open) {
      const attachment = Attachment.safeParse(socket.deserializeAttachment());
      if (!attachment.success) continue;
      const connection = this.#remember(socket, attachment.data);
      for (const frame of attachment.data.ready) this.#setReady(connection, frame);
    }
  }

  open(socket: WebSocket, opening: Omit<Attachment, "id" | "ready" | "readsArrays">): void {
    this.#remember(socket, { id: crypto.randomUUID(), readsArrays: false, ...opening }).attach();
  }

  /** @param clean - the worker closed the channel itself: its tasks are released at once; otherwise its leases expire */
  close(socket: WebSocket, clean: boolean): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) return;
    this.#bySocket.delete(socket);
    this.#byId.delete(connection.id);
    for (const { waiter } of connection.ready.values()) this.#options.waiters.remove(waiter);
    if (!clean) return;
    const holders = [...connection.ready.keys()].map((recipient) => holderName(connection.id, recipient));
    const nothing = () => undefined;
    const releaseAll = operationOf(
      (queue, nowMs) => {
        for (const holder of holders) queue.releaseAll(holder, nowMs);
      },
      nothing,
      nothing, // the leases expire instead
    );
    this.#options.submit([releaseAll]);
  }

  /** The last `ready` of each recipient of a channel. */
  readyOf(socket: WebSocket): readonly Ready[] {
    return [...(this.#bySocket.get(socket)?.ready.values() ?? [])].map(({ frame }) => frame);
  }

  receive(socket: WebSocket, message: string | ArrayBuffer): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) {
      socket.close(1011, "the queue has lost this connection: connect again");
      return;
    }
    if (this.#options.isOver(connection.token)) {
      this.close(socket, false);
      closeEnded(socket);
      return;
    }
    const { frames, isArray } = readMessage(message);
    if (isArray) connection.noteReadsArrays();
    const operations: QueueOperation[] = [];
    for (const frame of frames) {
      if ("problem" in frame) {
        refuse(connection, frame);
        continue;
      }
      const operation = this.#handle(connection, frame);
      if (operation !== undefined) operations.push(operation);
    }
    // One submission for the message: its frames must not wait for each other.
    const [first, ...others] = operations;
    const chars = typeof message === "string" ? message.length : 0;
    if (first !== undefined) this.#options.submit([{ ...first, chars }, ...others]);
    this.flush();
  }

  /** Sends the tasks that the transaction gave to connections, after the transaction was written. */
  sendGiven(notes: TaskNotes): void {
    const served = [...this.#served].map((connection) => {
      const { given } = connection;
      connection.given = [];
      return { connection, given };
    });
    this.#served = new Set();
    const tasks = served.flatMap(({ given }) => given.map(({ entry }) => entry));
    if (tasks.length > 0)
      notes.with(tasks, (withNotes) => {
        for (const { connection, given } of served) this.#sendTasks(connection, given, withNotes);
        this.flush();
      });
  }

  #sendTasks(connection: Connection, given: Connection["given"], withNotes: WithNotes): void {
    let parts: string[] = [];
    let chars = 0;
    const sendParts = () => {
      if (parts.length > 0) connection.send(`{"type":"tasks","tasks":[${parts.join(",")}]}`);
      parts = [];
      chars = 0;
    };
    for (const { entry, leaseId, part } of given) {
      // Leased and cancelled in one transaction, or before its notes came: there is nothing to send.
      if (entry.lease?.id !== leaseId) continue;
      const text = withNotes(entry, part);
      if (chars + text.length > FRAME_CHARS) sendParts();
      parts.push(text);
      chars += text.length;
    }
    sendParts();
  }

  /** Forgets the tasks that the transaction gave to connections, after the transaction failed. */
  discardGiven(): void {
    for (const connection of this.#served) {
      for (const { part } of connection.given) connection.noteSent(-part.length);
      connection.given = [];
    }
    this.#served = new Set();
  }

  /** Notifies the holder of a lease that the task was cancelled. */
  notifyCancelled(taskId: string, lease: Lease): void {
    const tasks = [{ task_id: taskId, lease_id: lease.id, reason: "cancelled" }];
    this.send(connectionOf(lease.holder), JSON.stringify({ type: "cancel", tasks }));
  }

  /** A recipient of whom it turned out that the connection may take no tasks. */
  deny(connection: Connection, recipient: string, wrong: Problem): void {
    const ready = connection.ready.get(recipient);
    if (ready === undefined || !this.#byId.has(connection.id)) return;
    this.#options.waiters.remove(ready.waiter);
    connection.ready.delete(recipient);
    connection.attach();
    refuseFrame(connection, { batch: null, frame: "ready", recipient }, wrong);
    this.flush();
  }

  /** Queues a frame for a connection that is still open. */
  send(connectionId: string, frame: string): void {
    this.#byId.get(connectionId)?.send(frame);
  }

  /** Sends a frame to all who are ready for tasks. */
  sendToReady(frame: string): void {
    for (const connection of this.#byId.values())
      if ([...connection.ready.values()].some(({ frame: { credit } }) => credit > 0)) connection.send(frame);
    this.flush();
  }

  /** Sends all queued frames. */
  flush(): void {
    for (const connection of this.#unflushed) {
      this.#unflushed.delete(connection);
      try {
        connection.flush();
      } catch {
        // The other end has disconnected: its leases expire, and its replies are kept with the tasks.
        this.close(connection.socket, false);
      }
    }
  }

  #handle(connection: Connection, frame: WorkerFrame): QueueOperation | undefined {
    switch (frame.type) {
      case "ready": {
        const ready = readyOf(frame);
        const { recipient } = ready;
        const name = { batch: null, frame: frame.type, recipient };
        const refused = refusedReady(this.#options.queueName, connection, ready);
        if (refused !== undefined) {
          refuseFrame(connection, name, refused);
          return undefined;
        }
        if (!connection.hasPlaceFor(ready, (holder) => this.#options.queue().heldBy(holder) > 0)) {
          refuseFrame(connection, name, TOO_MANY_RECIPIENTS);
          return undefined;
        }
        this.#setReady(connection, ready);
        connection.attach();
        const pause = this.#options.pauseFrame?.();
        if (pause !== undefined) connection.send(pause);
        const nothing = () => undefined;
        // The operation changes nothing, but its transaction hands out the tasks that wait already. Refused, the frame
        // has its effect all the same: the tasks go out with the next transaction.
        return operationOf(nothing, nothing, () => refuseForNow(connection, name));
      }
      case "cancel":
        return mayWrite(connection, null)
          ? this.#options.cancelOperation(frame.correlation_id, connection.hosts)
          : undefined;
      default: {
        const operation = operationOfFrame(connection, frame, this.#options.calls);
        const writes = frame.type === "enqueue" || frame.type === "call";
        if (operation !== undefined && writes) this.#options.wrote(connection, frame.type);
        return operation;
      }
    }
  }

  #remember(socket: WebSocket, attachment: Omit<Attachment, "ready">): Connection {
    const connection = new Connection(socket, attachment, this.#unflushed);
    this.#bySocket.set(socket, connection);
    this.#byId.set(connection.id, connection);
    return connection;
  }

  #setReady(connection: Connection, frame: Ready): void {
    const { recipient, credit, leaseMs } = frame;
    const before = connection.ready.get(recipient);
    if (before !== undefined) this.#options.waiters.remove(before.waiter);
    const holder = holderName(connection.id, recipient);
    const waiter: Waiter = {
      recipient,
      holder,
      worker: connection.worker,
      leaseMs,
      ...placedBy(frame, this.#options.loads),
      hasRoom: () => {
        if (this.#options.isOver(connection.token) || !this.#options.admits(connection, recipient)) return false;
        const held = this.#options.queue().heldBy(holder);
        return held < credit && (connection.readsTasks || held === 0);
      },
      give: (entry) => {
        const part = leasedJson(entry, this.#options.payloadOf(entry));
        connection.given.push({ entry, leaseId: entry.lease?.id, part });
        connection.noteSent(part.length);
        this.#served.add(connection);
      },
    };
    connection.ready.set(recipient, { frame, waiter });
    if (credit > 0) this.#options.waiters.add(waiter);
  }
}

function refuse(connection: Connection, { correlationId, problem: wrong, ...name }: RefusedFrame): void {
  if (correlationId === undefined) refuseFrame(connection, name, wrong);
  else connection.send(refusedCall(correlationId, wrong));
}
