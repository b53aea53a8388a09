import type { ProcessName } from "../../core/hosts/process-life.ts";
import type { LockFindings, LockPage, OwnerProcess } from "../../core/locks/api.ts";
import { FoundCycles } from "../../core/locks/found-cycles.ts";
import type { LockRequest } from "../../core/locks/hold.ts";
import { LATE_MS } from "../../core/locks/limits.ts";
import { LockName } from "../../core/locks/lock-name.ts";
import { cycleSignal, freedSignal, lateSignal, SignalAllowance } from "../../core/locks/lock-signal.ts";
import { LockTable } from "../../core/locks/lock-table.ts";
import type { Claim, CycleStep, LockEvents } from "../../core/locks/outcomes.ts";
import { heldView, type LockQuery, lockPage, notHeldView, waitView } from "../../core/locks/view.ts";
import { lockSamples } from "../../core/metrics/samples.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { logLine } from "../shell/log-line.ts";
import { NotedNumbers } from "../shell/noted-numbers.ts";
import { Outbox } from "../shell/outbox.ts";
import { OutboxRelay, RETRY_MS } from "../shell/outbox-relay.ts";
import { objectNamed } from "../shell/ports.ts";
import type { Schema } from "../shell/schema.ts";
import { type AcquireAnswer, type AcquireCall, type ClaimAnswer, refusedView } from "./calls.ts";
import { locksErasure } from "./erasure.ts";
import { LockStore } from "./lock-store.ts";
import type { LocksBindings } from "./ports.ts";
import { type WaitEnd, WaitingRequests } from "./waiting-requests.ts";
import { WaitingTurn } from "./waiting-turn.ts";

