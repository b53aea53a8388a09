import { randomUUID } from "node:crypto";
import { compilePatterns, type Matcher } from "../../src/core/signals/pattern.ts";
import type { DeadLetterFile } from "../dead-letter-file.ts";
import type { Inbox } from "../inbox.ts";
import type { Logger } from "../log.ts";
import type { Report, ReportingService } from "../service.ts";
import { BusSink } from "../sinks/bus.ts";
import { type BusCounts, BusIntake } from "../sources/bus.ts";
import type { Spool } from "../spool.ts";
import type { HostBus } from "./host-bus.ts";
import type { KnownIds } from "./known-ids.ts";
import { openHostBus } from "./open-host-bus.ts";

export interface BusServiceOptions {
  readonly xsub: string;
  readonly xpub: string;
  /** Patterns of the signals that go on to the bus; default: all that are in the inbox. */
  readonly subscribe?: readonly string[];
  readonly spool: Spool;
  readonly inbox: Inbox;
  readonly knownIds: KnownIds;
  readonly deadLetters: DeadLetterFile;
  readonly now: () => number;
  readonly log: Logger;
}

/** The host's bus in both directions: what is published there goes to the edge, what the edge delivers goes there. */
export class BusService implements ReportingService {
  readonly name = "bus";
  readonly #options: BusServiceOptions;
  readonly #intake: BusIntake;
  readonly #listeners = new Set<() => void>();
  #bus: HostBus | undefined;
  #sink: BusSink | undefined;
  #wants: Matcher;

  constructor(options: BusServiceOptions) {
    this.#options = options;
    this.#intake = new BusIntake(options);
    this.#wants = compilePatterns(options.subscribe ?? ["*"]);
  }

  /** For what is published from now on. */
  setSubscribe(patterns: readonly string[]): void {
    this.#wants = compilePatterns(patterns);
  }

  /** Says something on this bus alone. Before anybody can listen, and when the bus fails, it is not said. */
  publishLocally(signal: string, facts: Readonly<Record<string, unknown>>, source: string): void {
    const bus = this.#bus;
    if (bus?.ready !== true) return;
    const { knownIds, now, log } = this.#options;
    const id = randomUUID();
    // Through a proxy of somebody else's it comes back, and is known by its id.
    knownIds.published(id, signal);
    const text = JSON.stringify({ id, signal, source, facts, timestamp: new Date(now()).toISOString() });
    bus
      .publish([signal, text])
      .catch((error: unknown) => log.warn({ err: error, signal }, "bus: it could not be said"));
  }

  get counts(): BusCounts & { readonly published: number } {
    return { ...this.#intake.counts, published: this.#sink?.publishedCount ?? 0 };
  }

  report(): Report {
    if (this.#bus === undefined) return { name: this.name, state: "starting", detail: "not started" };
    return { name: this.name, state: "live", detail: this.#bus.detail };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @throws ExpectedError when the addresses cannot be used as they are */
  async start(): Promise<void> {
    if (this.#bus !== undefined) return;
    const { xsub, xpub, inbox, knownIds, spool, log } = this.#options;
    this.#bus = await openHostBus({ xsub, xpub, log, onMessage: (frames) => this.#intake.take(frames) });
    this.#sink = new BusSink({
      ...{ bus: this.#bus, inbox, knownIds, spool, log },
      wants: (name) => this.#wants(name),
    });
    await this.#sink.start();
    for (const listener of this.#listeners) listener();
  }

  async stop(): Promise<void> {
    await this.#sink?.stop();
    await this.#bus?.close();
    this.#bus = undefined;
    await this.#intake.flush();
  }
}
