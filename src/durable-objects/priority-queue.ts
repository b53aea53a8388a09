import { DurableObject } from "cloudflare:workers";
import { type Usage, UsageMeter } from "../core/billing/usage.ts";
import { type Problem, problem } from "../core/problem/problem.ts";
import { findBottlenecks } from "../core/tasks/bottlenecks.ts";
import { noResponder } from "../core/tasks/call-problems.ts";
import { CommitTurns } from "../core/tasks/commit-turns.ts";
import type * as api from "../core/tasks/queue-api.ts";
import { changeSettings, type QueueSettings, type QueueSettingsChange } from "../core/tasks/queue-settings.ts";
import { queueStatus } from "../core/tasks/queue-status.ts";
import type { FinishedTask, NewTask } from "../core/tasks/task.ts";
import type { Entry, TaskQueue } from "../core/tasks/task-queue.ts";
import { entryJson, finishedJson, leasedJson } from "../core/tasks/task-view.ts";
import { type Waiter, Waiters } from "../core/tasks/waiters.ts";
import { PING, PONG } from "../core/wire/link-frames.ts";
import { WORK_PROTOCOL } from "../core/wire/work-frames.ts";
import type { Environment } from "./environment.ts";
import { meteredSql } from "./metered-storage.ts";
import { answerOf, Callers, replyFrame } from "./priority-queue/callers.ts";
import { Delivery } from "./priority-queue/delivery.ts";
import { ecosystemOf, QueueBooks, queueOf } from "./priority-queue/queue-books.ts";
import { settle } from "./priority-queue/settle.ts";
import { TaskStore } from "./priority-queue/task-store.ts";
import { queueFull, WorkSockets } from "./priority-queue/work-sockets.ts";
import { OutgoingBox } from "./projection/outgoing.ts";

/** A waiting call for tasks; `got` fills while the transaction runs. */
interface WaitingLease {
  readonly waiter: Waiter;
  readonly got: Entry[];
  readonly finish: () => void;
  readonly refuse: () => void;
}

const OVERLOADED: api.QueueOverloaded = { overloaded: true, retry_after_ms: 500 };

/**
 * One queue of one ecosystem, named `<ecosystem>/<queue>`: tasks by priority, leases, retries, calls.
 *
 * The shell of {@link TaskQueue}: every change is made in memory and written in one transaction, together with others
 * that arrived in the same turn; then, and only then, it is answered, and tasks go out to those who wait. The runtime
 * holds back what an object sends until its writes are on the disk, so nobody hears of what a crash could undo.
 */
