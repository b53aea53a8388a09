import { readBindings } from "../../core/access/bindings.ts";
import { ALIVE_MS, decideLink, type HostLink, type LinkClaim } from "../../core/hosts/link-claim.ts";
import { PROBLEM_TYPE } from "../../core/problem/problem.ts";
import type { Excess } from "../../core/quotas/excess.ts";
import { ExcessLedger } from "../../core/quotas/excess-ledger.ts";
import {
  limitOf,
  overQuota,
  type QuotaVariables,
  quotaOf,
  retryAfterOf,
  type TokenQuota,
} from "../../core/quotas/token-quotas.ts";
import { LINK_PROTOCOL } from "../../core/wire/link-frames.ts";
import { type TaggedSockets, tokenOfQuery } from "../shell/sockets.ts";
import type { Connection, ConnectionToken, LinkAgent } from "./connection.ts";
import type { HostOwners } from "./host-owners.ts";
import { CLOSED_BECAUSE, CLOSED_BY, linkRefused } from "./link-refusal.ts";
import type { Sockets } from "./sockets.ts";

export interface SocketDoorOptions {
  readonly owners: HostOwners;
  readonly tagged: TaggedSockets;
  readonly sockets: Sockets;
  /** Variables of the deployment. */
  readonly quotas: QuotaVariables;
  /** When the runtime last answered a ping of the socket; `null`: never. */
  readonly lastPing: (socket: WebSocket) => Date | null;
}

/** Opens the links and streams of a log. Each host's name has one owner, and one installation at a time. */
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
    const { searchParams, pathname } = new URL(request.url);
    const ended = tagged.refusal(searchParams);
    if (ended !== undefined) return ended;
    const claim = pathname.endsWith("/link") ? readClaim(searchParams) : undefined;
    const agent = claim === undefined ? this.#watch(searchParams, nowMs) : this.#enter(claim, nowMs);
    if (agent instanceof Response) return agent;
    const { server, answer } = tagged.accept(searchParams);
    const token = readToken(searchParams);
    if (claim !== undefined && agent !== undefined) sockets.openLink(server, claim.host, nowMs, token, agent);
    else sockets.openStream(server, nowMs, token, searchParams);
    const offered = request.headers.get("Sec-WebSocket-Protocol")?.split(",") ?? [];
    return answer(offered.some((protocol) => protocol.trim() === LINK_PROTOCOL) ? LINK_PROTOCOL : undefined);
  }

  /** @returns the refusal, or what the new link says of its agent; links that it replaces are closed */
  #enter(claim: LinkClaim, nowMs: number): Response | LinkAgent {
    const { owners, sockets } = this.#options;
    const links = sockets.linksOf(claim.host).map((connection) => this.#link(connection, nowMs));
    const decision = decideLink(claim, owners.of(claim.host), links, nowMs);
    if (decision.kind === "refused") return linkRefused(claim.host, decision);
    const closing = decision.close.filter(({ token }) => token === claim.token).length;
    const named = decision.owner?.token === claim.token && owners.of(claim.host)?.token !== claim.token;
    const refusal =
      claim.right === "admin"
        ? undefined
        : (this.#overLinks(claim.token, closing, nowMs) ?? (named ? this.#overHosts(claim.token, nowMs) : undefined));
    if (refusal !== undefined) return refusal;
    if (decision.owner !== undefined) owners.set(claim.host, decision.owner);
    for (const { socket } of decision.close) {
      sockets.leave(socket);
      socket.close(CLOSED_BY[decision.why], CLOSED_BECAUSE[decision.why]);
    }
    const { installation, instance, place, right } = claim;
    return { installation, instance, place, replaced: decision.replaced, admin: right === "admin" };
  }

  /** @returns the refusal of a stream */
  #watch(query: URLSearchParams, nowMs: number): Response | undefined {
    return query.get("right") === "admin" ? undefined : this.#overLinks(query.get("token") ?? "", 0, nowMs);
  }

  #overLinks(token: string, closing: number, nowMs: number): Response | undefined {
    return this.#over("links", token, nowMs, () => this.#options.tagged.countOf(token) - closing);
  }

  #overHosts(token: string, nowMs: number): Response | undefined {
    return this.#over("hosts", token, nowMs, () => this.#options.owners.countOf(token));
  }

  #over(quota: TokenQuota, token: string, nowMs: number, count: () => number): Response | undefined {
    const limit = quotaOf(quota, this.#options.quotas);
    if (count() < limit) return undefined;
    this.#excess.note(limitOf(quota, limit), { sender: `token:${token}`, source: "" }, nowMs);
    const seconds = retryAfterOf(quota);
    const refused = overQuota(quota, limit);
    const headers = { "Content-Type": PROBLEM_TYPE, ...(seconds === undefined ? {} : { "Retry-After": `${seconds}` }) };
    return Response.json(refused, { status: refused.status, headers });
  }

  #link({ socket, openedMs, agent, token }: Connection, nowMs: number): HostLink & { readonly socket: WebSocket } {
    const heardMs = Math.max(openedMs, this.#options.lastPing(socket)?.getTime() ?? 0);
    return { ...agent, admin: agent.admin === true, token: token.id, socket, alive: nowMs - heardMs < ALIVE_MS };
  }
}

/** Reads what the Worker says of the token that opens a socket. */
function readToken(query: URLSearchParams): ConnectionToken {
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
