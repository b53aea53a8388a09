import { DurableObject } from "cloudflare:workers";
import { type Usage, UsageMeter } from "../../core/billing/usage.ts";
import type { DeadLetterRecord } from "../../core/dead-letters/record.ts";
import type { ProjectionBatch, ProjectionName } from "../../core/projection/batch.ts";
import { planIntake } from "../../core/projection/intake.ts";
import type { ReprocessAnswer } from "../../core/projection/reprocess.ts";
import { LIMITS } from "../../core/signals/limits.ts";
import type { Signal } from "../../core/signals/signal.ts";
import { lineSeq } from "../../core/signals/signal-line.ts";
import type { Environment } from "../../workers/environment.ts";
import { EffectOutbox, type PendingEffect } from "./effect-outbox.ts";
import { relayEffects } from "./effect-relay.ts";
import { meteredSql } from "./metered-storage.ts";
import { type Draft, Outbox } from "./outbox.ts";
import { OutboxRelay } from "./outbox-relay.ts";
import type { ProjectionCalls } from "./projection-stub.ts";
import { Reprocessed } from "./reprocessed.ts";

/** Signals read from the log in one go while filling a hole. */
const READ_LIMIT = 2_000;
const RETRY_MS = 2_000;

interface Position {
  [column: string]: SqlStorageValue;
  /** The log has been taken in up to here. */
  cursor: number;
  /** Number of the last signal decided on. */
  number: number;
  /** Up to here the log has been taken in before: what follows from it has been emitted already. */
  muted_through: number;
  epoch: string;
}

/** Collects what a projection decides while it takes signals in. */
export interface Outgoing {
  /** @returns the id that the signal will have */
  emit(draft: Draft): string;
  /** @param key - names the deed among all of the projection, the same whenever it is decided @returns its id */
  perform(deed: Omit<PendingEffect, "id">, key: string): string;
  /** Part of the work on the signal failed: keeps the signal as a dead letter of that part. */
  bury(error: string, part: string, options?: BuryOptions): void;
  /** Keeps something else than the signal as a dead letter. */
  keep(letter: Omit<DeadLetterRecord, "daemon">): void;
  /** What follows from the signal was told before: it is being derived from the log again. */
  readonly again: boolean;
}

interface BuryOptions {
  /** Id of the signal whose chain of causes is to stand in the letter. */
  readonly lineageOf?: string;
}

/** What a decision that follows from no signal can do. */
export interface Deciding extends Pick<Outgoing, "emit" | "perform"> {
  keep(letter: Omit<DeadLetterRecord, "daemon">): void;
}

/**
 * A projection of the log: state that follows from the signals in their order, each taken in once (DESIGN.md,
 * decisions 1 and 4). State, cursor and outgoing signals are written in one transaction, so a crash leaves either
 * none or all of them, and whatever comes again is below the cursor.
 *
 * A subclass says what a signal changes. It must not await: the transaction is one turn.
 */
export abstract class Projection extends DurableObject<Environment> implements ProjectionCalls {
  protected readonly ecosystem: string;
  protected readonly sql: SqlStorage;
  readonly #meter = new UsageMeter();
  readonly #name: ProjectionName;
  readonly #box: Outbox;
  readonly #deeds: EffectOutbox;
  readonly #delivery: OutboxRelay;
  readonly #retaken: Reprocessed;
  #position: Position;
  #turn: Promise<unknown> = Promise.resolve();
  #filled = false;
  #wakeAtMs: number | undefined;

