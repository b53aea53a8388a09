import type { LockFindings, LockPage } from "../../core/locks/api.ts";
import { LATE_MS, LOCK_LIMITS } from "../../core/locks/limits.ts";
import { LOCK_PROTOCOL } from "../../core/locks/lock-frames.ts";
import { LockTable } from "../../core/locks/lock-table.ts";
import type { Claim } from "../../core/locks/outcomes.ts";
import { heldView, type LockQuery, lockPage, notHeldView, waitView } from "../../core/locks/view.ts";
import { lockSamples } from "../../core/metrics/samples.ts";
import { PROBLEM_TYPE } from "../../core/problem/problem.ts";
import { DirectoryMark, unlisted } from "../shell/directory-mark.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { logLine } from "../shell/log-line.ts";
import { RETRY_MS } from "../shell/outbox-relay.ts";
import { OwnSignals } from "../shell/own-signals.ts";
import type { Schema } from "../shell/schema.ts";
import { closeBack, isUpgrade, upgradeRequired } from "../shell/sockets.ts";
import { BoundProcesses } from "./bound-processes.ts";
import { type AcquireAnswer, type AcquireCall, type Asking, type ClaimAnswer, refusedView } from "./calls.ts";
import { locksErasure } from "./erasure.ts";
import { LockSignals } from "./lock-signals.ts";
import { LockSockets } from "./lock-sockets.ts";
import { LockStore } from "./lock-store.ts";
import type { LocksBindings } from "./ports.ts";
import { tooMany } from "./refusals.ts";
import { type WaitEnd, WaitingRequests } from "./waiting-requests.ts";
import { WaitingTurn } from "./waiting-turn.ts";

/** The alarm is at most so far ahead, so that a clock that was set back keeps no lock for long. */
const AHEAD_MS = 3_600_000;
const MAX_FINDINGS = 50;

/**
 * The locks of an ecosystem: who holds what, with which fence, and who waits.
 *
 * What is held is in memory and on the disk, and each change of it is written with the signals that follow from it before
 * anybody learns of it. Those who wait are requests: they end with the object, and are sent again. One alarm wakes for the first
 * of all locks that expires; locks that nobody waits for or renews cost nothing else.
 */
export class Locks extends EcosystemObject<LocksBindings> {
  static override readonly schema: Schema = {
    of: "Locks",
    steps: [],
    copy: {
      // A lock is held where it was acquired: its owner talks to that ecosystem. Fences go on in a copy, too.
      leftOut: ["locks"],
      // The directory of another deployment does not know yet that the ecosystem has locks.
      without: unlisted,
    },
    erasure: locksErasure,
  };
  readonly #table = new LockTable();
  readonly #store: LockStore;
  readonly #signals: OwnSignals;
  readonly #mark: DirectoryMark<"locking">;
  readonly #told: LockSignals;
  readonly #processes: BoundProcesses;
  readonly #waiting = new WaitingRequests();
  readonly #sockets: LockSockets;

