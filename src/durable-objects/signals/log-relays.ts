import type { EdgeRound } from "../../core/hosts/edge-vitals.ts";
import type { HostLink } from "../../core/hosts/link-claim.ts";
import type { GatherAfter, HostAnswers } from "../../core/hosts/links.ts";
import { type PlaceInLog, RelayFeed } from "../../core/links/relay-feed.ts";
import {
  type ClaimingRelay,
  type RelayedLink,
  RelayedLinks,
  type RelayReport,
} from "../../core/links/relayed-links.ts";
import { doubled } from "../../core/numbers/doubled.ts";
import type { Segment } from "../../core/signals/log/segment.ts";
import type { Matcher } from "../../core/signals/pattern.ts";
import { logLine } from "../shell/log-line.ts";
import type { Matches } from "./log-reader.ts";
import type { CallsOfRelay, RelayFlow } from "./relay-calls.ts";
import type { RelayStore } from "./relay-store.ts";

export interface LogRelaysOptions {
  readonly store: RelayStore;
  /** Finds a relay anew: what was found before is of no use once the relay has failed. */
  readonly relay: (name: string) => CallsOfRelay;
  readonly head: () => number;
  readonly epoch: () => string;
  readonly read: (after: number, matches: Matcher) => Matches;
  /** Links that the log itself holds. */
  readonly ownLinks: () => number;
  /** Number of links of the ecosystem from which on new ones go to relays. */
  readonly fromLinks: () => number;
  readonly keepAlive: (work: Promise<void>) => void;
  readonly linksChanged: () => void;
}

const RETRY_MS = { first: 100, most: 5_000 } as const;
const NO_FLOW: RelayFlow = { hosts: [], subscribers: 0, bytes_in_flight: 0, unknown_frames: 0 };

/** The relays that hold links of an ecosystem, as the log sees them. */
export class LogRelays {
  readonly #options: LogRelaysOptions;
  /** By name. */
  readonly #feeds = new Map<string, RelayFeed>();
  readonly #held = new RelayedLinks();
  #learnt: Promise<void> | undefined;

  constructor(options: LogRelaysOptions) {
    this.#options = options;
    for (const [name, patterns] of options.store.load()) this.#open(name, patterns);
  }

  get isEmpty(): boolean {
    return this.#feeds.size === 0;
  }

  /** Resolves when the log knows which links its relays hold, for which it asks them once after it has woken. */
  learn(): Promise<void> {
    this.#learnt ??= this.ask();
    return this.#learnt;
  }

