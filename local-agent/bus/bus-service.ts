import { randomUUID } from "node:crypto";
import { compilePatterns, type Matcher } from "../../src/core/signals/pattern.ts";
import { isListening } from "../base/endpoint.ts";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";
import type { DeadLetterFile } from "../store/dead-letter-file.ts";
import type { Inbox } from "../store/inbox.ts";
import type { InboxDeadLetters } from "../store/inbox-reader.ts";
import type { Spool } from "../store/spool.ts";
import { BoundPublishers } from "./bound-publishers.ts";
import { busFrames } from "./bus-frames.ts";
import type { BusPrograms } from "./bus-programs.ts";
import { BusSink } from "./bus-sink.ts";
import { type BusCounts, BusIntake, type BusIntakeOptions } from "./bus-source.ts";
import type { BusTopics } from "./bus-topics.ts";
import type { HostBus } from "./host-bus.ts";
import type { KnownIds } from "./known-ids.ts";
import { openHostBus } from "./open-host-bus.ts";
import type { BusForms, BusSubscription } from "./settings.ts";

export interface BusServiceOptions {
  readonly xsub: string;
  readonly xpub: string;
  /** Signals to publish on the bus; default: all of the inbox. */
  readonly subscribe?: BusSubscription;
  /** Forms of older programs; default: none. */
  readonly forms?: BusForms | undefined;
  /** Watches the programs that send heartbeats; without it heartbeats are signals. */
  readonly programs?: BusPrograms | undefined;
  /** The topics of the bus's subscribers; needed where `auto` may be given. */
  readonly topics?: BusTopics;
  readonly spool: Spool;
  readonly inbox: Inbox;
  readonly knownIds: KnownIds;
  readonly deadLetters: DeadLetterFile;
  readonly heard?: BusIntakeOptions["heard"];
  /** Receives delivered signals that cannot be published. */
  readonly unhandled: InboxDeadLetters;
  readonly now: () => number;
  readonly log: Logger;
  /** How long a foreign proxy may be gone before this agent replaces it, in milliseconds; default 10,000. */
  readonly takeOverMs?: number;
}

/** Long enough for a proxy to be restarted. */
const TAKE_OVER_MS = 10_000;

/** Connects the host's bus with the edge: messages of the bus go to the edge, and delivered signals go to the bus. */
export class BusService implements ReportingService {
  readonly name = "bus";
  readonly #options: BusServiceOptions;
  readonly #intake: BusIntake;
  readonly #listeners = new Listeners();
  #bus: HostBus | undefined;
  #bound: BoundPublishers | undefined;
  #sink: BusSink | undefined;
  #takeOver: NodeJS.Timeout | undefined;
  #changing: Promise<void> = Promise.resolve();
  #published = 0;
  #matches: Matcher | "auto" = "auto";
  /** Whether the foreign proxy has answered once. */
  #answered = false;

  constructor(options: BusServiceOptions) {
    this.#options = options;
    this.#intake = new BusIntake(options);
    this.setSubscribe(options.subscribe ?? ["*"]);
  }

  /** Takes effect for the next signals. */
  setSubscribe(subscription: BusSubscription): void {
    this.#matches = subscription === "auto" ? "auto" : compilePatterns(subscription);
  }

  /** Whether the proxy is another program's, which shows this agent's own subscription to everything as one of its own. */
  get foreign(): boolean {
    return this.#bus?.foreign === true;
  }

