import type { Entry } from "../../core/queue/entry.ts";
import type { Lease } from "../../core/queue/task.ts";
import type { TaskQueue } from "../../core/queue/task-queue.ts";
import { leasedJson } from "../../core/queue/task-view.ts";
import type { Waiter, Waiters } from "../../core/queue/waiters.ts";
import type { WorkerFrame } from "../../core/queue/work-frames.ts";
import { PING, PONG } from "../../core/wire/link-frames.ts";
import { type Attachment, Connection, connectionOf, holderName, type Ready } from "./connection.ts";
import { operationOf, type QueueOperation } from "./operation.ts";
import { type PendingCalls, refusedCall } from "./pending-calls.ts";
import { type RefusedFrame, readMessage } from "./read-message.ts";
import { changeByFrame, mayAsk, refuseForNow, refuseFrame } from "./worker-frames.ts";

export interface WorkSocketsOptions {
  readonly queue: () => TaskQueue;
  readonly payloadOf: (entry: Entry) => string;
  readonly waiters: Waiters;
  readonly calls: PendingCalls;
  /** Makes changes in a transaction, all of them or, where that failed, none. */
  readonly submit: (changes: readonly QueueOperation[]) => void;
  /** The end of a task that is not wanted any more. */
  readonly cancelling: (taskId: string) => QueueOperation;
}

/** A frame of tasks is cut where it would exceed this, in characters. */
const FRAME_CHARS = 256 * 1024;

/** The workers' channels of one queue. */
export class WorkSockets {
  readonly #options: WorkSocketsOptions;
  readonly #bySocket = new Map<WebSocket, Connection>();
  readonly #byId = new Map<string, Connection>();
  /** Given tasks in the transaction that is running. */
  #served = new Set<Connection>();
  /** Have something to say that was not sent yet. */
  readonly #speaking = new Set<Connection>();

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

  open(socket: WebSocket, worker: string, mayAsk: boolean): void {
    this.#remember(socket, { id: crypto.randomUUID(), worker, mayAsk, several: false }).attach();
  }

  /** @param clean - the worker said good-bye: what it holds can go to another at once; else its leases run out */
  close(socket: WebSocket, clean: boolean): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) return;
    this.#bySocket.delete(socket);
    this.#byId.delete(connection.id);
    for (const { waiter } of connection.ready.values()) this.#options.waiters.remove(waiter);
    if (!clean) return;
    const holders = [...connection.ready.keys()].map((recipient) => holderName(connection.id, recipient));
    const nothing = () => undefined;
    const giveBack = operationOf(
      (queue, nowMs) => {
        for (const holder of holders) queue.releaseAll(holder, nowMs);
      },
      nothing,
      nothing, // then the leases run out
    );
    this.#options.submit([giveBack]);
  }

  hear(socket: WebSocket, message: string | ArrayBuffer): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) {
      socket.close(1011, "the connection was lost; connect again");
      return;
    }
    if (message === PING) {
      socket.send(PONG);
      return;
    }
    const { frames, several } = readMessage(message);
    if (several) connection.sentSeveral();
    const changes: QueueOperation[] = [];
    for (const frame of frames) {
      if ("problem" in frame) {
        refuse(connection, frame);
        continue;
      }
      const change = this.#obey(connection, frame);
      if (change !== undefined) changes.push(change);
    }
    // Together: the frames of one message are not to wait for each other.
    if (changes.length > 0) this.#options.submit(changes);
    this.flush();
  }

  /** Says what was given in the transaction that has just been written. */
  tellGiven(): void {
    for (const connection of this.#served) {
      const { given } = connection;
      connection.given = [];
      let parts: string[] = [];
      let chars = 0;
      const say = () => {
        if (parts.length > 0) connection.say(`{"type":"tasks","tasks":[${parts.join(",")}]}`);
        parts = [];
        chars = 0;
      };
      for (const entry of given) {
        // Given and taken away again in one transaction: there is nothing to do.
        if (entry.lease === null) continue;
        const part = leasedJson(entry, this.#options.payloadOf(entry));
        if (chars + part.length > FRAME_CHARS) say();
        parts.push(part);
        chars += part.length;
      }
      say();
    }
    this.#served = new Set();
  }

  /** The transaction failed: what was given in it was not. */
  forgetGiven(): void {
    for (const connection of this.#served) connection.given = [];
    this.#served = new Set();
  }

  /** Tells a worker that what it holds is not wanted any more. */
  cancelled(taskId: string, lease: Lease): void {
    const tasks = [{ task_id: taskId, lease_id: lease.id, reason: "cancelled" }];
    this.say(connectionOf(lease.holder), JSON.stringify({ type: "cancel", tasks }));
  }

  /** Says something to a connection, if it is still there. */
  say(connectionId: string, frame: string): void {
    this.#byId.get(connectionId)?.say(frame);
  }

  /** Sends what was said. */
  flush(): void {
    for (const connection of this.#speaking) {
      this.#speaking.delete(connection);
      try {
        connection.flush();
      } catch {
        // The other end went away between two events; its leases run out, its replies are kept.
        this.close(connection.socket, false);
      }
    }
  }

  #obey(connection: Connection, frame: WorkerFrame): QueueOperation | undefined {
    switch (frame.type) {
      case "ready": {
        this.#setReady(connection, { recipient: frame.recipient, credit: frame.credit, leaseMs: frame.lease_ms });
        connection.attach();
        const nothing = () => undefined;
        // An empty change: it hands out what waits already.
        return operationOf(nothing, nothing, () => refuseForNow(connection, null));
      }
      case "cancel":
        return mayAsk(connection, null) ? this.#options.cancelling(frame.correlation_id) : undefined;
      default:
        return changeByFrame(connection, frame, this.#options.calls);
    }
  }

  #remember(socket: WebSocket, attachment: Omit<Attachment, "ready">): Connection {
    const connection = new Connection(socket, attachment, this.#speaking);
    this.#bySocket.set(socket, connection);
    this.#byId.set(connection.id, connection);
    return connection;
  }

  #setReady(connection: Connection, said: Ready): void {
    const { recipient, credit, leaseMs } = said;
    const before = connection.ready.get(recipient);
    if (before !== undefined) this.#options.waiters.remove(before.waiter);
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
    if (credit > 0) this.#options.waiters.add(waiter);
  }
}

function refuse(connection: Connection, { batch, correlationId, problem }: RefusedFrame): void {
  if (correlationId === undefined) refuseFrame(connection, batch, problem);
  else connection.say(refusedCall(correlationId, problem));
}
