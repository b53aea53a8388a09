import { readBindings } from "../../core/access/bindings.ts";
import { ALIVE_MS, decideLink, type HostLink, type LinkClaim, type LinkDecision } from "../../core/hosts/link-claim.ts";
import type { Excess } from "../../core/quotas/excess.ts";
import { ExcessLedger } from "../../core/quotas/excess-ledger.ts";
import { limitOf, type QuotaVariables, quotaOf, type TokenQuota } from "../../core/quotas/token-quotas.ts";
import { LINK_PROTOCOL } from "../../core/wire/link-frames.ts";
import { type TaggedSockets, tokenOfQuery } from "../shell/sockets.ts";
import type { Connection, ConnectionToken, LinkAgent } from "./connection.ts";
import type { HostOwners } from "./host-owners.ts";
import { CLOSED_BECAUSE, CLOSED_BY, linkRefused, overQuotaRefused } from "./link-refusal.ts";
import type { ClaimAnswer, OverQuota, RelayClaim } from "./relay-calls.ts";
import type { Sockets } from "./sockets.ts";

export interface SocketDoorOptions {
  readonly owners: HostOwners;
  readonly tagged: TaggedSockets;
  readonly sockets: Sockets;
  /** Variables of the deployment. */
  readonly quotas: QuotaVariables;
  /** Links of a token that relays hold, without those of one host. */
  readonly relayed: (token: string, exceptHost: string | undefined, nowMs: number) => number;
  /** When the runtime last answered a ping of the socket; `null`: never. */
  readonly lastPing: (socket: WebSocket) => Date | null;
}

type Decision = LinkDecision<HostLink> | OverQuota;

/**
 * Opens the links and streams of a log, and decides on the links of its relays. Each host's name has one owner, and one
 * installation at a time.
 */
export class SocketDoor {
  readonly #options: SocketDoorOptions;
  /** In memory alone: who goes on being refused is named again. */
  readonly #excess = new ExcessLedger();

  constructor(options: SocketDoorOptions) {
    this.#options = options;
  }

  /** Tokens that were refused hosts, links or streams lately. */
  get excess(): Excess[] {
    return this.#excess.list(Date.now());
  }

  /** @returns the answer with the other end of the socket, or the refusal of a link */
  upgrade(request: Request, nowMs: number): Response {
    const { tagged, sockets } = this.#options;
    const { searchParams } = new URL(request.url);
    const ended = tagged.refusal(searchParams);
    if (ended !== undefined) return ended;
    const claim = claimOf(request);
    const agent = claim === undefined ? this.#watch(searchParams, nowMs) : this.#enter(claim, nowMs);
    if (agent instanceof Response) return agent;
    const { server, answer } = tagged.accept(searchParams);
    const token = readToken(searchParams);
    if (claim !== undefined && agent !== undefined) sockets.openLink(server, claim.host, nowMs, token, agent);
    else sockets.openStream(server, nowMs, token, searchParams);
    return answer(agreedProtocol(request));
  }

  /**
   * Decides on a link that a relay will hold.
   *
   * @param links - of the host, at any relay
   * @returns also which of the links are to be closed
   */
  claim(
    { claim, token }: Pick<RelayClaim, "claim" | "token">,
    links: readonly HostLink[],
    nowMs: number,
  ): Exclude<ClaimAnswer, { kind: "open" }> | Extract<LinkDecision<HostLink>, { kind: "open" }> {
    return this.#options.tagged.isOver(token) ? { kind: "ended" } : this.#decide(claim, links, nowMs);
  }

