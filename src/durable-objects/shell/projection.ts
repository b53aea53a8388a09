import type { ObjectSize } from "../../core/billing/heap-budget.ts";
import type { DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import type { ProjectionPlace } from "../../core/projection/api.ts";
import type { ProjectionBatch, ProjectionName } from "../../core/projection/batch.ts";
import { planIntake } from "../../core/projection/intake.ts";
import type { ReprocessAnswer } from "../../core/projection/reprocess.ts";
import { LIMITS } from "../../core/signals/limits.ts";
import { type SenderRange, Senders } from "../../core/signals/log/senders.ts";
import type { Signal } from "../../core/signals/signal.ts";
import { lineSeq, readSignalLine } from "../../core/signals/signal-line.ts";
import type { AlarmClock } from "./alarm-clock.ts";
import type { Decisions, SignalDecisions } from "./decisions.ts";
import { EffectRelay } from "./effect-relay.ts";
import { FollowedLog, type OtherLog } from "./followed-log.ts";
import { Outbox } from "./outbox.ts";
import { OutboxRelay, RETRY_MS } from "./outbox-relay.ts";
import { objectNamed } from "./ports.ts";
import type { Position } from "./position.ts";
import type { ProjectedState } from "./projected-state.ts";
import { ProjectionDecisions } from "./projection-decisions.ts";
import type { LogCalls, ProjectionEnvironment } from "./projection-environment.ts";
import { Reprocessed } from "./reprocessed.ts";
import { Turns } from "./turns.ts";

/** Signals read from the log at once while filling a gap. */
const READ_LIMIT = 2_000;

/** Of its object, as a projection uses it. */
export interface ProjectionOptions {
  readonly env: ProjectionEnvironment;
  readonly ecosystem: string;
  readonly sql: SqlStorage;
  readonly alarms: AlarmClock;
  readonly transaction: <Result>(change: () => Result, reload: () => void) => Result;
  readonly name: ProjectionName;
  readonly position: Position;
}

/**
 * Takes the log into a {@link ProjectedState}, each signal once and in order. State, cursor and outgoing signals are
 * written in one transaction, so a crash leaves either none or all of them, and repeated signals lie below the cursor.
 */
export class Projection {
  readonly #options: ProjectionOptions;
  readonly #position: Position;
  readonly #outbox: Outbox;
  readonly #decisions: ProjectionDecisions;
  readonly #relay: OutboxRelay;
  readonly #reprocessed: Reprocessed;
  readonly #turns = new Turns();
  readonly #followed: FollowedLog;
  #state: ProjectedState | undefined;

  constructor(options: ProjectionOptions) {
    const { env, ecosystem, sql, alarms, name, position } = options;
    this.#options = options;
    this.#position = position;
    this.#outbox = new Outbox(sql, this.#position);
    this.#decisions = new ProjectionDecisions(this.#outbox, this.#position.bridges, name);
    const effects = new EffectRelay({
      env,
      ecosystem,
      effects: this.#outbox.effects,
      sender: "ganglion/policy",
      deadLetter: (record) => this.#outbox.deadLetter(record),
      bridges: this.#position.bridges,
      transaction: (change) => this.#transaction(change),
      fates: () => this.#state,
    });
    this.#relay = new OutboxRelay({
      env,
      ecosystem,
      outbox: this.#outbox,
      name: `projection ${name}`,
      wakeBy: (atMs) => alarms.wakeBy(atMs),
      complete: (record) => this.#withLineage(record),
      more: () => effects.run(),
    });
    this.#reprocessed = new Reprocessed(sql);
    this.#followed = new FollowedLog(this.#position, () => this.#log.reached());
  }

  /** Gives the projection its state, which may need the projection to be made. */
  attach(state: ProjectedState): void {
    this.#state = state;
  }

  get cursor(): number {
    return this.#position.cursor;
  }

  get place(): Omit<ProjectionPlace, keyof ObjectSize> {
    return { cursor: this.cursor, foreign_messages: this.#followed.foreign };
  }

  /** The effects of signals up to here were emitted already, also where a rebuild has not reached them again. */
  get mutedThrough(): number {
    return this.#position.mutedThrough;
  }

  /** Whether the signal at `seq` has been taken in before and the state is being derived from the log again. */
  isReplaying(seq: number): boolean {
    return seq <= this.#position.mutedThrough;
  }

  /** @returns the cursor afterwards */
  project(batches: readonly ProjectionBatch[]): Promise<number> {
    return this.inTurn(async () => {
      for (const batch of batches) {
        if (!(await this.#isFollowed(batch.log))) continue;
        const intake = planIntake(this.cursor, batch, lineSeq);
        if (intake.step === "read") await this.readThrough(intake.through);
        if (intake.step === "take") this.#takeIn(intake.lines, intake.through, intake.senders);
      }
      return this.#settle();
    });
  }

  /** Takes the log in up to `headSeq`. @param log - its epoch @returns the cursor afterwards */
  catchUp(headSeq: number, log?: string): Promise<number> {
    return this.inTurn(async () => {
      // A log that ends before the cursor was set back, unless the call is older than the log.
      if (headSeq < this.cursor || !this.#followed.knows(log)) await this.#compare();
      await this.readThrough(headSeq);
      return this.#settle();
    });
  }

  /** Deletes the state and derives it from the log again. Effects that were emitted before are not emitted again. */
  rebuild(): Promise<number> {
    return this.inTurn(async () => {
      const reached = this.cursor;
      this.#startOver(Math.max(reached, this.mutedThrough));
      await this.readThrough(reached);
      return this.#settle();
    });
  }

  /**
   * Processes a signal again that became a dead letter of this projection, or the part of the work that did: once,
   * however often it is asked for. What fails again changes nothing.
   *
   * @param part - as in the dead letter's id; `null`: the whole signal
   */
  reprocess(seq: number, part: string | null): Promise<ReprocessAnswer> {
    return this.inTurn(async () => {
      const id = part === null ? String(seq) : `${seq}.${part}`;
      if (this.#reprocessed.has(id)) return { outcome: "known" };
      // A signal that was never taken in has not failed yet; taken in later it would have its effect a second time.
      // Nor may it meet a state that a rebuild has not derived as far as the state was before.
      await this.readThrough(Math.max(seq, this.mutedThrough));
      // Read past the subscription: the rule that wanted the signal may be gone, and then it says so itself.
      const stretch = await this.#log.stretch(this.#options.name, seq - 1, 1, ["*"]);
      const line = stretch.lines.find((one) => lineSeq(one) === seq);
      if (line === undefined) return { outcome: "gone" };
      try {
        this.#transaction(() => {
          const signal = readSignalLine(line);
          this.#reprocess(signal, part, new Senders(stretch.senders).of(seq, signal.id));
          this.#reprocessed.add(id);
        });
      } catch (error) {
        return { outcome: "failed", error: error instanceof Error ? error.message : String(error) };
      }
      void this.#relay.run();
      await this.#settle();
      return { outcome: "taken" };
    });
  }

  /** To be called when the object's alarm fires. */
  async alarm(): Promise<void> {
    await this.inTurn(() => this.#settle());
    await this.#relay.run();
  }

  /** Runs a decision of the object's own (a timer's, say) in a transaction of its own. */
  decide(change: (decisions: Decisions) => void): void {
    this.#transaction(() => change(this.#decisions.own));
    void this.#relay.run();
  }

  /** Reads the log up to `through` and takes it in. */
  async readThrough(through: number): Promise<void> {
    while (this.cursor < through) {
      const stretch = await this.#log.stretch(this.#options.name, this.cursor, READ_LIMIT, this.#state?.patterns?.());
      // The log ends before `through`, which came from a log that was restored since. There is nothing to take in.
      if (stretch.through <= this.cursor) return;
      this.#takeIn(stretch.lines, stretch.through, stretch.senders);
    }
  }

  /** One at a time: filling a hole awaits the log, and a second batch must not overtake it meanwhile. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#turns.run(work);
  }

  async #settle(): Promise<number> {
    await this.#attached.settled(Date.now());
    return this.cursor;
  }

  async #isFollowed(log: string | undefined): Promise<boolean> {
    if (this.#followed.knows(log)) return true;
    await this.#compare();
    if (this.#followed.knows(log)) return true;
    this.#followed.refuse();
    return false;
  }

  /** Finds out from the log itself whether it is the one that the cursor counts. */
  async #compare(): Promise<void> {
    const { epoch, other } = await this.#followed.compare();
    if (other !== undefined) this.#startOver(other.head, other);
    if (epoch !== undefined && !this.#followed.knows(epoch)) this.#transaction(() => this.#position.follow(epoch));
  }

  /** Deletes the state, to derive it from the log again. */
  #startOver(mutedThrough: number, other?: OtherLog): void {
    const { cursor } = this;
    this.#transaction(() => {
      this.#attached.clear();
      this.#position.rewind(mutedThrough);
      if (other === undefined) return;
      this.#reprocessed.forgetAfter(other.head);
      this.#decisions.logChanged(cursor, other, Date.now());
    });
    this.#attached.load();
  }

  #takeIn(lines: readonly string[], through: number, ranges: readonly SenderRange[]): void {
    if (lines.length === 0 && this.#position.passOver(through)) return;
    const senders = new Senders(ranges);
    this.#transaction(() => {
      for (const line of lines) {
        const seq = lineSeq(line);
        const decisions = this.#decisions.on(line, seq, this.isReplaying(seq));
        try {
          const signal = readSignalLine(line);
          this.#attached.take(signal, decisions, senders.of(seq, signal.id), line.length);
        } catch (error) {
          decisions.failed(error);
        }
      }
      this.#attached.store(lines, ranges);
      this.#position.moveTo(through);
    });
    void this.#relay.run();
  }

  #reprocess(signal: Signal, part: string | null, sender: string): void {
    const refuse = (error: string) => {
      throw new Error(error);
    };
    const decisions: SignalDecisions = {
      ...this.#decisions.own,
      // A failure goes to the caller; the dead letter is there already.
      deadLetter: ({ error }) => refuse(error),
      deadLetterPart: refuse,
      // Independent of how long ago a rebuild read the log: the effects from here on have not been emitted.
      replaying: false,
    };
    if (this.#attached.reprocessPart !== undefined) this.#attached.reprocessPart(signal, part, decisions, sender);
    else if (part === null) this.#attached.take(signal, decisions, sender, JSON.stringify(signal).length);
    else refuse(`${part} cannot be processed again by itself`);
  }

  #transaction(change: () => void): void {
    this.#options.transaction(
      () => {
        change();
        this.#position.write();
      },
      () => {
        this.#outbox.forgetFilled();
        this.#position.restore();
        this.#attached.load();
      },
    );
    this.#position.written();
    // Same turn, hence the same write to the disk: a waiting outbox always has an alarm.
    if (this.#outbox.takeFilled()) this.#options.alarms.wakeBy(Date.now() + RETRY_MS);
  }

  /** A dead letter that asks for it gets the chain of causes above its signal. */
  async #withLineage(record: DeadLetterRecord): Promise<DeadLetterRecord> {
    const [from] = record.lineage ?? [];
    if (from === undefined) return record;
    return { ...record, lineage: await this.#log.causes(from, LIMITS.causalDepth + 1) };
  }

  get #log(): LogCalls {
    return objectNamed(this.#options.env.SIGNAL_LOG, this.#options.ecosystem, this.#options.env);
  }

  get #attached(): ProjectedState {
    if (this.#state === undefined) throw new Error(`projection ${this.#options.name}: no state is attached`);
    return this.#state;
  }
}
