import { problem } from "../../../core/problem/problem.ts";
import { noResponder, queueFull } from "../../../core/queue/call-problems.ts";
import { HostLoads } from "../../../core/queue/host-loads.ts";
import type { LobbyRole } from "../../../core/queue/lobby.ts";
import { DEFAULT_SETTINGS } from "../../../core/queue/queue-settings.ts";
import { MAX_TASKS } from "../../../core/queue/task-input.ts";
import { TaskQueue } from "../../../core/queue/task-queue.ts";
import { Waiters } from "../../../core/queue/waiters.ts";
import { MAX_READABLE_BYTES, type WorkerFrame } from "../../../core/queue/work-frames.ts";
import { PING } from "../../../core/wire/link-frames.ts";
import { newLeaseId } from "../../../durable-objects/queue/lease-id.ts";
import { operationOf, type QueueOperation } from "../../../durable-objects/queue/operation.ts";
import { PendingCalls, refusedCall } from "../../../durable-objects/queue/pending-calls.ts";
import { readMessage } from "../../../durable-objects/queue/read-message.ts";
import { WorkSockets } from "../../../durable-objects/queue/work-sockets.ts";
import { logLine } from "../../../durable-objects/shell/log-line.ts";
import { closeBack, closeEnded } from "../../../durable-objects/shell/sockets.ts";
import { queueLobby } from "../../bindings/objects.ts";
import { type LobbyVisit, type LobbyWait, waitInLobby } from "./lobby.ts";

type CallFrame = Extract<WorkerFrame, { type: "call" }>;

export interface EarlyChannelOptions {
  readonly visit: LobbyVisit;
  readonly worker: string;
  readonly mayWrite: boolean;
  /** Recipients that the token works for; `undefined`: all. */
  readonly recipients: readonly string[] | undefined;
  /** Hosts that the token may command; `undefined`: all. */
  readonly hosts: readonly string[] | undefined;
  /** Opens the channel to the queue itself, which then exists. */
  readonly openQueue: () => Promise<Response>;
}

/**
 * The channel of a worker or caller that came before its queue. The Worker holds it: the queue has no object yet, and must
 * not get one for a mistyped name. What the channel sends is answered as a queue without tasks would; `ready` and calls are
 * kept. When the queue begins, or with the first task that comes over the channel, the Worker opens a channel to the queue,
 * sends what was kept, and passes messages on in both directions from then on.
 */
export class EarlyChannel {
  readonly #options: EarlyChannelOptions;
  readonly #socket: WebSocket;
  readonly #sockets: WorkSockets;
  readonly #calls = new Map<string, { readonly frame: CallFrame; readonly timer: ReturnType<typeof setTimeout> }>();
  readonly #waits = new Map<LobbyRole, LobbyWait>();
  /** Answers as a queue without tasks. Where an operation put a task into it, the queue has to begin. */
  #nothing = emptyQueue();
  #readsArrays = false;
  /** Messages that came while the channel to the queue was being opened; `undefined`: it is not being opened. */
  #unsent: (string | ArrayBuffer)[] | undefined;
  #unsentSize = 0;
  #queue: WebSocket | undefined;
  #closed = false;

