import type { Matcher } from "../../src/core/signals/pattern.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { Inbox, Received } from "../store/inbox.ts";
import { type InboxDeadLetters, InboxReader } from "../store/inbox-reader.ts";
import type { Spool } from "../store/spool.ts";
import { busFrames, type MessageForm } from "./bus-frames.ts";
import type { HostBus } from "./host-bus.ts";
import type { KnownIds } from "./known-ids.ts";

export interface BusSinkOptions {
  readonly bus: HostBus;
  readonly inbox: Inbox;
  readonly knownIds: KnownIds;
  /** Recognises signals of this bus by their producer. */
  readonly spool: Spool;
  /** Matches the signals for this bus: the inbox also holds signals for other sinks. */
  readonly wants: Matcher;
  readonly form: MessageForm;
  readonly log: Logger;
  /** Receives signals that cannot be published. */
  readonly unhandled: InboxDeadLetters;
}

export const BUS_SINK = "bus";

/**
 * Publishes delivered signals, see {@link busFrames}, except those that came from this bus. The cursor moves
 * after publishing: after a crash in between, signals are published again with the same ids rather than never.
 */
export class BusSink implements Service {
  readonly name = "bus sink";
  readonly #options: BusSinkOptions;
  readonly #reader: InboxReader;
  #published = 0;

  constructor(options: BusSinkOptions) {
    this.#options = options;
    const { bus, inbox, log, unhandled } = options;
    this.#reader = new InboxReader({
      inbox,
      sink: BUS_SINK,
      log,
      deadLetters: unhandled,
      failure: "bus: publishing failed",
      ready: () => bus.ready,
      handle: (batch, last) => this.#publish(batch, last),
    });
    bus.onReady(() => this.#reader.wake());
  }

  get publishedCount(): number {
    return this.#published;
  }

  async start(): Promise<void> {
    this.#reader.start();
  }

  stop(): Promise<void> {
    return this.#reader.stop();
  }

  async #publish(batch: readonly Received[], last: number): Promise<void> {
    const { bus, inbox, knownIds, spool, wants, form } = this.#options;
    for (const { id, signal, text } of batch) {
      if (!wants(signal) || spool.owns(id, "bus") || knownIds.cameFromBus(id, signal)) continue;
      knownIds.published(id, signal);
      await bus.publish(busFrames(form, signal, id, text));
      this.#published++;
    }
    await inbox.advance(BUS_SINK, last);
  }
}
