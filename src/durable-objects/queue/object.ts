import { DurableObject } from "cloudflare:workers";
import { type Usage, UsageMeter } from "../../core/billing/usage.ts";
import { GroupCommit } from "../../core/group-commit/group-commit.ts";
import type * as api from "../../core/queue/api.ts";
import { findBottlenecks } from "../../core/queue/bottlenecks.ts";
import type { Entry } from "../../core/queue/entry.ts";
import { changeSettings, type QueueSettings, type QueueSettingsChange } from "../../core/queue/queue-settings.ts";
import { queueStatus } from "../../core/queue/queue-status.ts";
import type { FinishedTask, NewTask } from "../../core/queue/task.ts";
import type { EnqueueReceipt, TaskQueue } from "../../core/queue/task-queue.ts";
import { entryJson, finishedJson } from "../../core/queue/task-view.ts";
import { Waiters } from "../../core/queue/waiters.ts";
import { WORK_PROTOCOL } from "../../core/queue/work-frames.ts";
import { PING, PONG } from "../../core/wire/link-frames.ts";
import type { Environment } from "../../workers/environment.ts";
import { meteredSql } from "../shell/metered-storage.ts";
import { Outbox } from "../shell/outbox.ts";
import { OutboxRelay } from "../shell/outbox-relay.ts";
import { TOKEN_GONE, TOKEN_GONE_REASON, tokenTag, tokenTags } from "../shell/token-tags.ts";
import { applyAction } from "./apply-action.ts";
import { EventFollowers, FOLLOWER } from "./event-followers.ts";
import { operationOf, type QueueOperation } from "./operation.ts";
import { PendingCalls } from "./pending-calls.ts";
import { ecosystemOf, QueueRuntime, queueOf } from "./queue-runtime.ts";
import { OVERLOADED } from "./refusals.ts";
import { PASSING_MS, TaskStore } from "./task-store.ts";
import { WaitingLeases } from "./waiting-leases.ts";
import { WorkSockets } from "./work-sockets.ts";

/**
 * One queue of one ecosystem, named `<ecosystem>/<queue>`: tasks by priority, leases, retries, calls.
 *
 * The shell of {@link TaskQueue}: every change is made in memory and written in one transaction, together with others
 * that arrived in the same turn; then, and only then, it is answered, and tasks go out to those who wait. The runtime
 * holds back what an object sends until its writes are on the disk, so nobody hears of what a crash could undo. Calls
 * that a connected responder has at once are the exception: see PASSING_MS in task-store.ts.
 */