  /** @param socket - the Worker's end, accepted */
  constructor(socket: WebSocket, options: EarlyChannelOptions) {
    this.#socket = socket;
    this.#options = options;
    const { worker, mayWrite, recipients, hosts, visit } = options;
    const nothing = () => undefined;
    const submit = (operations: readonly QueueOperation[]) => this.#apply(operations);
    const queue = () => this.#nothing;
    const calls = new PendingCalls({
      queue,
      // The queue itself has them.
      breakers: () => ({ isClosed: () => true, admit: nothing, withdraw: nothing }),
      finished: nothing,
      // Whether somebody works for the queue, the lobby says.
      serves: () => true,
      submit,
      send: (connection, frame) => this.#sockets.send(connection, frame),
    });
    this.#sockets = new WorkSockets([], {
      loads: new HostLoads(() => false),
      queue,
      payloadOf: () => "null",
      waiters: new Waiters(),
      calls,
      submit,
      cancelOperation: (id) => operationOf(() => this.#forgetCall(id), nothing, nothing),
      queueName: visit.queue,
      // The queue itself notes who commands, when it is sent what was kept.
      wrote: nothing,
      isOver: () => false,
      // There is nothing to take yet; the queue itself asks.
      admits: () => true,
    });
    this.#sockets.open(socket, { worker, mayWrite, recipients, hosts });
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    socket.addEventListener("close", ({ code }) => {
      if (!this.#closed) closeBack(socket, code);
      this.#end(code);
    });
    socket.addEventListener("error", () => this.#end(1006));
    this.#wait("reader");
  }

  #receive(message: string | ArrayBuffer): void {
    if (this.#queue !== undefined) this.#queue.send(message);
    else if (this.#unsent !== undefined) this.#keep(this.#unsent, message);
    else this.#answer(message);
  }

  #answer(message: string | ArrayBuffer): void {
    this.#sockets.receive(this.#socket, message);
    if (this.#closed || message === PING) return;
    const { frames, isArray } = readMessage(message);
    if (isArray) this.#readsArrays = true;
    // Only an accepted task or call puts something into a queue without tasks.
    const accepted = this.#nothing.size > 0;
    if (accepted) this.#nothing = emptyQueue();
    const good = frames.flatMap((frame) => ("problem" in frame ? [] : [frame]));
    if (accepted && good.some(({ type }) => type === "enqueue")) {
      const kept = good.filter(({ type }) => type === "ready" || type === "enqueue" || type === "call");
      return this.#join(kept);
    }
    if (accepted) for (const frame of good) if (frame.type === "call") void this.#call(frame);
    if (this.#works()) this.#wait("worker");
  }

  /** Whether the channel takes tasks: of a recipient, or of any. */
  #works(recipient?: string): boolean {
    return this.#sockets
      .readyOf(this.#socket)
      .some((ready) => ready.credit > 0 && (recipient === undefined || ready.recipient === recipient));
  }

  /** Keeps a call until a worker comes, and refuses one that needs a worker where none waits. */
  async #call(frame: CallFrame): Promise<void> {
    const { visit } = this.#options;
    const id = frame.correlation_id;
    if (frame.require_responder && !this.#works(frame.recipient)) {
      const waiting = await queueLobby(visit.env, visit.ecosystem)
        .waiting(visit.queue, "worker")
        .catch(() => 0);
      if (waiting === 0) return this.#reply(refusedCall(id, noResponder(frame.recipient)));
    }
    if (this.#queue !== undefined || this.#calls.has(id)) return;
    if (this.#calls.size >= MAX_TASKS) return this.#reply(refusedCall(id, queueFull(MAX_TASKS)));
    const timer = setTimeout(() => {
      if (this.#forgetCall(id)) this.#reply(refusedCall(id, tooLate(id)));
    }, frame.timeout_ms);
    // A worker that waited for the queue to begin is on its way to it.
    this.#calls.set(id, { frame: { ...frame, require_responder: false }, timer });
    this.#wait("caller");
  }

  #reply(frame: string): void {
    if (!this.#closed) this.#socket.send(frame);
  }

  #forgetCall(id: string): boolean {
    const kept = this.#calls.get(id);
    if (kept !== undefined) clearTimeout(kept.timer);
    return this.#calls.delete(id);
  }

  #wait(role: LobbyRole): void {
    if (this.#closed || this.#unsent !== undefined || this.#waits.has(role)) return;
    const wait = waitInLobby(this.#options.visit, role);
    this.#waits.set(role, wait);
    void wait.ended.then((outcome) => {
      if (outcome === "began") this.#join([]);
      if (outcome !== "token_over" || this.#closed) return;
      closeEnded(this.#socket);
      this.#end(1008);
    });
  }

  /** Goes on in the queue. @param frames - that the queue has not had, beside those that were kept */
  #join(frames: readonly WorkerFrame[]): void {
    if (this.#closed || this.#unsent !== undefined) return;
    const calls = [...this.#calls.values()].map(({ frame }) => frame);
    const ready = this.#sockets.readyOf(this.#socket).map(
      ({ recipient, credit, leaseMs, skills, host, labels }): WorkerFrame => ({
        type: "ready",
        recipient,
        credit,
        lease_ms: leaseMs,
        ...(skills === undefined ? {} : { skills: [...skills] }),
        ...(host === undefined ? {} : { host }),
        ...(labels === undefined ? {} : { labels }),
      }),
    );
    const kept = [...ready, ...calls, ...frames].map((frame) => JSON.stringify(frame));
    this.#unsent = this.#readsArrays ? ["[]", ...kept] : kept;
    this.#leaveLobby();
    void this.#connect();
  }

  async #connect(): Promise<void> {
    try {
      const { webSocket } = await this.#options.openQueue();
      if (webSocket === null) throw new Error("the queue opened no channel");
      webSocket.accept();
      webSocket.addEventListener("message", ({ data }) => {
        if (!this.#closed) this.#socket.send(data);
      });
      webSocket.addEventListener("close", ({ code, reason }) => {
        this.#queue = undefined;
        if (!this.#closed) closeBack(this.#socket, code, reason);
        this.#closed = true;
      });
      if (this.#closed) return webSocket.close(LOST);
      this.#queue = webSocket;
      for (const message of this.#unsent ?? []) webSocket.send(message);
      this.#unsent = [];
    } catch (error) {
      logLine("warn", "early-channel-lost", { object: "queue", error });
      this.#socket.close(1013, "the queue did not open the channel: connect again");
      this.#end(LOST);
    }
  }

  #keep(unsent: (string | ArrayBuffer)[], message: string | ArrayBuffer): void {
    this.#unsentSize += typeof message === "string" ? message.length : message.byteLength;
    unsent.push(message);
    if (this.#unsentSize <= MAX_READABLE_BYTES) return;
    this.#socket.close(1008, "too much was sent while the channel was being opened: connect again");
    this.#end(LOST);
  }

  /** The other end is gone. @param code - with which it closed */
  #end(code: number): void {
    const queue = this.#queue;
    this.#queue = undefined;
    this.#closed = true;
    this.#leaveLobby();
    // A clean end releases the tasks of the channel; after any other its leases expire.
    queue?.close(code === 1000 || code === 1001 ? code : LOST);
  }

  #leaveLobby(): void {
    for (const { timer } of this.#calls.values()) clearTimeout(timer);
    this.#calls.clear();
    for (const wait of this.#waits.values()) wait.leave();
    this.#waits.clear();
  }

  /** Applies operations to a queue without tasks. One that was accepted is answered by the queue itself. */
  #apply(operations: readonly QueueOperation[]): void {
    const nowMs = Date.now();
    for (const operation of operations) {
      const before = this.#nothing.size;
      const answer = operation.apply(this.#nothing, nowMs);
      if (this.#nothing.size === before) answer();
    }
  }
}

/** Any code that is not that of a clean end. */
const LOST = 4_001;

function emptyQueue(): TaskQueue {
  const finished = () => undefined;
  return new TaskQueue(DEFAULT_SETTINGS, {
    epoch: "early",
    nextSeq: 1,
    tasks: [],
    read: () => [],
    finished,
    newLeaseId,
    random: Math.random,
  });
}

const tooLate = (id: string) =>
  problem(
    "call-timed-out",
    504,
    "No worker took the call in time",
    "The queue does not exist, and nobody works for it.",
    {
      correlation_id: id,
    },
  );