export class PriorityQueue extends DurableObject<Environment> {
  readonly #name: string;
  readonly #store: TaskStore;
  readonly #box: OutgoingBox;
  readonly #meter = new UsageMeter();
  readonly #commits: CommitTurns;
  readonly #waiters = new Waiters();
  readonly #sockets: WorkSockets;
  readonly #callers = new Callers();
  readonly #delivery: Delivery;
  readonly #servedLeases = new Set<WaitingLease>();
  #books: QueueBooks;
  #alarmAtMs: number | undefined;
  #registered: boolean;

  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env);
    const sql = meteredSql(ctx.storage.sql, this.#meter);
    this.#store = new TaskStore(sql);
    this.#box = new OutgoingBox(sql);
    this.#name = ctx.id.name ?? this.#store.note("name") ?? "default/default";
    this.#registered = this.#store.note("registered") !== undefined;
    this.#books = new QueueBooks(this.#name, this.#store, this.#box, Date.now());
    this.#delivery = new Delivery(env, this.#box, ecosystemOf(this.#name), (atMs) => this.#wakeBy(atMs));
    this.#commits = new CommitTurns({
      commit: (changes) => this.#commit(changes, false),
      turn: () => new Promise((resolve) => setTimeout(resolve, 0)),
    });
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    this.#sockets = new WorkSockets(ctx.getWebSockets(), {
      queue: () => this.#queue,
      payloadOf: (entry) => this.#store.payloadOf(entry),
      addWaiter: (waiter) => this.#waiters.add(waiter),
      removeWaiter: (waiter) => this.#waiters.remove(waiter),
      change: (make, answer, refuse) => this.#change(make, answer, refuse),
      call: (task, requireResponder, refuse) => this.#callOverChannel(task, requireResponder, refuse),
      cancel: (taskId) => void this.settle({ action: "cancel", taskId }),
    });
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmAtMs = (await ctx.storage.getAlarm()) ?? undefined;
    });
  }

  enqueue(tasks: readonly NewTask[]): Promise<api.EnqueueAnswer> {
    return this.#changing(
      (queue, nowMs) => queue.enqueue(tasks, nowMs),
      (outcome) =>
        "full" in outcome
          ? outcome
          : { tasks: outcome.receipts.map(({ taskId, status }) => ({ task_id: taskId, status })) },
    );
  }

  /** @returns the tasks as JSON texts; none after `waitMs` in which none came */
  lease({ recipient, max, leaseMs, waitMs, worker }: api.LeaseQuery): Promise<readonly string[] | api.QueueOverloaded> {
    this.#meter.add({ requests: 1 });
    const got: Entry[] = [];
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = (answer: readonly string[] | api.QueueOverloaded) => {
        if (timer !== undefined) clearTimeout(timer);
        this.#waiters.remove(waiter);
        resolve(answer);
      };
      const waiter: Waiter = {
        ...{ recipient, holder: `http:${crypto.randomUUID()}`, worker, leaseMs },
        hasRoom: () => got.length < max,
        give: (entry) => {
          got.push(entry);
          this.#servedLeases.add(waiting);
        },
      };
      const waiting: WaitingLease = {
        ...{ waiter, got },
        finish: () => end(got.map((entry) => leasedJson(entry, this.#store.payloadOf(entry)))),
        refuse: () => end(OVERLOADED),
      };
      this.#change(
        // Served with everybody else who waits, in turn: a call is not to overtake a worker that has waited longer.
        () => this.#waiters.add(waiter),
        () => {
          if (got.length > 0) return;
          if (waitMs === 0) end([]);
          else timer = setTimeout(() => end([]), waitMs);
        },
        () => end(OVERLOADED),
      );
    });
  }

  settle(settlement: api.Settlement): Promise<api.SettlementAnswer> {
    return this.#changing(
      (queue, nowMs) => settle(settlement, queue, this.#store, nowMs),
      ({ answer, cancelled }) => {
        if (cancelled !== undefined) this.#sockets.cancelled(settlement.taskId, cancelled);
        return answer;
      },
    );
  }

  /** Resolves with the call's end, or with where it stands after `timeoutMs`. Its result is kept either way. */
  call(task: NewTask, timeoutMs: number, requireResponder: boolean): Promise<api.CallAnswer> {
    this.#meter.add({ requests: 1 });
    const id = task.taskId ?? "";
    return new Promise((resolve) => {
      const listener = (record: FinishedTask) => {
        clearTimeout(timer);
        resolve(answerOf(record));
      };
      const timer = setTimeout(() => {
        this.#callers.remove(id, listener);
        resolve(this.callResult(id) ?? { correlation_id: id, pending: "queued" });
      }, timeoutMs);
      const end = (answer: api.CallAnswer) => {
        clearTimeout(timer);
        this.#callers.remove(id, listener);
        resolve(answer);
      };
      this.#callers.add(id, listener);
      this.#change(
        (queue, nowMs) => this.#putCall(task, requireResponder, queue, nowMs),
        (refused) => {
          if (refused !== undefined) end("record" in refused ? answerOf(refused.record) : refused);
        },
        () => end(OVERLOADED),
      );
    });
  }

  /** How a call ended or where it stands; `null`: there is no such call, or not any more. */
  callResult(correlationId: string): api.CallAnswer | null {
    const entry = this.#queue.find(correlationId);
    if (entry !== undefined) {
      return { correlation_id: correlationId, pending: entry.lease === null ? "queued" : "running" };
    }
    const finished = this.#store.finished(correlationId);
    return finished === undefined ? null : answerOf(finished.record);
  }

  /** @returns the task as JSON, or `null` */
  task(taskId: string): string | null {
    this.#meter.add({ requests: 1 });
    const entry = this.#queue.find(taskId);
    if (entry !== undefined) return entryJson(entry, this.#store.payloadOf(entry));
    const finished = this.#store.finished(taskId);
    return finished === undefined ? null : finishedJson(finished.record, finished.payload);
  }

  /** Unfinished tasks in the order of their arrival, as JSON texts. */
  tasks({ limit, after }: { limit: number; after: number }): { tasks: string[]; next: number | null } {
    const seqs = this.#store.seqsAfter(after, limit);
    const tasks = seqs.flatMap(({ taskId }) => this.task(taskId) ?? []);
    return { tasks, next: seqs.length < limit ? null : (seqs.at(-1)?.seq ?? null) };
  }

  status(): api.QueueStatus {
    const { queue, statistics, alerts } = this.#books;
    return queueStatus(queueOf(this.#name), { queue, statistics, alerts, waiters: this.#waiters }, Date.now());
  }

  bottlenecks(limit: number): api.Bottlenecks {
    return findBottlenecks(this.#books.statistics, limit, Date.now());
  }

  events(tail: number): api.QueueEvent[] {
    return this.#books.events.last(tail);
  }

  /** @returns the settings after the change; they hold for what comes from now on */
  configure(change: QueueSettingsChange): Promise<QueueSettings | api.QueueOverloaded> {
    return this.#changing(
      (queue) => {
        queue.settings = changeSettings(queue.settings, change);
        this.#store.writeNote("settings", JSON.stringify(queue.settings));
        return queue.settings;
      },
      (settings) => settings,
    );
  }

  /** What this object has used since it was last woken. */
  usage(): Usage {
    return this.#meter.usage;
  }

  /** WebSocket upgrades: `/work?worker=&may_ask=`. */
  override fetch(request: Request): Response {
    if (request.headers.get("Upgrade")?.toLowerCase() !== "websocket") return new Response(null, { status: 426 });
    const { searchParams } = new URL(request.url);
    const { 0: client, 1: server } = new WebSocketPair();
    this.#meter.add({ requests: 1 });
    this.ctx.acceptWebSocket(server);
    this.#sockets.open(server, searchParams.get("worker") ?? "unnamed", searchParams.get("may_ask") === "1");
    const headers = new Headers({ "Sec-WebSocket-Protocol": WORK_PROTOCOL });
    return new Response(null, { status: 101, webSocket: client, headers });
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#meter.add({ socket_messages: 1 });
    this.#sockets.hear(socket, message);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#sockets.close(socket, code === 1000 || code === 1001);
    // 1005 and 1006 say that no code came, and may not be sent.
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }

  override webSocketError(socket: WebSocket): void {
    this.#sockets.close(socket, false);
  }

  override async alarm(): Promise<void> {
    this.#alarmAtMs = undefined;
    this.#meter.add({ requests: 1 });
    this.#commit([], true);
    await this.#delivery.run(this.#producer);
  }

  get #queue(): TaskQueue {
    return this.#books.queue;
  }

  get #producer(): string {
    return `ganglion.queue.${queueOf(this.#name)}.${this.#books.epoch}`;
  }

  /** A change over RPC: it counts as a request, and its answer is a promise. */
  #changing<Result, Answer>(
    make: (queue: TaskQueue, nowMs: number) => Result,
    answer: (result: Result) => Answer,
  ): Promise<Answer | api.QueueOverloaded> {
    this.#meter.add({ requests: 1 });
    return new Promise((resolve) =>
      this.#change(
        make,
        (result) => resolve(answer(result)),
        () => resolve(OVERLOADED),
      ),
    );
  }

  #change<Result>(
    make: (queue: TaskQueue, nowMs: number) => Result,
    answer: (result: Result) => void,
    refuse: () => void,
  ): void {
    const change = {
      make: (nowMs: number) => {
        const result = make(this.#queue, nowMs);
        return () => answer(result);
      },
      refuse,
    };
    this.#commits.add(change);
  }

  #commit(changes: readonly { make: (nowMs: number) => () => void; refuse: () => void }[], atAlarm: boolean): void {
    const nowMs = Date.now();
    let answers: (() => void)[] = [];
    let finished: readonly { readonly record: FinishedTask }[] = [];
    try {
      this.ctx.storage.transactionSync(() => {
        this.#queue.pass(nowMs);
        answers = changes.map(({ make }) => make(nowMs));
        this.#waiters.handOut(this.#queue, nowMs);
        ({ finished } = this.#books.write(nowMs, atAlarm));
      });
    } catch (error) {
      // Memory has gone ahead of the disk: take the disk's word. Nobody was answered, so all of them ask again.
      console.error("priority queue: a commit failed", this.#name, String(error));
      this.#books = new QueueBooks(this.#name, this.#store.reload(), this.#box, nowMs);
      this.#sockets.forgetGiven();
      for (const waiting of this.#servedLeases) waiting.refuse();
      this.#servedLeases.clear();
      for (const { refuse } of changes) refuse();
      // What only memory had to do again: timers, and hand-outs to those who wait.
      this.#wakeBy(nowMs + OVERLOADED.retry_after_ms);
      return;
    }
    // Same turn, hence the same write to the disk: what is due has an alarm behind it, whatever crashes next.
    const due = this.#books.nextDueMs;
    if (due !== undefined) this.#wakeBy(due);
    for (const answer of answers) answer();
    for (const waiting of this.#servedLeases) waiting.finish();
    this.#servedLeases.clear();
    this.#sockets.sendGiven();
    for (const { record } of finished) this.#reply(record);
    this.#handOver();
  }

  #reply(record: FinishedTask): void {
    this.#callers.finished(record);
    if (record.caller?.startsWith("ws:") === true) this.#sockets.reply(record.caller.slice(3), replyFrame(record));
  }

  /** Hands over what was decided, and makes the queue known. Both are tried again until they succeed. */
  #handOver(): void {
    if (this.#books.filled) {
      this.#books.filled = false;
      this.#delivery.soon();
      this.ctx.waitUntil(this.#delivery.run(this.#producer));
    }
    if (this.#registered) return;
    this.#registered = true;
    const directory = this.env.DIRECTORY.get(this.env.DIRECTORY.idFromName("directory"));
    const registering = directory.addQueue(ecosystemOf(this.#name), queueOf(this.#name), Date.now()).then(
      () => this.#store.writeNote("registered", "1"),
      (error: unknown) => {
        // With the next change it is tried again.
        this.#registered = false;
        console.warn("priority queue: not listed yet", this.#name, String(error));
      },
    );
    this.ctx.waitUntil(registering);
  }

  #putCall(
    task: NewTask,
    requireResponder: boolean,
    queue: TaskQueue,
    nowMs: number,
  ): { refused: "no_responder" | "full" } | { record: FinishedTask } | undefined {
    const known = queue.find(task.taskId ?? "");
    if (known !== undefined) return undefined;
    if (requireResponder && !this.#waiters.serves(task.recipient)) {
      return this.#store.finished(task.taskId ?? "") ?? { refused: "no_responder" };
    }
    const outcome = queue.enqueue([task], nowMs);
    if ("full" in outcome) return { refused: "full" };
    return outcome.receipts[0]?.known === true ? this.#store.finished(task.taskId ?? "") : undefined;
  }

  #callOverChannel(task: NewTask, requireResponder: boolean, refuse: (problem: Problem) => void): void {
    const [id, caller] = [task.taskId ?? "", task.caller?.slice(3) ?? ""];
    this.#change(
      (queue, nowMs) => {
        const refused = this.#putCall(task, requireResponder, queue, nowMs);
        // The same call from another connection: the task names the first one, this one is remembered here.
        const elsewhere = refused === undefined && queue.find(id)?.caller !== task.caller;
        return { refused, elsewhere };
      },
      ({ refused, elsewhere }) => {
        if (elsewhere) this.#callers.add(id, (record) => this.#sockets.reply(caller, replyFrame(record)));
        if (refused === undefined) return;
        if ("record" in refused) this.#sockets.reply(caller, replyFrame(refused.record));
        else
          refuse(refused.refused === "full" ? queueFull(this.#queue.settings.capacity) : noResponder(task.recipient));
      },
      () => refuse(problem("overloaded", 503, "Too much at once", "the queue could not take it; call again")),
    );
  }

  /** An alarm that is early enough is left as it is: each costs a row, and most timers are set again before they end. */
  #wakeBy(atMs: number): void {
    if (this.#alarmAtMs !== undefined && this.#alarmAtMs <= atMs) return;
    this.#alarmAtMs = atMs;
    this.#meter.add({ rows_written: 1 });
    void this.ctx.storage.setAlarm(atMs);
  }
}
