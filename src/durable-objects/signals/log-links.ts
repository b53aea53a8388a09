import { paceOf } from "../../core/deployment/profile.ts";
import type { LinkReport } from "../../core/hosts/api.ts";
import type { EdgeRound } from "../../core/hosts/edge-vitals.ts";
import type { HostLink } from "../../core/hosts/link-claim.ts";
import type { GatherAfter, HostAnswers } from "../../core/hosts/links.ts";
import { readRelayLinks } from "../../core/links/place-of-link.ts";
import type { Excess } from "../../core/quotas/excess.ts";
import type { LogStatus } from "../../core/signals/api.ts";
import type { Segment } from "../../core/signals/log/segment.ts";
import { compilePatterns } from "../../core/signals/pattern.ts";
import type { AlarmClock } from "../shell/alarm-clock.ts";
import { logLine } from "../shell/log-line.ts";
import { objectNamed } from "../shell/ports.ts";
import { isUpgrade, type TaggedSockets, upgradeRequired } from "../shell/sockets.ts";
import { HostOwners } from "./host-owners.ts";
import { Hosts } from "./hosts.ts";
import type { LogReader } from "./log-reader.ts";
import { LogRelays } from "./log-relays.ts";
import type { LogWriter } from "./log-writer.ts";
import type { SignalLogBindings } from "./ports.ts";
import { type ClaimAnswer, RELAY_HEADER, type RelayClaim, type RelayRead, type RelayStretch } from "./relay-calls.ts";
import { RelayStore } from "./relay-store.ts";
import { claimOf, SocketDoor } from "./socket-door.ts";
import { Sockets } from "./sockets.ts";
import { wakeWatchers } from "./wake-watchers.ts";

export interface LogLinksOptions {
  readonly ctx: DurableObjectState;
  readonly env: SignalLogBindings;
  readonly ecosystem: string;
  readonly sql: SqlStorage;
  readonly tagged: TaggedSockets;
  readonly alarms: AlarmClock;
  readonly reader: LogReader;
  readonly writer: LogWriter;
}

/** Signals and characters of one delivery to a relay that is read from the log. */
const DELIVERY = { signals: 1_024, chars: 1024 * 1024 } as const;

/**
 * The links of an ecosystem, those of its relays included, and the streams, which the log holds itself. Who may link is
 * decided here alone, one claim after the other.
 */
export class LogLinks {
  readonly sockets: Sockets;
  readonly hosts: Hosts;
  readonly relays: LogRelays;
  readonly #options: LogLinksOptions;
  readonly #owners: HostOwners;
  readonly #door: SocketDoor;
  /** The claim that is being decided on. */
  #claim: RelayClaim | undefined;

