import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import { type Batch, type Extent, LANES, type Lane, LaneStore, laneWithOldestObservation } from "./lane-store.ts";
import { ProducerNames } from "./producer-names.ts";
import { signalText, type TimedSignal } from "./signal-text.ts";
import { type Mark, missingSince } from "./spool-marker.ts";
import type { StateDatabase, Write } from "./state-database.ts";
import { TakenItems } from "./taken-items.ts";

export { type Batch, LANES, type Lane } from "./lane-store.ts";

/** Limit of the signals in one put, transaction and frame of the link. */
export const MAX_PUT = 1_000;

export interface PutOptions {
  /** Identity of the item, such as a file, that the signals were made from. A second put with the same identity is ignored. */
  readonly taken?: string;
  /** Written in the same transaction. */
  readonly also?: Write<void>;
}

export type PutOutcome =
  | { readonly already: false; readonly first: number; readonly last: number }
  | { readonly already: true };

export interface SpoolOptions {
  readonly hostId: string;
  /** Size of all texts above which the oldest observations are shed. */
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

/**
 * The signals that the agent has taken in and the edge has not confirmed yet. Each lane is an idempotent producer that
 * numbers its signals from 1 and never gives a number twice, also when the signal is gone.
 */
export class Spool {
  readonly #db: StateDatabase;
  readonly #options: SpoolOptions;
  readonly #lanes: Readonly<Record<Lane, LaneStore>>;
  readonly #names: ProducerNames;
  readonly #taken: TakenItems;
  readonly #extents: Record<Lane, { count: number; bytes: number }>;
  readonly #last: Record<Lane, number>;
  /** No observation is left below these numbers, so shedding starts there. */
  readonly #shedFrom: Record<Lane, number> = { bus: 1, local: 1 };
  readonly #listeners = new Listeners<[lane: Lane, signals: readonly { readonly observation: boolean }[]]>();
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
    this.#last = { bus: this.#lanes.bus.last(), local: this.#lanes.local.last() };
    this.#names = new ProducerNames(db.sql);
    this.#taken = new TakenItems(db.sql);
    // Signals may be at the edge already. They must be sent again under their old name, or the log would hold them twice.
    const renamed = this.#names.host !== options.hostId;
    if (renamed && this.empty) this.#names.renew(options.hostId);
    else if (renamed)
      options.log.warn(
        { host: this.#names.host },
        "the spool holds signals of this host's former name, which are sent first; the new name takes effect then",
      );
    this.#mark(true);
  }

  /** Size of all texts above which observations are shed. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Takes effect at once. */
  setMaxBytes(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#overfullLogged = false;
    this.#shedIfFull();
  }

  /** Name under which this spool's producers are known: a former name of the host, while its signals wait. */
  get host(): string {
    return this.#names.host ?? this.#options.hostId;
  }

  producer(lane: Lane): string {
    return this.#names.current(lane);
  }

  /** Whether the signal with this id, given by the log, came from this lane of this spool. */
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

  /** Calls `listener` after each commit with the signals that it added. @returns a function that removes the listener */
  onPut(listener: (lane: Lane, signals: readonly { readonly observation: boolean }[]) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Resolves when the spool is empty. */
  async drained(): Promise<void> {
    await this.#db.settled();
    if (!this.empty) await new Promise<void>((resolve) => this.#emptied.add(resolve));
  }

  /**
   * Stores signals in order and resolves when they are on the disk. The caller must keep its input until then.
   *
   * @throws RangeError above {@link MAX_PUT} signals; SQLite's error when the disk refuses, and then nothing was stored
   */
  put(lane: Lane, signals: readonly TimedSignal[], options: PutOptions = {}): Promise<PutOutcome> {
    if (signals.length === 0 || signals.length > MAX_PUT) {
      return Promise.reject(new RangeError(`a put holds 1 to ${MAX_PUT} signals, not ${signals.length}`));
    }
    const texts = signals.map((signal) => ({ text: signalText(signal), observation: signal.signal === "OBSERVATION" }));
    const nowMs = this.#options.now();
    return this.#db.commit<PutOutcome>(texts.length, () => {
      if (options.taken !== undefined && this.#taken.take(options.taken, nowMs)) return () => ({ already: true });
      const { first, last, bytes } = this.#lanes[lane].append(texts, nowMs);
      const finish = options.also?.();
      return () => {
        finish?.();
        this.#extents[lane].count += texts.length;
        this.#extents[lane].bytes += bytes;
        this.#last[lane] = last;
        this.#mark();
        this.#shedIfFull();
        this.#listeners.notify(lane, texts);
        return { already: false, first, last };
      };
    });
  }

  /** @see LaneStore.read */
  read(lane: Lane, from: number, maxSignals: number, maxBytes: number): Batch | null {
    return this.#lanes[lane].read(from, maxSignals, maxBytes, (n, text) => this.#damaged(lane, n, text));
  }

  /** Deletes all signals up to and including number `last`. After a crash before the commit they are only sent again. */
  forget(lane: Lane, last: number): Promise<void> {
    return this.#free(lane, 0, () => this.#lanes[lane].forget(last));
  }

  /** Deletes one signal that the edge will never take. */
  remove(lane: Lane, n: number): Promise<void> {
    return this.#free(lane, 1, () => this.#lanes[lane].remove(n));
  }

  /**
   * Continues a lane under a new epoch. This is needed when the file was restored from a backup, or belongs to a clone of
   * another machine: new signals would be dropped as duplicates. Unconfirmed signals are sent again under the new name.
   *
   * @param confirmed - the log holds the signals up to this number: they are deleted in the same transaction, because
   * the log would keep them again under the new name; default: none
   */
  renewEpoch(lane: Lane, confirmed = 0): Promise<void> {
    return this.#db.commit<void>(1, () => {
      const gone = this.#lanes[lane].forget(confirmed);
      // In memory at once: the old name must not be used again, and a new name that is never committed does no harm.
      this.#names.renew(this.host, lane);
      return () => this.#subtract(lane, gone);
    });
  }

