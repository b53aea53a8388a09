import type * as api from "../../core/queue/api.ts";
import { findBottlenecks } from "../../core/queue/bottlenecks.ts";
import type { FinishedQuery, FinishedTasks } from "../../core/queue/finished-query.ts";
import { pauseFrame } from "../../core/queue/pause.ts";
import type { CallerToken, LeaseQuery, Recipients, TasksQuery } from "../../core/queue/queries.ts";
import { changeSettings, type QueueSettings, type QueueSettingsChange } from "../../core/queue/queue-settings.ts";
import { queueStatus } from "../../core/queue/queue-status.ts";
import type { NewTask } from "../../core/queue/task.ts";
import type { TaskAction, TaskActionAnswer } from "../../core/queue/task-action.ts";
import { Waiters } from "../../core/queue/waiters.ts";
import { WORK_PROTOCOL } from "../../core/queue/work-frames.ts";
import type { SourceExport } from "../../core/telemetry/settings.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import type { Schema } from "../shell/schema.ts";
import { closeBack, isUpgrade, upgradeRequired } from "../shell/sockets.ts";
import { Administration, type BulkOrder } from "./administration.ts";
import { type Acting, actionOperation } from "./apply-action.ts";
import { auditCommands } from "./audit-commands.ts";
import type { QueueBindings } from "./bindings.ts";
import { type EachReceipt, enqueueEach, receiptOf } from "./enqueue-each.ts";
import { queueErasure } from "./erasure.ts";
import { EventFollowers, FOLLOWER } from "./event-followers.ts";
import { searchFinished } from "./finished-search.ts";
import { admitsByName } from "./host-names.ts";
import { lateMail } from "./late-mail.ts";
import type { LimitWatch } from "./limit-watch.ts";
import { type Addressee, addresseeOf, MailRecipients } from "./mail-recipients.ts";
import { addPlaces } from "./migrations/2-places.ts";
import { openingOf } from "./opening-of.ts";
import { type QueueOperation, submitted } from "./operation.ts";
import { PendingCalls } from "./pending-calls.ts";
import { QueueCommits } from "./queue-commits.ts";
import { queueOf } from "./queue-signals.ts";
import { queueState } from "./queue-state.ts";
import { OVERLOADED } from "./refusals.ts";
import { Registration } from "./registration.ts";
import { QUEUE_DELETED, removeQueue } from "./removal.ts";
import { type LeaseAnswer, WaitingLeases } from "./waiting-leases.ts";
import { WorkSockets } from "./work-sockets.ts";

/**
 * One queue of one ecosystem, named `<ecosystem>/<queue>`: tasks by priority, leases, retries, calls.
 *
 * The shell of the core's `TaskQueue`; see {@link QueueCommits} for how it changes. The runtime holds back what an object
 * sends until its writes are on the disk, so no answer goes out that a crash could undo. Calls that a connected
 * responder has at once are the exception: see UNWRITTEN_MS in task-store.ts.
 */
export class PriorityQueue extends EcosystemObject<QueueBindings> {
  static override readonly schema: Schema = {
    of: "PriorityQueue",
    steps: [addPlaces],
    copy: { leftOut: ["exported"] },
    erasure: queueErasure,
  };
  readonly #name: string;
  readonly #commits: QueueCommits;
  readonly #waiters = new Waiters((recipient) => this.#mailRecipients.note(recipient));
  readonly #sockets: WorkSockets;
  readonly #followers: EventFollowers;
  readonly #calls: PendingCalls;
  readonly #leases: WaitingLeases;
  readonly #registration: Registration;
  readonly #administration: Administration;
  readonly #mailRecipients: MailRecipients;
  readonly #acting: Acting = { store: () => this.#commits.store, sockets: () => this.#sockets };