export class PriorityQueue extends DurableObject<Environment> {
  readonly #name: string;
  readonly #store: TaskStore;
  readonly #box: Outbox;
  readonly #meter = new UsageMeter();
  readonly #commits: GroupCommit<readonly QueueOperation[]>;
  readonly #waiters = new Waiters();
  readonly #sockets: WorkSockets;
  readonly #followers: EventFollowers;
  readonly #calls: PendingCalls;
  readonly #leases: WaitingLeases;
  readonly #delivery: OutboxRelay;
  #books: QueueRuntime;
  #alarmAtMs: number | undefined;
  #passing: ReturnType<typeof setTimeout> | undefined;
  #registered: boolean;

  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env);
    const sql = meteredSql(ctx.storage.sql, this.#meter);
    this.#store = new TaskStore(sql);
    this.#box = new Outbox(sql);
    this.#name = ctx.id.name ?? this.#store.note("name") ?? "default/default";
    this.#registered = this.#store.note("registered") !== undefined;
    this.#books = new QueueRuntime(this.#name, this.#store, this.#box, Date.now());
    this.#delivery = new OutboxRelay({
      ...{ env, box: this.#box, ecosystem: ecosystemOf(this.#name), name: "queue" },
      wakeBy: (atMs) => this.#wakeBy(atMs),
    });
    this.#commits = new GroupCommit<readonly QueueOperation[]>({
      commit: (groups) => this.#commit(groups.flat(), false),
      weigh: (changes) => changes.reduce((sum, { weight }) => sum + weight, 0),
      refuse: (changes) => {
        for (const { refuse } of changes) refuse();
        this.#sockets.flush();
      },
      turn: () => new Promise((resolve) => setTimeout(resolve, 0)),
      pause: () => new Promise((resolve) => setTimeout(resolve, 1)),
    });
    const queue = () => this.#queue;
    const submit = (changes: readonly QueueOperation[]) => this.#commits.add(changes);
    const payloadOf = (entry: Entry) => this.#store.payloadOf(entry);
    this.#leases = new WaitingLeases({ waiters: this.#waiters, payloadOf, submit });
    this.#calls = new PendingCalls({
      ...{ queue, submit },
      finished: (taskId) => this.#store.finished(taskId)?.record,
      serves: (recipient) => this.#waiters.serves(recipient),
      send: (connection, frame) => this.#sockets.say(connection, frame),
    });
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    const followers = new Set(ctx.getWebSockets(FOLLOWER));
    this.#followers = new EventFollowers([...followers]);
    const workers = ctx.getWebSockets().filter((socket) => !followers.has(socket));
    this.#sockets = new WorkSockets(workers, {
      ...{ queue, submit, payloadOf, waiters: this.#waiters, calls: this.#calls },
      cancelling: (taskId) =>
        this.#actionOperation(
          { action: "cancel", taskId },
          () => undefined,
          () => undefined,
        ),
    });
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmAtMs = (await ctx.storage.getAlarm()) ?? undefined;
    });
  }

  enqueue(tasks: readonly NewTask[]): Promise<api.EnqueueAnswer> {
    return this.#changing((resolve, refuse) =>
      operationOf(
        (queue, nowMs) => queue.enqueue(tasks, nowMs),
        (outcome) => resolve("full" in outcome ? outcome : { tasks: outcome.receipts.map(receiptOf) }),
        refuse,
        tasks,
      ),
    );
  }

  /** @returns the tasks as JSON texts; none after `waitMs` in which none came */
  lease(query: api.LeaseQuery): Promise<readonly string[] | api.QueueOverloaded> {
    this.#meter.add({ requests: 1 });
    return this.#leases.wait(query);
  }

  applyAction(action: api.TaskAction): Promise<api.TaskActionAnswer> {
    return this.#changing((resolve, refuse) => this.#actionOperation(action, resolve, refuse));
  }

  /** Resolves with the call's end, or with where it stands after `timeoutMs`. Its result is kept either way. */
  call(task: NewTask, timeoutMs: number, requireResponder: boolean): Promise<api.CallAnswer> {
    this.#meter.add({ requests: 1 });
    return this.#calls.ask(task, timeoutMs, requireResponder);
  }

  /** How a call ended or where it stands; `null`: there is no such call, or not any more. */
  callResult(correlationId: string): api.CallAnswer | null {
    return this.#calls.result(correlationId);
  }

  /** @returns the task as JSON, or `null` */
  task(taskId: string): string | null {
    this.#meter.add({ requests: 1 });
    const entry = this.#queue.find(taskId);
    if (entry !== undefined) return entryJson(entry, this.#store.payloadOf(entry));
    const finished = this.#store.finished(taskId);
    return finished === undefined ? null : finishedJson(finished.record, finished.payload);
  }

  /** As {@link task}, without those that are not known. */
  tasksById(taskIds: readonly string[]): string[] {
    return taskIds.flatMap((id) => this.task(id) ?? []);
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
    return this.#changing((resolve, refuse) =>
      operationOf(
        (queue) => {
          queue.settings = changeSettings(queue.settings, change);
          this.#store.writeNote("settings", JSON.stringify(queue.settings));
          return queue.settings;
        },
        resolve,
        refuse,
      ),
    );
  }

  /** Closes what was opened with a token that is no more. */
  closeToken(id: string): void {
    this.#meter.add({ requests: 1 });
    for (const socket of this.ctx.getWebSockets(tokenTag(id))) {
      this.#followers.close(socket);
      this.#sockets.close(socket, false);
      socket.close(TOKEN_GONE, TOKEN_GONE_REASON);
    }
  }

  /** What this object has used since it was last woken. */
  usage(): Usage {
    return this.#meter.usage;
  }

  /** WebSocket upgrades: `/work?worker=&may_ask=` and `/events?tail=&after=`. */
  override fetch(request: Request): Response {
    if (request.headers.get("Upgrade")?.toLowerCase() !== "websocket") return new Response(null, { status: 426 });
    const { searchParams, pathname } = new URL(request.url);
    const { 0: client, 1: server } = new WebSocketPair();
    this.#meter.add({ requests: 1 });
    const tags = tokenTags(searchParams);
    if (pathname === "/events") {
      this.ctx.acceptWebSocket(server, [FOLLOWER, ...tags]);
      const tail = Number(searchParams.get("tail") ?? "0");
      this.#followers.open(server, this.#books.events, searchParams.get("after"), tail);
      return new Response(null, { status: 101, webSocket: client });
    }
    this.ctx.acceptWebSocket(server, tags);
    this.#sockets.open(server, searchParams.get("worker") ?? "unnamed", searchParams.get("may_ask") === "1");
    const headers = new Headers({ "Sec-WebSocket-Protocol": WORK_PROTOCOL });
    return new Response(null, { status: 101, webSocket: client, headers });
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#meter.add({ socket_messages: 1 });
    if (this.#followers.has(socket)) this.#followers.hear(socket, message);
    else this.#sockets.hear(socket, message);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#followers.close(socket);
    this.#sockets.close(socket, code === 1000 || code === 1001);
    // 1005 and 1006 say that no code came, and may not be sent.
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }

  override webSocketError(socket: WebSocket): void {
    this.#followers.close(socket);
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
  #changing<Answer>(
    change: (resolve: (answer: Answer | api.QueueOverloaded) => void, refuse: () => void) => QueueOperation,
  ): Promise<Answer | api.QueueOverloaded> {
    this.#meter.add({ requests: 1 });
    return new Promise((resolve) => this.#commits.add([change(resolve, () => resolve(OVERLOADED))]));
  }

  #actionOperation(
    asked: api.TaskAction,
    answer: (answer: api.TaskActionAnswer) => void,
    refuse: () => void,
  ): QueueOperation {
    return operationOf(
      (queue, nowMs) => applyAction(asked, queue, this.#store, nowMs),
      (outcome) => {
        if (outcome.cancelled !== undefined) this.#sockets.cancelled(asked.taskId, outcome.cancelled);
        answer(outcome.answer);
      },
      refuse,
      [asked],
    );
  }

  #commit(changes: readonly QueueOperation[], atAlarm: boolean): void {
    const nowMs = Date.now();
    let answers: (() => void)[] = [];
    let finished: readonly { readonly record: FinishedTask }[] = [];
    try {
      this.ctx.storage.transactionSync(() => {
        this.#store.recall(changes.flatMap(({ ids }) => ids.filter((id) => this.#queue.find(id) === undefined)));
        this.#queue.advanceClock(nowMs);
        answers = changes.map(({ make }) => make(this.#queue, nowMs));
        this.#waiters.handOut(this.#queue, nowMs);
        ({ finished } = this.#books.write(nowMs, atAlarm));
      });
    } catch (error) {
      // Memory has gone ahead of the disk: take the disk's word. Nobody was answered, so all of them ask again.
      console.error("priority queue: a commit failed", this.#name, String(error));
      for (const entry of this.#store.passing) this.#calls.lost(entry);
      this.#books = new QueueRuntime(this.#name, this.#store.reload(), this.#box, nowMs, this.#books.events);
      this.#sockets.forgetGiven();
      this.#leases.refuseServed();
      for (const { refuse } of changes) refuse();
      this.#sockets.flush();
      // What only memory had to do again: timers, and hand-outs to those who wait.
      this.#wakeBy(nowMs + OVERLOADED.retry_after_ms);
      return;
    }
    // Same turn, hence the same write to the disk: what is due has an alarm behind it, whatever crashes next.
    const due = this.#books.nextDueMs;
    if (due !== undefined) this.#wakeBy(due);
    for (const answer of answers) answer();
    this.#leases.answerServed();
    this.#sockets.tellGiven();
    for (const { record } of finished) this.#calls.finished(record);
    this.#sockets.flush();
    this.#followers.tell(this.#books.events);
    this.#handOver();
    this.#writePassing();
  }

  /** Sees to it that calls which are only in memory do not stay so. */
  #writePassing(): void {
    if (this.#passing !== undefined || this.#store.passing.length === 0) return;
    this.#passing = setTimeout(() => {
      this.#passing = undefined;
      this.#commit([], false);
    }, PASSING_MS);
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

  /** An alarm that is early enough is left as it is: each costs a row, and most timers are set again before they end. */
  #wakeBy(atMs: number): void {
    if (this.#alarmAtMs !== undefined && this.#alarmAtMs <= atMs) return;
    this.#alarmAtMs = atMs;
    this.#meter.add({ rows_written: 1 });
    void this.ctx.storage.setAlarm(atMs);
  }
}

const receiptOf = ({ taskId, status }: EnqueueReceipt): api.TaskReceipt => ({ task_id: taskId, status });