  /**
   * Gives the spool's producers the host's name in the settings.
   *
   * @param how - `at once`: what waits is sent under the new name, a second time if the edge had it unconfirmed
   * @returns whether the spool has the name now
   */
  takeNewName(how: "when empty" | "at once"): Promise<boolean> {
    return this.#db.commit(1, () => {
      const { hostId } = this.#options;
      if (this.host !== hostId && (how === "at once" || this.empty)) this.#names.renew(hostId);
      return () => this.host === hostId;
    });
  }

  /**
   * Deletes the identity of an item that is gone for good, so that the table does not grow forever. After a crash before
   * the commit, {@link pruneTaken} does it.
   */
  forgetTaken(identity: string): Promise<void> {
    return this.#db.commit<void>(1, () => {
      this.#taken.forget(identity);
      return () => undefined;
    });
  }

  /** Deletes identities of items that are long gone. Call this when all present items have been seen again. */
  pruneTaken(): Promise<void> {
    return this.#db.commit<void>(1, () => {
      this.#taken.prune(this.#options.now());
      return () => undefined;
    });
  }

  /** One broken text would make the edge refuse its neighbours with it, for ever. */
  #damaged(lane: Lane, n: number, text: string): void {
    const { log } = this.#options;
    log.error({ lane, n, text: text.slice(0, 2_000) }, "the disk has changed a signal in the spool: it is not sent");
    this.remove(lane, n).catch((error: unknown) => log.error({ err: error, lane, n }, "it cannot be deleted"));
  }

  /** On a full disk, a write that makes room may use the reserve. */
  #free(lane: Lane, weight: number, work: () => Extent): Promise<void> {
    const write = () => {
      const gone = work();
      return () => this.#subtract(lane, gone);
    };
    return this.#db.commit<void>(weight, write, { frees: true });
  }

  /** @param isFirst - the spool was opened, and is compared with the earlier mark */
  #mark(isFirst = false): void {
    const { marker, movedAside, damage } = this.#db;
    const mark: Mark = { database: this.#names.firstEpoch ?? "", ...this.#last };
    if (isFirst) this.#db.checked(missingSince(marker.earlier, mark, movedAside !== undefined || damage !== undefined));
    marker.write(mark);
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
    const lane = laneWithOldestObservation(this.#lanes, this.#shedFrom);
    if (lane === undefined) {
      // Exceeding the limit is bad; losing signals that exist nowhere else is worse.
      if (!this.#overfullLogged)
        log.error(
          { bytes: this.#bytes, maxBytes },
          "the spool is full and holds no observations to shed: it exceeds its limit",
        );
      this.#overfullLogged = true;
      return;
    }
    this.#shedding = true;
    // More than needed, so that a full spool does not shed on every put.
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
            "the spool is full: the oldest observations were shed",
          );
          this.#shedIfFull();
        };
      })
      .catch((error: unknown) => {
        this.#shedding = false;
        log.error({ err: error }, "observations cannot be shed");
      });
  }
}
