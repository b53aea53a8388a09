import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import { type Batch, type Extent, LANES, type Lane, LaneStore } from "./lane-store.ts";
import { ProducerNames } from "./producer-names.ts";
import { signalText, type TimedSignal } from "./signal-text.ts";
import type { StateDatabase, Write } from "./state-database.ts";

export { type Batch, LANES, type Lane } from "./lane-store.ts";

/** Signals in one put: what one transaction, and one link frame, may hold. */
export const MAX_PUT = 1_000;

export interface PutOptions {
  /** Identity of the item that the signals were made from. A second put with the same identity changes nothing. */
  readonly taken?: string;
  /** Written in the same transaction. */
  readonly also?: Write<void>;
}

export type PutOutcome =
  | { readonly already: false; readonly first: number; readonly last: number }
  | { readonly already: true };

export interface SpoolOptions {
  readonly hostId: string;
  /** Size of all texts above which observations are shed, oldest first. */
  readonly maxBytes: number;
  readonly now: () => number;
  readonly log: Logger;
}

export interface SpoolDepth {
  readonly signals: number;
  readonly bytes: number;
  /** Observations shed since the file exists. */
  readonly shed: number;
}

/** An identity is forgotten after this long: by then its item has been removed, or has been seen again. */
const TAKEN_KEPT_MS = 30 * 24 * 3600 * 1000;

/**
 * What the agent has taken in and the edge has not confirmed yet (R57). Each lane is an idempotent producer that
 * numbers its signals from 1 and never gives a number twice, not even when its signal is gone.
 */
export class Spool {
  readonly #db: StateDatabase;
  readonly #options: SpoolOptions;
  readonly #lanes: Readonly<Record<Lane, LaneStore>>;
  readonly #names: ProducerNames;
  readonly #extents: Record<Lane, { count: number; bytes: number }>;
  /** No observation is left below these numbers: shedding need not walk over what it has left standing. */
  readonly #shedFrom: Record<Lane, number> = { bus: 1, local: 1 };
  readonly #listeners = new Listeners();
  readonly #emptied = new Set<() => void>();
  #maxBytes: number;
  #shedding = false;
  #overfullLogged = false;