  /** Publishes on this bus alone. The message is dropped while nobody can receive it, and when the bus fails. */
  publishLocally(signal: string, facts: Readonly<Record<string, unknown>>, source: string): void {
    const bus = this.#bus;
    if (bus?.ready !== true) return;
    const { knownIds, now, log } = this.#options;
    const id = randomUUID();
    // A foreign proxy sends the message back, where it is recognised by its id.
    knownIds.published(id, signal);
    const text = JSON.stringify({ id, signal, source, timestamp: new Date(now()).toISOString(), facts });
    bus
      .publish(busFrames(this.#form, signal, id, text))
      .catch((error: unknown) => log.warn({ err: error, signal }, "bus: a local signal cannot be published"));
  }

  /** Resolves when the messages that have come are in the spool. */
  stored(): Promise<void> {
    return this.#intake.stored();
  }

  get #form() {
    return this.#options.forms?.messages ?? "two_frames";
  }

  get counts(): BusCounts & { readonly published: number } {
    return { ...this.#intake.counts, published: this.#published + (this.#sink?.publishedCount ?? 0) };
  }

  report(): Report {
    if (this.#bus === undefined) return { name: this.name, state: "starting", detail: "not started" };
    const { foreign, ready, detail } = this.#bus;
    if (foreign && !ready) {
      if (!this.#answered) return { name: this.name, state: "starting", detail };
      return { name: this.name, state: "failing", detail: `${detail}: the proxy does not answer` };
    }
    return { name: this.name, state: "live", detail };
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /** @throws ExpectedError when the addresses cannot be used as they are */
  async start(): Promise<void> {
    if (this.#bus !== undefined) return;
    await this.#open();
    const { forms, log } = this.#options;
    if (forms === undefined || forms.connect.length === 0) return;
    const onMessage = (frames: readonly Buffer[]) => this.#intake.take(frames);
    this.#bound = new BoundPublishers({ addresses: forms.connect, onMessage, log });
    this.#bound.open();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#takeOver);
    await this.#changing;
    clearTimeout(this.#takeOver);
    await this.#bound?.close();
    this.#bound = undefined;
    await this.#close();
    this.#options.topics?.stop();
    this.#options.programs?.stop();
    await this.#intake.flush();
  }

  async #open(): Promise<void> {
    const { xsub, xpub, inbox, knownIds, spool, log, unhandled, topics, programs } = this.#options;
    const bus = await openHostBus({
      xsub,
      xpub,
      log,
      onMessage: (frames) => this.#intake.take(frames),
      onTopic: (topic, subscribed) => topics?.changed(topic, subscribed),
    });
    this.#bus = bus;
    this.#answered = bus.ready;
    const works = () => {
      topics?.setBusWorks(bus.ready);
      programs?.setBusWorks(bus.ready);
    };
    works();
    bus.onReady(() => bus === this.#bus && works());
    if (bus.foreign) {
      bus.onReady(() => {
        this.#answered ||= bus.ready;
        this.#watch(bus);
        this.#changed();
      });
    }
    this.#sink = new BusSink({
      bus,
      inbox,
      knownIds,
      spool,
      log,
      unhandled,
      form: this.#form,
      wants: (name) => (this.#matches === "auto" ? topics?.matches(name) === true : this.#matches(name)),
    });
    await this.#sink.start();
    this.#changed();
  }

  #changed(): void {
    this.#listeners.notify();
  }

  async #close(): Promise<void> {
    await this.#sink?.stop();
    await this.#bus?.close();
    this.#options.topics?.setBusWorks(false);
    this.#options.programs?.setBusWorks(false);
    this.#published += this.#sink?.publishedCount ?? 0;
    this.#sink = undefined;
    this.#bus = undefined;
  }

  /** Without a proxy no program of the host reaches another: after a while this agent becomes the proxy. */
  #watch(bus: HostBus): void {
    clearTimeout(this.#takeOver);
    if (bus !== this.#bus || bus.ready) return;
    this.#takeOver = setTimeout(() => {
      this.#changing = this.#replace(bus).catch((error: unknown) => {
        this.#options.log.error({ err: error }, "bus: the proxy is gone, and this agent cannot replace it");
        this.#watch(bus);
      });
    }, this.#options.takeOverMs ?? TAKE_OVER_MS);
  }

  async #replace(bus: HostBus): Promise<void> {
    const { xsub, xpub, log } = this.#options;
    const listening = await Promise.all([isListening(xsub), isListening(xpub)]);
    // The proxy is back and will be ready soon. When half of it is back, the other half may follow.
    if (listening.every((each) => each)) return;
    if (listening.some((each) => each)) return this.#watch(bus);
    log.warn({ xsub, xpub }, "bus: the proxy has been gone for a while: this agent replaces it");
    await this.#close();
    await this.#open();
  }
}