  constructor(ctx: DurableObjectState, env: Environment, name: ProjectionName) {
    super(ctx, env);
    this.ecosystem = ctx.id.name ?? "default";
    this.#name = name;
    const sql = meteredSql(ctx.storage.sql, this.#meter);
    this.sql = sql;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS position (one INTEGER PRIMARY KEY CHECK (one = 1), cursor INTEGER NOT NULL,
         number INTEGER NOT NULL, muted_through INTEGER NOT NULL, epoch TEXT NOT NULL)`,
    );
    sql.exec("INSERT OR IGNORE INTO position VALUES (1, 0, 0, 0, ?)", crypto.randomUUID().slice(0, 6));
    this.#box = new Outbox(sql);
    const deeds = new EffectOutbox(sql);
    this.#deeds = deeds;
    this.#delivery = new OutboxRelay({
      ...{ env, box: this.#box, ecosystem: this.ecosystem, name: `projection ${name}` },
      wakeBy: (atMs) => this.wakeBy(atMs),
      complete: (letter) => this.#withLineage(letter),
      more: () => relayEffects(env, this.ecosystem, deeds, (letter) => this.#box.bury(letter)),
    });
    this.#retaken = new Reprocessed(sql);
    this.#position = sql.exec<Position>("SELECT cursor, number, muted_through, epoch FROM position").one();
    ctx.blockConcurrencyWhile(async () => {
      this.#wakeAtMs = (await ctx.storage.getAlarm()) ?? undefined;
    });
  }

  /** Takes one signal in. A throw makes it a dead letter and leaves its neighbours alone. */
  protected abstract take(signal: Signal, outgoing: Outgoing): void;
  /** Writes what taking in has changed; called in the same transaction, once for many signals. */
  protected abstract store(lines: readonly string[]): void;
  /** Forgets everything that follows from the log. */
  protected abstract clear(): void;
  /** Reads memory back from storage: at the start, and after a transaction that failed. */
  protected abstract load(): void;
  /** What it reads of the log, where that is something else than what the log was asked to send. */
  protected patterns(): readonly string[] | undefined {
    return undefined;
  }
  /** Called after every transaction and on every alarm; may emit through {@link decide}. */
  protected abstract settled(nowMs: number): void | Promise<void>;

  /** What this object has used since it was last woken. */
  usage(): Usage {
    return this.#meter.usage;
  }

  get cursor(): number {
    return this.#position.cursor;
  }

  /** What follows from the log up to here was emitted already, however little of it has been derived again. */
  protected get mutedThrough(): number {
    return this.#position.muted_through;
  }

  /** Whether the signal at `seq` has been taken in before and the state is being derived from the log again. */
  protected replaying(seq: number): boolean {
    return seq <= this.#position.muted_through;
  }

  /** @returns the cursor afterwards */
  project(batches: readonly ProjectionBatch[]): Promise<number> {
    return this.inTurn(async () => {
      for (const batch of batches) {
        const intake = planIntake(this.cursor, batch, lineSeq);
        if (intake.step === "read") await this.readThrough(intake.through);
        if (intake.step === "take") this.#takeIn(intake.lines, intake.through);
      }
      await this.settled(Date.now());
      return this.cursor;
    });
  }

  catchUp(headSeq: number): Promise<number> {
    return this.inTurn(async () => {
      await this.readThrough(headSeq);
      await this.settled(Date.now());
      return this.cursor;
    });
  }

  /** Forgets the state and derives it from the log again. What was emitted before is not emitted again. */
  rebuild(): Promise<number> {
    return this.inTurn(async () => {
      const reached = this.cursor;
      this.ctx.storage.transactionSync(() => {
        this.clear();
        this.#move({ cursor: 0, muted_through: Math.max(reached, this.#position.muted_through) });
        this.#writePosition();
      });
      this.load();
      await this.readThrough(reached);
      await this.settled(Date.now());
      return this.cursor;
    });
  }

  /**
   * Takes a signal in again that became a dead letter of this projection, or the part of the work that did: once,
   * however often it is asked for. What fails again changes nothing.
   *
   * @param part - as in the letter's id; `null`: the whole signal
   */
  retake(seq: number, part: string | null): Promise<ReprocessAnswer> {
    return this.inTurn(async () => {
      const letter = part === null ? String(seq) : `${seq}.${part}`;
      if (this.#retaken.has(letter)) return { outcome: "known" };
      // What was never taken in has not failed yet; taken in later it would have its effect beside this one.
      // Nor is it to meet a state that has not been derived again as far as it was.
      await this.readThrough(Math.max(seq, this.#position.muted_through));
      const log = this.env.SIGNAL_LOG.get(this.env.SIGNAL_LOG.idFromName(this.ecosystem));
      const line = (await log.stretch(this.#name, seq - 1, 1, this.patterns())).lines.find(
        (one) => lineSeq(one) === seq,
      );
      if (line === undefined) return { outcome: "gone" };
      try {
        this.#transaction(() => {
          this.retakePart(JSON.parse(line) as Signal, part, this.#retaking());
          this.#retaken.add(letter);
        });
      } catch (error) {
        return { outcome: "failed", error: error instanceof Error ? error.message : String(error) };
      }
      void this.#delivery.run(this.#producer);
      await this.settled(Date.now());
      return { outcome: "taken" };
    });
  }

  /** Does again what failed of a signal. A projection whose work has parts, or whose state may hold the signal, says how. */
  protected retakePart(signal: Signal, part: string | null, outgoing: Outgoing): void {
    if (part !== null) throw new Error(`${part} cannot be done again by itself`);
    this.take(signal, outgoing);
  }

  override async alarm(): Promise<void> {
    this.#wakeAtMs = undefined;
    await this.inTurn(async () => this.settled(Date.now()));
    await this.#delivery.run(this.#producer);
  }

  /** Runs a decision of the projection's own (a timer's, say) in a transaction of its own. */
  protected decide(change: (outgoing: Deciding) => void): void {
    this.#transaction(() =>
      change({
        emit: (draft) => this.#emit(draft),
        perform: (deed, key) => this.#perform(deed, key),
        keep: (letter) => this.#keep(letter),
      }),
    );
    void this.#delivery.run(this.#producer);
  }

  /** Makes sure that {@link settled} is called at `atMs` or before. An alarm that is early enough is left as it is. */
  protected wakeBy(atMs: number): void {
    if (this.#wakeAtMs !== undefined && this.#wakeAtMs <= atMs) return;
    this.#wakeAtMs = atMs;
    this.#meter.add({ rows_written: 1 });
    void this.ctx.storage.setAlarm(atMs);
  }

  protected async readThrough(through: number): Promise<void> {
    const log = this.env.SIGNAL_LOG.get(this.env.SIGNAL_LOG.idFromName(this.ecosystem));
    while (this.cursor < through) {
      const stretch = await log.stretch(this.#name, this.cursor, READ_LIMIT, this.patterns());
      // The log ends before what we were told: a cursor from a log that was restored. There is nothing to take in.
      if (stretch.through <= this.cursor) return;
      this.#takeIn(stretch.lines, stretch.through);
    }
  }

  #takeIn(lines: readonly string[], through: number): void {
    this.#transaction(() => {
      const muted = this.#position.muted_through;
      for (const line of lines) {
        const seq = lineSeq(line);
        const outgoing: Outgoing = {
          emit: (draft) => (seq <= muted ? `muted.${seq}` : this.#emit(draft)),
          perform: (deed, key) => (seq <= muted ? `muted.${seq}` : this.#perform(deed, key)),
          bury: (error, part, options) => {
            if (seq > muted) this.#bury(line, `${seq}.${part}`, error, options);
          },
          keep: (letter) => {
            if (seq > muted) this.#keep(letter);
          },
          again: seq <= muted,
        };
        try {
          this.take(JSON.parse(line) as Signal, outgoing);
        } catch (error) {
          if (seq > muted) this.#bury(line, String(seq), error);
        }
      }
      this.store(lines);
      this.#move({ cursor: through });
    });
    void this.#delivery.run(this.#producer);
  }

  /** What fails while a letter is taken in again is told to who asked; the letter is there already. */
  #retaking(): Outgoing {
    return {
      emit: (draft) => this.#emit(draft),
      perform: (deed, key) => this.#perform(deed, key),
      bury: (error) => {
        throw new Error(error);
      },
      keep: ({ error }) => {
        throw new Error(error);
      },
      // However long ago the log was read again: this has not been told.
      again: false,
    };
  }

  #transaction(change: () => void): void {
    const before = this.#position;
    try {
      this.ctx.storage.transactionSync(() => {
        change();
        // Once, whatever it has emitted: each write is a row.
        if (this.#position !== before) this.#writePosition();
      });
      // Same turn, hence the same write to the disk: what is in the box always has an alarm behind it.
      if (this.#filled) this.wakeBy(Date.now() + RETRY_MS);
      this.#filled = false;
    } catch (error) {
      this.#filled = false;
      this.#position = before;
      this.load();
      throw error;
    }
  }

  #emit(draft: Draft): string {
    const number = this.#position.number + 1;
    this.#box.add(number, draft);
    this.#move({ number });
    this.#filled = true;
    return `${this.#producer}.${number}`;
  }

  #perform(deed: Omit<PendingEffect, "id">, key: string): string {
    const id = `${this.#producer}.${key}`;
    this.#deeds.add({ ...deed, id });
    this.#filled = true;
    return id;
  }

  #keep(letter: Omit<DeadLetterRecord, "daemon">): void {
    this.#box.bury({ ...letter, daemon: `ganglion/${this.#name}` });
    this.#filled = true;
  }