  constructor(db: StateDatabase, options: SpoolOptions) {
    this.#db = db;
    this.#options = options;
    this.#maxBytes = options.maxBytes;
    this.#lanes = { bus: new LaneStore(db.sql, "bus"), local: new LaneStore(db.sql, "local") };
    this.#extents = { bus: this.#lanes.bus.extent(), local: this.#lanes.local.extent() };
    this.#names = new ProducerNames(db.sql);
    // Signals that may be at the edge already must be sent again under the name they had, or they would be there twice.
    const renamed = this.#names.host !== options.hostId;
    if (renamed && this.empty) this.#names.renew(options.hostId);
    else if (renamed)
      options.log.warn(
        { host: this.#names.host },
        "signals of this host's former name are sent first; its new name counts after a restart",
      );
    db.sql.exec(
      "CREATE TABLE IF NOT EXISTS taken (identity TEXT PRIMARY KEY, taken_ms INTEGER NOT NULL) WITHOUT ROWID",
    );
  }

  /** Size of all texts above which observations are shed. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** In force at once. */
  setMaxBytes(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#overfullLogged = false;
    this.#shedIfFull();
  }

  producer(lane: Lane): string {
    return this.#names.current(lane);
  }

  /** Whether a signal with this id, which the log gave it, came from the given lane of this spool. */
  owns(id: string, lane: Lane): boolean {
    return this.#names.owns(id, lane);
  }

  get empty(): boolean {
    return LANES.every((lane) => this.#extents[lane].count === 0);
  }

  depth(lane: Lane): SpoolDepth {
    return {
      signals: this.#extents[lane].count,
      bytes: this.#extents[lane].bytes,
      shed: this.#lanes[lane].shedCount(),
    };
  }

  lastNumber(lane: Lane): number {
    return this.#lanes[lane].last();
  }

  /** Calls `listener` after each commit that added signals. @returns a function that ends it */
  onPut(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Resolves when nothing is left to send. */
  async drained(): Promise<void> {
    await this.#db.settled();
    if (!this.empty) await new Promise<void>((resolve) => this.#emptied.add(resolve));
  }

  /**
   * Keeps signals, in order, and resolves when they are on the disk. The caller lets go of its input only then.
   *
   * @throws RangeError above {@link MAX_PUT} signals; SQLite's error when the disk refuses, and then nothing was kept
   */
  put(lane: Lane, signals: readonly TimedSignal[], options: PutOptions = {}): Promise<PutOutcome> {
    if (signals.length === 0 || signals.length > MAX_PUT) {
      return Promise.reject(new RangeError(`a put holds 1 to ${MAX_PUT} signals, not ${signals.length}`));
    }
    const texts = signals.map((signal) => ({ text: signalText(signal), observation: signal.signal === "OBSERVATION" }));
    const nowMs = this.#options.now();
    return this.#db.commit<PutOutcome>(texts.length, () => {
      if (options.taken !== undefined && this.#takenBefore(options.taken, nowMs)) return () => ({ already: true });
      const { first, last, bytes } = this.#lanes[lane].append(texts, nowMs);
      const finish = options.also?.();
      return () => {
        finish?.();
        this.#extents[lane].count += texts.length;
        this.#extents[lane].bytes += bytes;
        this.#shedIfFull();
        this.#listeners.notify();
        return { already: false, first, last };
      };
    });
  }

  /** @see LaneStore.read */
  read(lane: Lane, from: number, maxSignals: number, maxBytes: number): Batch | null {
    return this.#lanes[lane].read(from, maxSignals, maxBytes);
  }

  /** Lets go of everything up to and including number `last`. A crash before the commit only means sending again. */
  forget(lane: Lane, last: number): Promise<void> {
    return this.#db.commit<void>(0, () => {
      const gone = this.#lanes[lane].forget(last);
      return () => this.#subtract(lane, gone);
    });
  }

  /** Lets go of one signal that the edge will never take; its neighbours stay. */
  remove(lane: Lane, n: number): Promise<void> {
    return this.#db.commit<void>(1, () => {
      const gone = this.#lanes[lane].remove(n);
      return () => this.#subtract(lane, gone);
    });
  }

  /**
   * Goes on under a new epoch. Needed when this file is older than what the edge has seen of it (a restored backup):
   * its numbers would be dropped as known. What is still here is sent again under the new name.
   */
  renewEpoch(): Promise<void> {
    return this.#db.commit<void>(1, () => {
      // In memory at once: a name that was never used does no harm, and the old one must not be used again.
      this.#names.renew(this.#options.hostId);
      return () => undefined;
    });
  }

  /**
   * Forgets the identity of an item that is gone for good, so that what is remembered does not grow with what was ever
   * taken. A crash before the commit leaves it to {@link pruneTaken}.
   */
  forgetTaken(identity: string): Promise<void> {
    return this.#db.commit<void>(1, () => {
      this.#db.sql.prepare("DELETE FROM taken WHERE identity = ?").run(identity);
      return () => undefined;
    });
  }

  /** Forgets identities of items that are long gone. Called once the items that are still there have been seen again. */
  pruneTaken(): Promise<void> {
    const before = this.#options.now() - TAKEN_KEPT_MS;
    return this.#db.commit<void>(1, () => {
      this.#db.sql.prepare("DELETE FROM taken WHERE taken_ms < ?").run(before);
      return () => undefined;
    });
  }

  #takenBefore(identity: string, nowMs: number): boolean {
    const { sql } = this.#db;
    const before = sql.prepare("SELECT 1 FROM taken WHERE identity = ?").get(identity) !== undefined;
    sql.prepare("INSERT OR REPLACE INTO taken VALUES (?, ?)").run(identity, nowMs);
    return before;
  }

  #subtract(lane: Lane, gone: Extent): void {
    this.#extents[lane].count -= gone.count;
    this.#extents[lane].bytes -= gone.bytes;
    if (!this.empty) return;
    for (const resolve of this.#emptied) resolve();
    this.#emptied.clear();
  }

  get #bytes(): number {
    return this.#extents.bus.bytes + this.#extents.local.bytes;
  }

  #shedIfFull(): void {
    const { log, now } = this.#options;
    const maxBytes = this.#maxBytes;
    if (this.#shedding || this.#bytes <= maxBytes) return;
    const lane = this.#laneWithOldestObservation();
    if (lane === undefined) {
      // Growing beyond the limit is bad; losing what only we hold is worse.
      if (!this.#overfullLogged)
        log.error(
          { bytes: this.#bytes, maxBytes },
          "the spool is full and holds nothing that may be shed: it grows beyond its limit",
        );
      this.#overfullLogged = true;
      return;
    }
    this.#shedding = true;
    // A little more than needed, so that a full spool does not pay for this on every put.
    const target = this.#bytes - maxBytes + Math.min(maxBytes / 16, 4 * 1024 * 1024);
    const startedMs = now();
    this.#db
      .commit(500, () => {
        const { next, ...gone } = this.#lanes[lane].shed(this.#shedFrom[lane], target);
        return () => {
          this.#shedFrom[lane] = next;
          this.#shedding = false;
          this.#subtract(lane, gone);
          log.warn(
            { lane, count: gone.count, ms: now() - startedMs },
            "the spool is full: oldest observations were shed",
          );
          this.#shedIfFull();
        };
      })
      .catch((error: unknown) => {
        this.#shedding = false;
        log.error({ err: error }, "shedding observations failed");
      });
  }

  #laneWithOldestObservation(): Lane | undefined {
    const bus = this.#lanes.bus.oldestObservation(this.#shedFrom.bus);
    const local = this.#lanes.local.oldestObservation(this.#shedFrom.local);
    if (bus === undefined || local === undefined) return bus === undefined ? local && "local" : "bus";
    return bus.taken_ms <= local.taken_ms ? "bus" : "local";
  }
}