  /** Asks the relays which links they hold. One that cannot be reached has lost its links: their hosts link again. */
  async ask(): Promise<void> {
    const asked = this.names.map(async (name) => {
      try {
        this.reported(name, await this.#options.relay(name).links());
      } catch (error) {
        logLine("warn", "relay-unreachable", { object: "signals", relay: name, error });
      }
    });
    await Promise.all(asked);
  }

  get names(): string[] {
    return [...this.#feeds.keys()];
  }

  get links(): RelayedLink[] {
    return this.#held.links;
  }

  /** @returns the relay for the next link of a host; `undefined`: the log holds it */
  placeFor(host: string, nowMs: number): string | undefined {
    const { ownLinks, fromLinks } = this.#options;
    const name = this.#held.place(host, ownLinks(), fromLinks(), nowMs);
    if (name !== undefined) this.claimed(name);
    return name;
  }

  /** Links of a token at all relays; see {@link RelayedLinks.countOf}. */
  countOf(token: string, exceptHost: string | undefined, nowMs: number, claim?: ClaimingRelay): number {
    return this.#held.countOf(token, exceptHost, nowMs, claim);
  }

  /** A link of the host may open at the relay. */
  admitted(relay: string, host: string, token: string, nowMs: number): void {
    this.#held.admitted(relay, host, token, nowMs);
  }

  /** A link is about to open at a relay. Stored before: whoever closes the sockets of a token must find the relay. */
  claimed(name: string): void {
    if (this.#feeds.has(name)) return;
    this.#options.store.write(name, []);
    this.#open(name, []);
  }

  /** Relays other than `relay` that hold links of the host. */
  othersWith(host: string, relay: string): string[] {
    return this.#held.relaysWith(host, relay);
  }

  /** Links of a host at a relay; none where the relay cannot be reached: its hosts link again. */
  async linksAt(relay: string, host: string): Promise<HostLink[]> {
    try {
      return await this.#options.relay(relay).linksOf(host);
    } catch (error) {
      logLine("warn", "relay-unreachable", { object: "signals", relay, host, error });
      return [];
    }
  }

  closeHost(relay: string, host: string, tokens: readonly string[], why: "replaced" | "taken-over"): void {
    const closed = this.#options.relay(relay).closeHost(host, tokens, why);
    const failed = (error: unknown) => logLine("warn", "relay-unreachable", { object: "signals", relay, host, error });
    this.#options.keepAlive(closed.catch(failed));
  }

  publish(segments: readonly Segment[]): void {
    for (const feed of this.#feeds.values()) feed.publish(segments);
  }

  /** Sends what the relays may have missed while the log was not there. */
  resume(): void {
    for (const feed of this.#feeds.values()) feed.resume();
  }

  /** @returns the end of the log: every later signal that matches is delivered */
  subscribe(name: string, patterns: readonly string[]): PlaceInLog {
    const feed = this.#feeds.get(name) ?? this.#open(name, []);
    if (JSON.stringify(feed.patterns) !== JSON.stringify(patterns)) {
      this.#options.store.write(name, patterns);
      feed.setPatterns(patterns);
    }
    return { seq: this.#options.head(), epoch: this.#options.epoch() };
  }

  reported(name: string, report: RelayReport): void {
    if (!this.#feeds.has(name)) this.#open(name, []);
    if (this.#held.reported(name, report)) this.#options.linksChanged();
  }

  /** Asks the hosts of all relays. A relay that cannot be reached gives no answers: its hosts link again. */
  async gather(
    monitors: readonly string[],
    timeoutMs: number,
    after: GatherAfter,
    edge?: EdgeRound,
  ): Promise<HostAnswers[]> {
    const asked = [...this.#feeds].map(async ([name, feed]) => {
      feed.resume();
      const own = new Map([...after].filter(([host]) => this.#held.hasHost(name, host)));
      try {
        const answers = await this.#options.relay(name).gather(monitors, timeoutMs, own, feed.end, edge);
        this.reported(name, answers.report);
        return [answers];
      } catch (error) {
        logLine("warn", "relay-unreachable", { object: "signals", relay: name, error });
        return [];
      }
    });
    return (await Promise.all(asked)).flat();
  }

  async closeToken(id: string): Promise<void> {
    await Promise.all(this.names.map((name) => this.#options.relay(name).closeToken(id)));
  }

  /** A relay that cannot be reached counts as one without links. */
  async flow(): Promise<RelayFlow> {
    const { relay } = this.#options;
    const flows = await Promise.all(
      this.names.map((name) =>
        relay(name)
          .flow()
          .catch(() => NO_FLOW),
      ),
    );
    return flows.reduce(
      (sum, flow) => ({
        hosts: [...sum.hosts, ...flow.hosts],
        subscribers: sum.subscribers + flow.subscribers,
        bytes_in_flight: sum.bytes_in_flight + flow.bytes_in_flight,
        unknown_frames: sum.unknown_frames + flow.unknown_frames,
      }),
      NO_FLOW,
    );
  }

  #open(name: string, patterns: readonly string[]): RelayFeed {
    const { relay, head, epoch, read } = this.#options;
    const feed = new RelayFeed(
      {
        head,
        epoch,
        read,
        deliver: (delivery) => relay(name).deliver(delivery),
        place: () => relay(name).place(),
        pause: (failures) =>
          new Promise((resolve) => setTimeout(resolve, doubled(RETRY_MS.first, RETRY_MS.most, failures))),
      },
      patterns,
    );
    this.#feeds.set(name, feed);
    this.#held.add(name);
    return feed;
  }
}
