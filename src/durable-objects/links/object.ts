import type { DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import type { PlacementVariables } from "../../core/deployment/placement.ts";
import { type ProfileVariable, paceOf } from "../../core/deployment/profile.ts";
import type { EdgeRound } from "../../core/hosts/edge-vitals.ts";
import type { HostLink } from "../../core/hosts/link-claim.ts";
import type { GatherAfter } from "../../core/hosts/links.ts";
import type { Delivery } from "../../core/links/relay-feed.ts";
import type { RelayReport } from "../../core/links/relayed-links.ts";
import { lineName } from "../../core/signals/signal-line.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";
import type { Schema } from "../shell/schema.ts";
import { closeBack, isUpgrade, upgradeRequired } from "../shell/sockets.ts";
import { keepHeard } from "../signals/connection.ts";
import { Hosts } from "../signals/hosts.ts";
import type { CallsOfLog, RelayAnswers, RelayFlow } from "../signals/relay-calls.ts";
import { closeReplaced, linkOf } from "../signals/socket-door.ts";
import { Sockets } from "../signals/sockets.ts";
import { FollowedEpoch } from "./followed-epoch.ts";
import { RelayAppends } from "./relay-appends.ts";
import { RelayDoor } from "./relay-door.ts";
import { RelaySubscriptions } from "./relay-subscriptions.ts";

/** Bindings that a relay uses. */
export interface LinkRelayBindings extends PlacementVariables, ProfileVariable {
  readonly SIGNAL_LOG: Namespace<CallsOfLog>;
  readonly DEAD_LETTERS: Namespace<{ record(records: readonly DeadLetterRecord[]): Promise<void> }>;
}

const PAUSE_MS = 250;

/**
 * Holds some of the links of an ecosystem that has many. A relay takes signals from the log once and sends them to each link
 * that is subscribed to them; what its links append goes to the log together. Named `<ecosystem>/<relay>`.
 *
 * Order, numbers and duplicates are the log's: a batch is confirmed when the log has confirmed it. A relay stores nothing
 * but the epoch of the log that its links follow: where another log takes its place, they link again.
 * Where it is lost, its hosts link again and go on from their own places; where the log is lost, a link that may have missed
 * something reads the log from the place up to which the link was served.
 */
export class LinkRelay extends EcosystemObject<LinkRelayBindings> {
  static override readonly schema: Schema = { of: "LinkRelay", steps: [] };

  readonly #sockets: Sockets;
  readonly #subscriptions: RelaySubscriptions;
  readonly #hosts: Hosts;
  readonly #door: RelayDoor;
  readonly #epoch: FollowedEpoch;

  constructor(ctx: DurableObjectState, env: LinkRelayBindings) {
    super(ctx, env);
    const { ecosystem, objectName } = this;
    const name = objectName.slice(ecosystem.length + 1);
    const log = (): CallsOfLog => objectNamed(env.SIGNAL_LOG, ecosystem, env);
    this.tagged.answerPings(() => keepHeard(this.#sockets.all));
    const { links: pace, relayedMs } = paceOf(env);
    const appends = new RelayAppends((requests) => log().relayAppend(requests), relayedMs);
    this.#epoch = new FollowedEpoch(this.sql);
    const open = this.tagged.all();
    this.#subscriptions = new RelaySubscriptions({
      subscribe: async (patterns) => {
        const { seq, epoch } = await log().relaySubscribe(name, patterns);
        this.#follow(epoch);
        return seq;
      },
      connections: () => this.#sockets.all,
      pause: (failures) => new Promise((resolve) => setTimeout(resolve, PAUSE_MS * failures)),
    });
    this.#sockets = new Sockets(open, {
      // The bytes in flight of each relay are counted by themselves.
      ecosystem: objectName,
      keepAliveMs: 0,
      append: (request, answer) => appends.add(request, answer),
      read: async (after, { patterns }, limit, maxChars) => {
        const upTo = this.#subscriptions.head;
        const stretch = await log().relayRead({ after, upTo, patterns, limit, maxChars });
        this.#follow(stretch.epoch);
        return stretch;
      },
      wakeBy: (atMs) => this.alarms.wakeBy(atMs),
      pace,
      head: () => this.#subscriptions.head,
      deadLetter: (records) => objectNamed(env.DEAD_LETTERS, ecosystem, env).record(records),
      keepAlive: (work) => ctx.waitUntil(work),
      factsReceived: (host, request, facts) => this.#hosts.factsReceived(host, request, facts),
      linksChanged: () => this.#hosts.linksChanged(),
      status: (host, status) => this.#hosts.status(host, status),
      subscribing: (connection, patterns) => this.#subscriptions.subscribing(connection, patterns),
    });
    this.#subscriptions.restore();
    if (open.length > 0) this.#sockets.tick(Date.now());
    this.#door = new RelayDoor({
      relay: name,
      tagged: this.tagged,
      sockets: this.#sockets,
      claim: (claim) => log().relayClaim(claim),
      lastPing: (socket) => ctx.getWebSocketAutoResponseTimestamp(socket),
    });
    this.#hosts = new Hosts({
      registry: () => ({ report: (_, statuses) => log().relayReport(name, this.#report, statuses) }),
      links: () => this.#sockets.links,
      head: () => this.#subscriptions.head,
      ask: (frame) => this.#sockets.toHosts(frame),
      keepAlive: (work) => ctx.waitUntil(work),
      // The log wakes who watches.
      troubleChanged: () => undefined,
      known: async () => undefined,
      askElsewhere: async () => [],
    });
  }

  /** Sends signals on to the links that are subscribed to them. */
  deliver(delivery: Delivery): void {
    this.#take(delivery);
  }

  /** How far all links have been served that are up to date; `null`: none is subscribed. */
  place(): number | null {
    const places = this.#sockets.all.flatMap(({ subscription, behind }) =>
      subscription === undefined || behind ? [] : [subscription.sent],
    );
    return places.length === 0 ? null : Math.min(...places);
  }

  /** Asks the hosts of this relay for facts. @param end - what the log has sent so far, to its end */
  async gather(
    monitors: readonly string[],
    timeoutMs: number,
    after: GatherAfter,
    end: Delivery | undefined,
    edge?: EdgeRound,
  ): Promise<RelayAnswers> {
    if (end !== undefined) this.#take(end);
    this.ctx.waitUntil(this.#subscriptions.shrink());
    const answers = await this.#hosts.gather(monitors, timeoutMs, after, edge);
    return { ...answers, report: this.#report };
  }

  /** The links that are open here. */
  links(): RelayReport {
    return this.#report;
  }

  /** Not by a call of {@link links}, which is counted as one from outside. */
  get #report(): RelayReport {
    const links = this.#sockets.all.flatMap(({ host, openedMs, token }) =>
      host === null ? [] : [{ host, openedMs, token: token.id }],
    );
    return { ...this.#hosts.report, links };
  }

  linksOf(host: string): HostLink[] {
    const lastPing = (socket: WebSocket) => this.ctx.getWebSocketAutoResponseTimestamp(socket);
    return this.#sockets.linksOf(host).map((connection) => linkOf(connection, lastPing, Date.now()));
  }

  flow(): RelayFlow {
    return this.#sockets.status;
  }

  /** Closes the links that were opened with a token that is deleted or has expired. */
  closeToken(id: string): void {
    this.tagged.closeToken(id, (socket) => this.#sockets.leave(socket));
  }

  /** Closes the links of a host that were opened with some tokens: another object holds its link now. */
  closeHost(host: string, tokens: readonly string[], why: "replaced" | "taken-over"): void {
    for (const { socket, token } of this.#sockets.linksOf(host))
      if (tokens.includes(token.id)) closeReplaced(this.#sockets, socket, why);
  }

  /** WebSocket upgrades: `/<ecosystem>/link?host=`. */
  override fetch(request: Request): Response | Promise<Response> {
    return isUpgrade(request) ? this.#door.upgrade(request) : upgradeRequired();
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    if (this.tagged.answersPing(socket, message)) this.#sockets.pinged(socket);
    else this.#sockets.receive(socket, message);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#sockets.close(socket);
    closeBack(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    this.#sockets.close(socket);
  }

  override alarm(): void {
    this.#sockets.tick(Date.now());
  }

  #take({ from, through, lines, epoch }: Delivery): void {
    this.#follow(epoch);
    const names = [...new Set(lines.map(lineName))];
    this.#subscriptions.reached(through);
    this.#sockets.publish([{ firstSeq: from + 1, lastSeq: through, lines, names }]);
  }

  /** Another log has taken the place of the one that the links follow, as an import does: they link again, as links of a log do. */
  #follow(epoch: string): void {
    if (!this.#epoch.changes(epoch)) return;
    this.#subscriptions.restart();
    // Links that subscribe for the first time follow no other log.
    if (this.#sockets.all.every(({ subscription }) => subscription === undefined)) return;
    for (const { socket } of this.#sockets.all) {
      this.#sockets.leave(socket);
      socket.close(1012, "the log has been replaced: connect again");
    }
  }
}
