import type { Matcher } from "../../src/core/signals/pattern.ts";
import type { HostBus } from "../bus/host-bus.ts";
import type { KnownIds } from "../bus/known-ids.ts";
import type { Inbox } from "../inbox.ts";
import type { Logger } from "../log.ts";
import type { Service } from "../service.ts";
import type { Spool } from "../spool.ts";

export interface BusSinkOptions {
  readonly bus: HostBus;
  readonly inbox: Inbox;
  readonly knownIds: KnownIds;
  /** Knows by its names what came from this bus. */
  readonly spool: Spool;
  /** Names of the signals that this bus is for: others may be in the inbox for other sinks. */
  readonly wants: Matcher;
  readonly log: Logger;
}

export const BUS_SINK = "bus";
/** Signals between two moves of the cursor: what a crash repeats at most. */
const BATCH = 200;

/**
 * Publishes what the edge delivers as [name, JSON of the signal], except what came from this bus. The cursor moves
 * after publishing: a crash in between publishes again, with the same ids, rather than never.
 */
export class BusSink implements Service {
  readonly name = "bus sink";
  readonly #options: BusSinkOptions;
  #running = false;
  #work: Promise<void> | undefined;
  #endOnReceive: (() => void) | undefined;
  #published = 0;

  constructor(options: BusSinkOptions) {
    this.#options = options;
    options.bus.onReady(() => this.#wake());
  }

  get publishedCount(): number {
    return this.#published;
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#endOnReceive = this.#options.inbox.onReceive(() => this.#wake());
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#endOnReceive?.();
    await this.#work;
  }

  #wake(): void {
    // One at a time; it looks again before it ends, so that no wake-up is missed.
    this.#work ??= this.#publishAll()
      .catch((error: unknown) => this.#options.log.error({ err: error }, "bus: publishing failed"))
      .finally(() => {
        this.#work = undefined;
      });
  }

  async #publishAll(): Promise<void> {
    const { bus, inbox, knownIds, spool, wants } = this.#options;
    while (this.#running && bus.ready) {
      const batch = inbox.next(BUS_SINK, BATCH);
      const last = batch.at(-1);
      if (last === undefined) return;
      for (const { id, signal, text } of batch) {
        if (!wants(signal) || spool.owns(id, "bus") || knownIds.cameFromBus(id, signal)) continue;
        knownIds.published(id, signal);
        await bus.publish([signal, text]);
        this.#published++;
      }
      await inbox.advance(BUS_SINK, last.seq);
    }
  }
}