  constructor(options: LogLinksOptions) {
    const { ctx, env, ecosystem, sql, tagged, alarms, reader, writer } = options;
    const head = () => writer.headSeq;
    this.#options = options;
    this.#owners = new HostOwners(sql);
    this.sockets = new Sockets(tagged.all(), {
      ecosystem,
      keepAliveMs: Number(env.STREAM_KEEPALIVE_SECONDS ?? "0") * 1_000,
      append: (request, answer) => writer.append(request, answer),
      read: (after, { matches }, limit, maxChars) => reader.after(after, head(), matches, limit, maxChars),
      wakeBy: (atMs) => alarms.wakeBy(atMs),
      pace: paceOf(env).links,
      head,
      deadLetter: (records) => objectNamed(env.DEAD_LETTERS, ecosystem, env).record(records),
      keepAlive: (work) => ctx.waitUntil(work),
      factsReceived: (host, request, facts) => this.hosts.factsReceived(host, request, facts),
      linksChanged: () => this.hosts.linksChanged(),
      status: (host, status) => this.hosts.status(host, status),
      subscribing: head,
    });
    this.relays = new LogRelays({
      store: new RelayStore(sql),
      relay: (name) => objectNamed(env.LINK_RELAY, `${ecosystem}/${name}`, env),
      head,
      epoch: () => writer.epoch,
      read: (after, matches) => reader.after(after, head(), matches, DELIVERY.signals, DELIVERY.chars),
      ownLinks: () => this.sockets.links.length,
      fromLinks: () => fromLinksOf(env),
      keepAlive: (work) => ctx.waitUntil(work),
      linksChanged: () => this.hosts.linksChanged(),
    });
    this.#door = new SocketDoor({
      owners: this.#owners,
      tagged,
      sockets: this.sockets,
      quotas: env,
      relayed: (token, exceptHost, nowMs) => this.relays.countOf(token, exceptHost, nowMs, this.#claim),
      lastPing: (socket) => ctx.getWebSocketAutoResponseTimestamp(socket),
    });
    this.hosts = new Hosts({
      registry: () => objectNamed(env.AGENT_REGISTRY, ecosystem, env),
      links: () => [...this.sockets.links, ...this.relays.links.map(({ host, openedMs }) => ({ host, openedMs }))],
      head,
      ask: (frame) => this.sockets.toHosts(frame),
      keepAlive: (work) => ctx.waitUntil(work),
      troubleChanged: () => this.wakeWatchers(),
      known: () => this.relays.learn(),
      askElsewhere: (monitors, timeoutMs, after, edge) => this.relays.gather(monitors, timeoutMs, after, edge),
    });
    // What the life before had written and not delivered.
    this.relays.resume();
  }

  publish(segments: readonly Segment[]): void {
    this.sockets.publish(segments);
    this.relays.publish(segments);
  }

  wakeWatchers(): void {
    wakeWatchers(this.sockets.all);
  }

  /** @returns the answer with the other end of the socket, the name of the relay to be asked instead, or a refusal */
  upgrade(request: Request): Response | Promise<Response> {
    if (!isUpgrade(request)) return upgradeRequired();
    if (this.relays.isEmpty) return this.#open(request);
    return this.relays.learn().then(() => this.#open(request));
  }

  #open(request: Request): Response {
    const nowMs = Date.now();
    const claim = claimOf(request);
    const relay = claim === undefined ? undefined : this.relays.placeFor(claim.host, nowMs);
    if (relay === undefined) return this.#door.upgrade(request, nowMs);
    const ended = this.#options.tagged.refusal(new URL(request.url).searchParams);
    return ended ?? new Response(null, { headers: { [RELAY_HEADER]: relay } });
  }

  /** Reads for a link of a relay. */
  read({ after, upTo, patterns, limit, maxChars }: RelayRead): RelayStretch {
    const { reader, writer } = this.#options;
    const end = Math.min(upTo, writer.headSeq);
    const { lines, through } = reader.after(after, end, compilePatterns(patterns), limit, maxChars);
    return { lines, through, epoch: writer.epoch };
  }

  async claim(claim: RelayClaim): Promise<ClaimAnswer> {
    await this.relays.learn();
    this.relays.claimed(claim.relay);
    const { host, token } = claim.claim;
    const others = await Promise.all(
      this.relays
        .othersWith(host, claim.relay)
        .map(async (relay) => ({ relay, links: await this.relays.linksAt(relay, host) })),
    );
    const nowMs = Date.now();
    const relayed: HostLink[] = [...claim.links, ...others.flatMap(({ links }) => links)];
    this.#claim = claim;
    const decision = this.#door.claim(claim, relayed, nowMs);
    this.#claim = undefined;
    if (decision.kind !== "open") return decision;
    const { close, why, replaced } = decision;
    for (const { relay, links } of others) {
      const tokens = links.filter((link) => close.includes(link)).map((link) => link.token);
      if (tokens.length > 0) this.relays.closeHost(relay, host, tokens, why);
    }
    this.relays.admitted(claim.relay, host, token, nowMs);
    const places = claim.links.flatMap((link, place) => (close.includes(link) ? [place] : []));
    return { kind: "open", close: places, why, replaced };
  }

  /** Tokens that were refused hosts, links or streams lately. */
  get excess(): Excess[] {
    return this.#door.excess;
  }

  /** Whether a token that is bound to no host may speak and work for this one. */
  mayCommand(host: string, token: string): boolean {
    return this.#owners.admits(host, token);
  }

  /** Closes the links and streams that were opened with a token that is deleted or has expired, and releases the names of its hosts. */
  async closeToken(id: string): Promise<void> {
    this.#owners.releaseToken(id);
    this.#options.tagged.closeToken(id, (socket) => this.sockets.leave(socket));
    await this.relays.closeToken(id);
  }

  /** Releases the name of a host: the next token that links takes it. @returns whether a token owned it */
  releaseHost(host: string): boolean {
    return this.#owners.release(host);
  }

  async report(): Promise<LinkReport> {
    // Afresh: whether a host is there is decided by this report where others were lost.
    await this.relays.ask();
    return this.hosts.report;
  }

  gather(
    monitors: readonly string[],
    timeoutMs: number,
    after: GatherAfter = new Map(),
    edge?: EdgeRound,
  ): Promise<HostAnswers> {
    return this.hosts.gather(monitors, timeoutMs, after, edge);
  }

  async status(): Promise<Pick<LogStatus, "subscribers" | "bytes_in_flight" | "hosts" | "unknown_frames">> {
    const own = this.sockets.status;
    if (this.relays.isEmpty) return own;
    const relayed = await this.relays.flow();
    return {
      subscribers: own.subscribers + relayed.subscribers,
      bytes_in_flight: own.bytes_in_flight + relayed.bytes_in_flight,
      unknown_frames: own.unknown_frames + relayed.unknown_frames,
      hosts: [...new Set([...own.hosts, ...relayed.hosts])].sort(),
    };
  }
}

function fromLinksOf({ LINK_RELAY_LINKS }: SignalLogBindings): number {
  const links = readRelayLinks(LINK_RELAY_LINKS);
  if (links !== undefined) return links;
  logLine("error", "setting-invalid", {
    object: "signals",
    setting: "LINK_RELAY_LINKS",
    value: LINK_RELAY_LINKS,
    fix: "set it to a number of links, or off; no relays are used until then",
  });
  return Number.POSITIVE_INFINITY;
}