  constructor(ctx: DurableObjectState, env: QueueBindings) {
    super(ctx, env);
    this.#name = this.objectName.includes("/") ? this.objectName : `${this.ecosystem}/default`;
    const parts = { env, ecosystem: this.ecosystem, sql: this.sql, alarms: this.alarms, heap: this.heap };
    this.#commits = new QueueCommits({
      ...parts,
      name: this.#name,
      transaction: this.transaction,
      keepAlive: (work) => ctx.waitUntil(work),
      receivers: () => ({
        waiters: this.#waiters,
        leases: this.#leases,
        calls: this.#calls,
        sockets: this.#sockets,
        followers: this.#followers,
      }),
      committed: (changed) => (changed ? this.#registration.begin() : this.#registration.retry()),
    });
    this.reports.of(() => queueState(this.#commits.runtime, this.#waiters, this.heap));
    const { store, hostSamples } = this.#commits;
    this.#mailRecipients = new MailRecipients(queueOf(this.#name), store);
    this.#registration = new Registration({
      env,
      ecosystem: this.ecosystem,
      queue: queueOf(this.#name),
      notes: store.notes,
      begun: store.nextSeq > 1 || store.notes.read("settings") !== undefined,
      keepAlive: (work) => ctx.waitUntil(work),
      wakeBy: (atMs) => this.alarms.wakeBy(atMs),
      learn: (known) => this.#commits.learn(known),
    });
    const submit = (changes: readonly QueueOperation[]) => this.#commits.submit(changes);
    const isOver = (token: CallerToken | undefined) => this.tagged.isOver(token);
    const [payloadOf, pause] = [store.payloadOf.bind(store), () => this.#commits.runtime.pause];
    const common = { waiters: this.#waiters, loads: hostSamples.loads, payloadOf, submit, isOver };
    this.#leases = new WaitingLeases({ ...common, pause, know: (host) => hostSamples.know(host) });
    this.#calls = new PendingCalls({
      queue: () => this.#commits.queue,
      breakers: () => this.#commits.runtime.breakers,
      submit,
      finished: (taskId) => store.done.find(taskId)?.record,
      serves: (recipient, needs) => this.#waiters.serves(recipient, needs),
      send: (connection, frame) => this.#sockets.send(connection, frame),
    });
    this.tagged.answerPings();
    const followers = new Set(this.tagged.all(FOLLOWER));
    this.#followers = new EventFollowers([...followers], isOver);
    const workers = this.tagged.all().filter((socket) => !followers.has(socket));
    this.#sockets = new WorkSockets(workers, {
      ...common,
      queue: () => this.#commits.queue,
      calls: this.#calls,
      queueName: queueOf(this.#name),
      pauseFrame: () => pause() && pauseFrame(pause()),
      wrote: auditCommands({ env, ctx, ecosystem: this.ecosystem }),
      admits: admitsByName({ env, ctx, ecosystem: this.ecosystem, submit, sockets: () => this.#sockets }),
      cancelOperation: (taskId, recipients) =>
        actionOperation({ action: "cancel", taskId, recipients }, this.#acting, nothing, nothing),
    });
    const [name, commits] = [this.#name, this.#commits];
    this.#administration = new Administration({ ...parts, name, commits, sockets: this.#acting.sockets, ctx });
  }

  /** Makes the queue exist before its first task: somebody calls, and somebody works for it. */
  begin(): Promise<void> {
    return this.#registration.register();
  }

  async enqueue(tasks: readonly NewTask[]): Promise<api.EnqueueAnswer> {
    const outcome = await submitted(this.#commits, (queue, nowMs) => ({ result: queue.enqueue(tasks, nowMs) }), tasks);
    // Once in the life of the queue: who asks for the task next must find the queue.
    await this.#registration.underWay;
    return "receipts" in outcome ? { tasks: outcome.receipts.map(receiptOf) } : outcome;
  }

  /** As {@link enqueue}, those tasks for which there is room. */
  async enqueueEach(tasks: readonly NewTask[]): Promise<EachReceipt> {
    const answer = await submitted(this.#commits, (queue, ms) => ({ result: enqueueEach(queue, tasks, ms) }), tasks);
    await this.#registration.underWay;
    return answer;
  }

  /** @returns the tasks as JSON texts; none when no task came within `waitMs` */
  lease(query: LeaseQuery): Promise<LeaseAnswer> {
    return this.#leases.wait(query);
  }

  applyAction(action: TaskAction): Promise<TaskActionAnswer> {
    return new Promise((resolve) =>
      this.#commits.submit([actionOperation(action, this.#acting, resolve, () => resolve(OVERLOADED))]),
    );
  }

  /** Resolves with the end of the call, or with its state after `timeoutMs`. A later result is kept with the task. */
  call(task: NewTask, timeoutMs: number, requireResponder: boolean): Promise<api.CallAnswer> {
    return this.#calls.call(task, timeoutMs, requireResponder);
  }

  /** How a call ended, or its state; `null`: the queue does not know the call, or not any more. */
  callResult(correlationId: string, recipients?: Recipients): api.CallAnswer | null {
    return this.#commits.isOf(recipients, correlationId) ? this.#calls.result(correlationId) : null;
  }

  /** @returns the task as JSON, or `null` */
  task(taskId: string, recipients?: Recipients): string | null {
    return this.#commits.taskOf(recipients, taskId);
  }

  /** As {@link task}, without the tasks that the queue does not know. */
  tasksById(taskIds: readonly string[]): string[] {
    return taskIds.flatMap((id) => this.#commits.taskJson(id) ?? []);
  }

  /** Unfinished tasks in the order of their arrival, as JSON texts. */
  tasks(query: TasksQuery): { tasks: string[]; next: number | null } {
    return this.#commits.page(query);
  }

  finishedTasks(query: FinishedQuery): FinishedTasks {
    return searchFinished(this.sql, query);
  }

  status(): api.QueueStatus {
    const status = queueStatus(queueOf(this.#name), this.#commits.runtime, this.#waiters, Date.now());
    const late_mail = lateMail(queueOf(this.#name), this.sql, Date.now());
    const unplaced = this.#commits.hostSamples.waiting();
    const trouble = { ...(late_mail.length > 0 && { late_mail }), ...(unplaced.length > 0 && { unplaced }) };
    return { ...status, bulk: this.#administration.progress, ...trouble, ...this.size() };
  }

  /** Of the queue `mail`: what is known of a recipient of messages. */
  addressee(recipient: string): Addressee {
    return addresseeOf(recipient, this.#commits.queue, this.#waiters, this.#mailRecipients);
  }

  bottlenecks(limit: number): api.Bottlenecks {
    return findBottlenecks(this.#commits.runtime.statistics, limit, Date.now());
  }

  events(tail: number): api.QueueEvent[] {
    return this.#commits.eventsFor(tail).last(tail);
  }

  /** @returns the settings after the change, which apply to tasks from now on */
  async configure(change: QueueSettingsChange): Promise<QueueSettings | api.QueueOverloaded> {
    const answer = await submitted(this.#commits, (queue) => {
      queue.settings = changeSettings(queue.settings, change);
      this.#commits.store.notes.write("settings", JSON.stringify(queue.settings));
      return { result: queue.settings };
    });
    if (!("overloaded" in answer)) await this.#registration.register();
    return answer;
  }

  /** Has the queue give out no tasks, or tasks again. @param reason - why it is paused; `undefined`: it goes on */
  setPaused(by: string, reason: string | null | undefined): ReturnType<Administration["setPaused"]> {
    return this.#administration.setPaused(by, reason);
  }

  /** Purges, cancels or retries all tasks of a filter, or counts them. */
  bulk(order: BulkOrder): ReturnType<Administration["bulk"]> {
    return this.#administration.bulk(order);
  }

  /** What of finished tasks goes to the export of the ecosystem, from now on. */
  exportTo(told: SourceExport): void {
    this.#commits.exports.outbox.set(told);
  }

  /** Tasks of the ecosystem have notes: from now on workers get them. */
  handNotes(): void {
    this.#commits.taskNotes.hand();
  }

  /** The limits of the ecosystem that are closed. @returns `false`: this queue does not have to know */
  closeLimits(table: Parameters<LimitWatch["take"]>[0]): Promise<boolean> {
    return this.#commits.limits.take(table);
  }

  /** Closes the channels that were opened with a token that is deleted or has expired. */
  closeToken(id: string): void {
    this.tagged.closeToken(id, (socket) => [this.#followers.close(socket), this.#sockets.close(socket, false)]);
    this.#leases.closeToken(id);
  }

  /** Deletes the queue. @param force - also while it has unfinished tasks, which are lost */
  remove(force: boolean): Promise<api.QueueRemoval> {
    const { ctx, env, ecosystem, tagged, used } = this;
    const own = { name: this.#name, commits: this.#commits, leases: this.#leases, calls: this.#calls };
    return removeQueue({ ctx, env, ecosystem, tagged, used, ...own, force });
  }

  /** Ends this object in memory, after {@link remove}: the next call finds an object without a past. Never answers. */
  end(): void {
    this.ctx.abort(QUEUE_DELETED);
  }

  /** WebSocket upgrades: `/work?worker=&may_write=` and `/events?tail=&after=`. */
  override fetch(request: Request): Response {
    if (!isUpgrade(request)) return upgradeRequired();
    const { searchParams, pathname } = new URL(request.url);
    const ended = this.tagged.refusal(searchParams);
    if (ended !== undefined) return ended;
    if (pathname === "/events")
      return this.#followers.accept(this.tagged, searchParams, (count) => this.#commits.eventsFor(count));
    const { server, answer } = this.tagged.accept(searchParams);
    this.#sockets.open(server, openingOf(searchParams, queueOf(this.#name)));
    return answer(WORK_PROTOCOL);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    if (this.tagged.answersPing(socket, message) || this.#followers.acknowledge(socket, message)) return;
    this.#sockets.receive(socket, message);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#followers.close(socket);
    this.#sockets.close(socket, code === 1000 || code === 1001);
    closeBack(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    this.#followers.close(socket);
    this.#sockets.close(socket, false);
  }

  override alarm(): Promise<void> {
    this.#administration.goOn();
    return this.#commits.alarm();
  }
}

const nothing = () => undefined;