  constructor(ctx: DurableObjectState, env: LocksBindings) {
    super(ctx, env);
    const { ecosystem, sql, alarms } = this;
    this.#store = new LockStore(sql);
    const wakeBy = (atMs: number) => alarms.wakeBy(atMs);
    const common = { ctx, env, ecosystem, sql, name: "locks", notes: this.#store.notes, wakeBy };
    this.#signals = new OwnSignals(common);
    this.#processes = new BoundProcesses(env, ecosystem);
    this.#told = new LockSignals(this.#signals);
    this.#mark = new DirectoryMark({ ...common, mark: "locking" });
    this.#table.load(this.#store.read(), this.#store.lastFence);
    this.tagged.answerPings();
    this.#sockets = new LockSockets(this.tagged.all(), {
      ask: (call, asking) => this.#ask(call, asking),
      renew: (claim, ttlMs) => this.#renew(claim, ttlMs),
      release: (claim) => this.#release(claim),
      blockerOf: (waiter) => this.#table.blockerOf(waiter),
      giveUp: (waiter) => this.#giveUp(waiter),
      wakeBy,
      isOver: (token) => this.tagged.isOver(token),
    });
    const { waiters } = this.#sockets;
    if (waiters.length > 0) this.#change((nowMs) => this.#table.restore(waiters, nowMs));
    this.reports.of(() => {
      const modes = [...this.#table.holds.values()].map(({ mode }) => mode);
      return { samples: lockSamples(modes, this.#table.waits.size), folded: 0 };
    });
  }

  /** @returns a turn where the lock is not free and the call waits for it */
  acquire(call: AcquireCall): Promise<AcquireAnswer | { readonly turn: WaitingTurn }> {
    const giveUp = () => this.#giveUp(call.id);
    return this.#ask(call, {
      waiting: (waiter) => {
        const ended = this.#waiting
          .wait(waiter, call.waitMs, giveUp)
          .then((end): AcquireAnswer => ("held" in end ? heldView(end.held) : (end.notHeld ?? { lost: true })));
        return { turn: new WaitingTurn(ended, giveUp) };
      },
    });
  }

  renew(claim: Claim, ttlMs: number): ClaimAnswer {
    return this.#renew(claim, ttlMs);
  }

  release(claim: Claim): ClaimAnswer {
    return this.#release(claim);
  }