/** Locks bound to processes that are asked after in one call. */
const MAX_ASKED = 500;
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
      without: (table, row) => (table === "notes" && row.name === "listed" ? { ...row, value: "0" } : undefined),
    },
    erasure: locksErasure,
  };
  readonly #table = new LockTable();
  readonly #store: LockStore;
  readonly #numbers: NotedNumbers;
  readonly #outbox: Outbox;
  readonly #relay: OutboxRelay;
  readonly #waiting = new WaitingRequests();
  readonly #allowance = new SignalAllowance();
  readonly #cycles = new FoundCycles();

  constructor(ctx: DurableObjectState, env: LocksBindings) {
    super(ctx, env);
    const { ecosystem, sql, alarms } = this;
    this.#store = new LockStore(sql);
    this.#numbers = new NotedNumbers(this.#store.notes, (epoch) => `ganglion.locks.${epoch}`);
    this.#outbox = new Outbox(sql, this.#numbers);
    const wakeBy = (atMs: number) => alarms.wakeBy(atMs);
    this.#relay = new OutboxRelay({ env, outbox: this.#outbox, ecosystem, name: "locks", wakeBy });
    this.#table.load(this.#store.read(), this.#store.lastFence);
    this.reports.of(() => {
      const modes = [...this.#table.holds.values()].map(({ mode }) => mode);
      return { samples: lockSamples(modes, this.#table.waits.size), folded: 0 };
    });
  }

  /** @returns a turn where the lock is not free and the call waits for it */
  async acquire(call: AcquireCall): Promise<AcquireAnswer | { readonly turn: WaitingTurn }> {
    const { id, admin, waitMs } = call;
    const request = await this.#requestOf(call);
    if ("notRunning" in request) return request;
    const options = { id, exempt: admin, wait: waitMs > 0 };
    const answer = this.#change((nowMs) => {
      const acquired = this.#table.acquire(request, options, nowMs);
      if ("cycle" in acquired && acquired.cycle !== undefined) this.#found(acquired.cycle, nowMs);
      return acquired;
    });
    if ("held" in answer) return heldView(answer.held);
    if ("full" in answer) return answer;
    if ("blocked" in answer) return notHeldView(answer.blocked, answer.cycle);
    const giveUp = () => this.#giveUp(id);
    const ended = this.#waiting
      .wait(answer.waiting, waitMs, giveUp)
      .then((end): AcquireAnswer => ("held" in end ? heldView(end.held) : (end.notHeld ?? { lost: true })));
    return { turn: new WaitingTurn(ended, giveUp) };
  }

  renew(claim: Claim, ttlMs: number): ClaimAnswer {
    const answer = this.#change((nowMs) => this.#table.renew(claim, ttlMs, nowMs));
    return "held" in answer ? heldView(answer.held) : refusedView(answer);
  }

  release(claim: Claim): ClaimAnswer {
    const answer = this.#change((nowMs) => this.#table.release(claim, nowMs));
    return "released" in answer ? { released: true } : refusedView(answer);
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
    return { waits, total: late.length, cycles: this.#cycles.views(nowMs) };
  }

  override async alarm(): Promise<void> {
    this.#change((nowMs) => this.#table.advance(nowMs));
    await this.#askAfterProcesses();
    await this.#list();
    this.#outbox.takeFilled();
    await this.#relay.run();
  }

  /** A request waits no more: its time is over, or its sender has gone. */
  #giveUp(id: string): void {
    if (this.#table.waits.get(id) === undefined) return;
    try {
      const blocker = this.#change((nowMs) => this.#table.leave(id, true, nowMs));
      this.#waiting.end(id, { notHeld: blocker === undefined ? undefined : notHeldView(blocker) });
    } catch (error) {
      // Whoever waited has been told to send the request again.
      logLine("error", "wait-not-ended", { ecosystem: this.ecosystem, object: "locks", error });
    }
  }

  async #requestOf(call: AcquireCall): Promise<LockRequest | { readonly notRunning: OwnerProcess }> {
    const { name, mode, owner, token, ttlMs, task, process } = call;
    const request = { name: new LockName(name), mode, owner, token, ttlMs, task };
    if (process === null) return { ...request, process: null };
    const [life] = await this.#lives([process]);
    if (life === undefined || typeof life !== "object" || !("run" in life)) return { notRunning: process };
    return { ...request, process: { ...process, run: life.run } };
  }

  #lives(asked: readonly ProcessName[]) {
    return objectNamed(this.env.AGENT_REGISTRY, this.ecosystem, this.env).processLives(asked);
  }

  /** A lock whose process runs is held on. Where nobody can say, it is held until somebody can. */
  async #askAfterProcesses(): Promise<void> {
    const doubted = this.#table.doubted(MAX_ASKED);
    if (doubted.length === 0) return;
    try {
      const lives = await this.#lives(doubted.flatMap(({ process }) => process ?? []));
      this.#change((nowMs) => {
        for (const [place, { fence, process }] of doubted.entries()) {
          const life = lives[place] ?? "ended";
          const same = typeof life === "object" && "run" in life && life.run === process?.run;
          this.#table.judge(
            fence,
            typeof life === "object" && !("run" in life) ? life : same ? "alive" : "ended",
            nowMs,
          );
        }
      });
    } catch (error) {
      // The next alarm asks again.
      logLine("warn", "processes-of-locks-unknown", { ecosystem: this.ecosystem, object: "locks", error });
      this.alarms.wakeBy(Date.now() + RETRY_MS);
    }
  }

  /** Changes memory and disk together, and then answers those who waited. */
  #change<Answer>(work: (nowMs: number) => Answer): Answer {
    const nowMs = Date.now();
    const table = this.#table;
    const { answer, events } = this.transaction(
      () => {
        const given = { answer: work(nowMs), events: table.takeEvents() };
        this.#emit(given.events, nowMs);
        this.#store.write(table.takeChanged(), table.holds, table.lastFence);
        this.#numbers.write();
        return given;
      },
      () => {
        this.#store.reload();
        this.#numbers.reload();
        this.#outbox.forgetFilled();
        table.load(this.#store.read(), this.#store.lastFence);
        this.#waiting.endAll();
      },
    );
    for (const { waiter, hold } of events.granted) this.#waiting.end(waiter.id, { held: hold });
    for (const { id } of events.replaced) this.#waiting.end(id, REPLACED);
    this.#wake(nowMs);
    return answer;
  }

  #emit({ granted, freed }: LockEvents, nowMs: number): void {
    const signals = [
      ...freed.map(freedSignal),
      ...granted.filter(({ waiter }) => nowMs - waiter.sinceMs >= LATE_MS).map((one) => lateSignal(one, nowMs)),
    ];
    for (const signal of signals) this.#tell(signal, nowMs);
  }

  #found(cycle: readonly CycleStep[], nowMs: number): void {
    const id = this.#cycles.isNew(cycle, nowMs) ? this.#tell(cycleSignal(cycle), nowMs) : undefined;
    this.#cycles.add(cycle, id, nowMs);
  }

  #tell(
    signal: ReturnType<typeof freedSignal | typeof lateSignal | typeof cycleSignal>,
    nowMs: number,
  ): string | undefined {
    const leftOut = this.#allowance.take(nowMs);
    if (leftOut === undefined) return undefined;
    const facts = { ...signal.facts, ...(leftOut === 0 ? {} : { left_out: leftOut }) };
    return this.#outbox.emit({ ...signal, facts, timestampMs: nowMs });
  }

  /** In the turn of the change, hence in the same write to the disk: a crash cannot lose the alarm of a change. */
  #wake(nowMs: number): void {
    const due = this.#table.nextDueMs;
    if (due !== undefined) this.alarms.wakeBy(Math.min(due, nowMs + AHEAD_MS));
    if (this.#table.doubted(1).length > 0) this.alarms.wakeBy(nowMs + RETRY_MS);
    if (this.#table.holds.size > 0 && this.#store.notes.read("listed") !== "1") this.ctx.waitUntil(this.#list());
    if (!this.#outbox.takeFilled()) return;
    this.#relay.soon();
    this.ctx.waitUntil(this.#relay.run());
  }

  /** Lets the directory know that there are locks: nobody asks an ecosystem that never had any what waits. */
  async #list(): Promise<void> {
    const { notes } = this.#store;
    if (this.#table.holds.size === 0 || notes.read("listed") === "1") return;
    try {
      await objectNamed(this.env.DIRECTORY, "directory", this.env).mark("locking", this.ecosystem, true);
      notes.write("listed", "1");
    } catch (error) {
      // The next alarm repeats the call.
      logLine("warn", "locks-not-listed", { ecosystem: this.ecosystem, object: "locks", error });
      this.alarms.wakeBy(Date.now() + RETRY_MS);
    }
  }
}

/** The request was sent again: nobody reads this answer. */
const REPLACED: WaitEnd = { notHeld: undefined };