  get #producer(): string {
    return `ganglion.${this.#name}.${this.#position.epoch}`;
  }

  #bury(line: string, key: string, error: unknown, { lineageOf }: BuryOptions = {}): void {
    let signal: unknown = line;
    try {
      signal = JSON.parse(line);
    } catch {
      // Kept as the text that it is: that it is not JSON is the failure that the letter reports.
    }
    this.#box.bury({
      id: `${this.#name}.${key}`,
      kind: "signal",
      signal,
      error: error instanceof Error ? error.message : String(error),
      daemon: `ganglion/${this.#name}`,
      ...(lineageOf === undefined ? {} : { lineage: [lineageOf] }),
    });
    this.#filled = true;
  }

  /** In memory; the transaction that it belongs to writes it at its end. */
  #move(change: Partial<Pick<Position, "cursor" | "number" | "muted_through">>): void {
    this.#position = { ...this.#position, ...change } as Position;
  }

  #writePosition(): void {
    const { cursor, number, muted_through } = this.#position;
    this.sql.exec("UPDATE position SET cursor = ?, number = ?, muted_through = ?", cursor, number, muted_through);
  }

  /** A letter that asks for it says from what chain of causes its signal came. */
  async #withLineage(letter: DeadLetterRecord): Promise<DeadLetterRecord> {
    const [from] = letter.lineage ?? [];
    if (from === undefined) return letter;
    const log = this.env.SIGNAL_LOG.get(this.env.SIGNAL_LOG.idFromName(this.ecosystem));
    return { ...letter, lineage: await log.causes(from, LIMITS.causalDepth + 1) };
  }

  /** One at a time: filling a hole awaits the log, and a second batch must not overtake it meanwhile. */
  protected inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#meter.add({ requests: 1 });
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