  /** @returns the refusal, or what the new link says of its agent; links that it replaces are closed */
  #enter(claim: LinkClaim, nowMs: number): Response | LinkAgent {
    const decision = this.#decide(claim, [], nowMs);
    if (decision.kind === "over") return overQuotaRefused(decision);
    return decision.kind === "refused" ? linkRefused(claim.host, decision) : agentOf(claim, decision.replaced);
  }

  /** Decides, stores the owner, and closes the links that end and are open here. */
  #decide(claim: LinkClaim, relayed: readonly HostLink[], nowMs: number): Decision {
    const { owners, sockets, lastPing } = this.#options;
    const own = new Map(
      sockets.linksOf(claim.host).map((connection) => [linkOf(connection, lastPing, nowMs), connection.socket]),
    );
    const owner = owners.of(claim.host);
    const decision = decideLink<HostLink>(claim, owner, [...own.keys(), ...relayed], nowMs);
    if (decision.kind === "refused") return decision;
    const named = decision.owner?.token === claim.token && owner?.token !== claim.token;
    const ofToken = (links: readonly HostLink[]) => links.filter(({ token }) => token === claim.token).length;
    const here = ofToken(relayed) - ofToken(decision.close);
    const over =
      claim.right === "admin"
        ? undefined
        : (this.#overLinks(claim.token, here, nowMs, claim.host) ??
          (named ? this.#overHosts(claim.token, nowMs) : undefined));
    if (over !== undefined) return over;
    if (decision.owner !== undefined) owners.set(claim.host, decision.owner);
    for (const link of decision.close) {
      const socket = own.get(link);
      if (socket !== undefined) closeReplaced(sockets, socket, decision.why);
    }
    return decision;
  }

  /** @returns the refusal of a stream */
  #watch(query: URLSearchParams, nowMs: number): Response | undefined {
    if (query.get("right") === "admin") return undefined;
    const over = this.#overLinks(query.get("token") ?? "", 0, nowMs);
    return over === undefined ? undefined : overQuotaRefused(over);
  }

  /**
   * @param more - open links beside those of the log and of other hosts, without those that end
   * @param host - whose links at relays are in `more`
   */
  #overLinks(token: string, more: number, nowMs: number, host?: string): OverQuota | undefined {
    const { tagged, relayed } = this.#options;
    return this.#over("links", token, nowMs, () => tagged.countOf(token) + relayed(token, host, nowMs) + more);
  }

  #overHosts(token: string, nowMs: number): OverQuota | undefined {
    return this.#over("hosts", token, nowMs, () => this.#options.owners.countOf(token));
  }

  #over(quota: TokenQuota, token: string, nowMs: number, count: () => number): OverQuota | undefined {
    const limit = quotaOf(quota, this.#options.quotas);
    if (count() < limit) return undefined;
    this.#excess.note(limitOf(quota, limit), { sender: `token:${token}`, source: "" }, nowMs);
    return { kind: "over", quota, limit };
  }
}

export function linkOf(
  { socket, heardMs, agent, token }: Connection,
  lastPing: SocketDoorOptions["lastPing"],
  nowMs: number,
): HostLink {
  const lastMs = Math.max(heardMs, lastPing(socket)?.getTime() ?? 0);
  const { installation, instance, place, replaced, admin } = agent;
  return {
    installation,
    instance,
    place,
    replaced,
    admin: admin === true,
    token: token.id,
    alive: nowMs - lastMs < ALIVE_MS,
  };
}

export function agentOf({ installation, instance, place, right }: LinkClaim, replaced: readonly string[]): LinkAgent {
  return { installation, instance, place, replaced, admin: right === "admin" };
}

export function closeReplaced(sockets: Sockets, socket: WebSocket, why: "replaced" | "taken-over"): void {
  sockets.leave(socket);
  socket.close(CLOSED_BY[why], CLOSED_BECAUSE[why]);
}

/** The subprotocol, where the request offers it. */
export function agreedProtocol(request: Request): string | undefined {
  const offered = request.headers.get("Sec-WebSocket-Protocol")?.split(",") ?? [];
  return offered.some((protocol) => protocol.trim() === LINK_PROTOCOL) ? LINK_PROTOCOL : undefined;
}

/** What a request for a link claims; `undefined`: it asks for a stream. */
export function claimOf(request: Request): LinkClaim | undefined {
  const { pathname, searchParams } = new URL(request.url);
  return pathname.endsWith("/link") ? readClaim(searchParams) : undefined;
}

/** Reads what the Worker says of the token that opens a socket. */
export function readToken(query: URLSearchParams): ConnectionToken {
  const { id, expiresMs } = tokenOfQuery(query) ?? { id: "", expiresMs: null };
  return { id, expiresMs, sources: readBindings(query.get("bound")).sources };
}

/** Reads the claim that the Worker put into the URL of the upgrade. */
function readClaim(query: URLSearchParams): LinkClaim {
  const right = query.get("right");
  return {
    host: query.get("host") ?? "unnamed",
    token: query.get("token") ?? "",
    right: right === "admin" || right === "bound" ? right : "any",
    installation: query.get("installation"),
    instance: query.get("instance"),
    place: query.get("place") ?? "",
    takeOver: query.get("take_over") === "1",
  };
}