  list(query: LockQuery): LockPage {
    this.#change((nowMs) => this.#table.advance(nowMs));
    return lockPage(this.#table, query);
  }

  /** Those who have waited for long, and cycles of waits that were found lately. */
  attention(): LockFindings {
    const nowMs = Date.now();
    const late = this.#table.waits.values().filter(({ sinceMs }) => nowMs - sinceMs >= LATE_MS);
    const waits = late.slice(0, MAX_FINDINGS).map((waiter) => waitView(waiter, this.#table.blockerOf(waiter)));
    return { waits, total: late.length, cycles: this.#told.cycles(nowMs) };
  }

  /** Closes the channels that were opened with a token that is deleted or has expired. */
  closeToken(id: string): void {
    this.tagged.closeToken(id, (socket) => this.#sockets.close(socket));
  }

  /** WebSocket upgrades: the channel of a process that locks. */
  override async fetch(request: Request): Promise<Response> {
    if (!isUpgrade(request)) return upgradeRequired();
    const { searchParams } = new URL(request.url);
    // Before it is open: where a token is deleted, the directory says whose channels are to be closed.
    await this.#mark.update(true);
    const ended = this.tagged.refusal(searchParams);
    if (ended !== undefined) return ended;
    if (this.tagged.countOf(searchParams.get("token") ?? "") >= LOCK_LIMITS.channels)
      return Response.json(tooMany("channels").problem, { status: 429, headers: { "Content-Type": PROBLEM_TYPE } });
    const { server, answer } = this.tagged.accept(searchParams);
    this.#sockets.open(server, searchParams);
    return answer(LOCK_PROTOCOL);
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (!this.tagged.answersPing(socket, message)) await this.#sockets.receive(socket, message);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#sockets.close(socket);
    closeBack(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    this.#sockets.close(socket);
  }

  override async alarm(): Promise<void> {
    this.#change((nowMs) => this.#table.advance(nowMs));
    this.#sockets.endLate(Date.now());
    await this.#judgeProcesses();
    if (this.#table.holds.size > 0) await this.#mark.update(true);
    await this.#signals.run();
  }

  /** @returns the turn of a request that waits, as the asker makes it */
  async #ask<Turn>(call: AcquireCall, asking: Asking<Turn>): Promise<AcquireAnswer | Turn> {
    const { id, admin, waitMs } = call;
    const request = await this.#processes.requestOf(call);
    if ("notRunning" in request) return request;
    if (asking.isGone?.() === true) return { lost: true };
    const options = { id, exempt: admin, wait: waitMs > 0 && asking.isCancelled?.() !== true };
    const answer = this.#change((nowMs) => {
      const acquired = this.#table.acquire(request, options, nowMs);
      if ("cycle" in acquired && acquired.cycle !== undefined) this.#told.found(acquired.cycle, nowMs);
      return acquired;
    });
    if ("held" in answer) return heldView(answer.held);
    if ("full" in answer) return answer;
    if ("blocked" in answer) return notHeldView(answer.blocked, answer.cycle);
    return asking.waiting(answer.waiting, Date.now());
  }

  #renew(claim: Claim, ttlMs: number): ClaimAnswer {
    const answer = this.#change((nowMs) => this.#table.renew(claim, ttlMs, nowMs));
    return "held" in answer ? heldView(answer.held) : refusedView(answer);
  }

  #release(claim: Claim): ClaimAnswer {
    const answer = this.#change((nowMs) => this.#table.release(claim, nowMs));
    return "released" in answer ? { released: true } : refusedView(answer);
  }

  /** A request waits no more: its time is over, or its sender has gone. */
  #giveUp(id: string): void {
    if (this.#table.waits.get(id) === undefined) return;
    try {
      const blocker = this.#change((nowMs) => this.#table.leave(id, true, nowMs));
      this.#end(id, { notHeld: blocker === undefined ? undefined : notHeldView(blocker) });
    } catch (error) {
      // Whoever waited has been told to send the request again.
      logLine("error", "wait-not-ended", { ecosystem: this.ecosystem, object: "locks", error });
    }
  }

  async #judgeProcesses(): Promise<void> {
    const judgements = await this.#processes.judgementsOf(this.#table);
    if (judgements === undefined) this.alarms.wakeBy(Date.now() + RETRY_MS);
    else if (judgements.length > 0)
      this.#change((nowMs) => {
        for (const { fence, life } of judgements) this.#table.judge(fence, life, nowMs);
      });
  }

  /** Changes memory and disk together, and then answers those who waited. */
  #change<Answer>(work: (nowMs: number) => Answer): Answer {
    const nowMs = Date.now();
    const table = this.#table;
    const { answer, events } = this.transaction(
      () => {
        const given = { answer: work(nowMs), events: table.takeEvents() };
        this.#told.emit(given.events, nowMs);
        this.#store.write(table.takeChanged(), table.holds, table.lastFence);
        this.#signals.write();
        return given;
      },
      () => {
        this.#store.reload();
        this.#signals.reload();
        table.load(this.#store.read(), this.#store.lastFence);
        this.#waiting.endAll();
        this.#sockets.endAll();
      },
    );
    for (const { waiter, hold } of events.granted) this.#end(waiter.id, { held: hold });
    for (const { id } of events.replaced) this.#end(id, REPLACED);
    this.#wake(nowMs);
    return answer;
  }

  /** Answers a request that waited, over whichever way it came. */
  #end(waiter: string, end: WaitEnd): void {
    this.#waiting.end(waiter, end);
    this.#sockets.end(waiter, end);
  }

  /** In the turn of the change, hence in the same write to the disk: a crash cannot lose the alarm of a change. */
  #wake(nowMs: number): void {
    const due = Math.min(this.#table.nextDueMs ?? NEVER, this.#sockets.dueMs ?? NEVER);
    if (due !== NEVER) this.alarms.wakeBy(Math.min(due, nowMs + AHEAD_MS));
    if (this.#table.doubted(1).length > 0) this.alarms.wakeBy(nowMs + RETRY_MS);
    if (this.#table.holds.size > 0 && !this.#mark.isSet) this.ctx.waitUntil(this.#mark.update(true));
    this.#signals.handOver();
  }
}

const NEVER = Number.POSITIVE_INFINITY;

/** The request was sent again: nobody reads this answer. */
const REPLACED: WaitEnd = { notHeld: undefined };
