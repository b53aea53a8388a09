import { compilePatterns } from "../../src/core/signals/pattern.ts";
import { unionOfPatterns } from "../../src/core/signals/pattern-union.ts";
import type { Feature, Sink, SinkSubscription } from "../feature/feature.ts";
import { NOTHING } from "../feature/nothing.ts";
import type { Received } from "../store/inbox.ts";
import type { Spool } from "../store/spool.ts";
import type { AgentOptions } from "./agent-options.ts";

/** A sink of the inbox with the patterns that it has now. */
interface PresentSink extends Sink {
  readonly patterns: readonly string[];
}

/** What the sinks of all features read, and what is therefore subscribed to at the edge. */
export class Subscriptions {
  readonly #features: readonly Feature<AgentOptions>[];
  readonly #spool: Spool;
  readonly #asked = new Map<string, { readonly patterns: readonly string[]; readonly because: string }>();
  #settings: readonly AgentOptions[];
  #changed: () => void = () => undefined;

  constructor(features: readonly Feature<AgentOptions>[], spool: Spool, settings: AgentOptions) {
    this.#features = features;
    this.#spool = spool;
    this.#settings = [settings];
  }

  /** The sinks under any of these settings count from now on. */
  use(...settings: readonly AgentOptions[]): void {
    this.#settings = settings;
  }

  /** Calls `listener` when a sink asks for other signals. */
  onChange(listener: () => void): void {
    this.#changed = listener;
  }

  /** @see FeatureContext.askFor */
  askFor(sink: string, patterns: readonly string[], because: string): void {
    this.#asked.set(sink, { patterns, because });
    this.#changed();
  }

  /** For the edge; empty when there are no sinks. */
  get patterns(): string[] {
    const sinks = this.#settings.flatMap((settings) => this.#sinksOf(settings));
    const needed = sinks.filter(({ patterns }) => patterns.length > 0);
    if (needed.length === 0) return sinks.length === 0 ? [] : [...NOTHING];
    return unionOfPatterns(needed.map(({ patterns }) => patterns));
  }

  /**
   * The sinks of the inbox, and which arriving signals any of them would read. The edge also sends back what this host's
   * bus published. Signals that only the bus would read are not stored: on a busy bus, that would double the writes.
   */
  get inbox(): { readonly names: string[]; readonly wanted: (signal: Received) => boolean } {
    const all = this.#settings.map((settings) => this.#inboxOf(settings));
    return {
      names: [...new Set(all.flatMap(({ names }) => names))],
      wanted: (signal) => all.some(({ wanted }) => wanted(signal)),
    };
  }

  /** For people. */
  get report(): SinkSubscription[] {
    return this.#settings
      .flatMap((settings) => this.#sinksOf(settings))
      .map(({ name, patterns, because }) => ({ sink: name, signals: patterns, because }));
  }

  #inboxOf(settings: AgentOptions): { readonly names: string[]; readonly wanted: (signal: Received) => boolean } {
    const sinks = this.#sinksOf(settings);
    const others = sinks.filter(({ notFromOwnBus }) => notFromOwnBus !== true).map(({ patterns }) => patterns);
    const wantedFromOwnBus = others.length === 0 ? () => false : compilePatterns(unionOfPatterns(others));
    return {
      names: sinks.map(({ name }) => name),
      wanted: ({ id, signal }) => !this.#spool.owns(id, "bus") || wantedFromOwnBus(signal),
    };
  }

  #sinksOf(settings: AgentOptions): PresentSink[] {
    return this.#features
      .flatMap((feature) => feature.sinks?.(settings) ?? [])
      .map((sink) => {
        if (sink.patterns !== "auto") return { ...sink, patterns: sink.patterns };
        const { patterns, because } = this.#asked.get(sink.name) ?? { patterns: [], because: "not known yet" };
        return { ...sink, patterns, because };
      });
  }
}
