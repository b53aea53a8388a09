import { ALIVE_MS, decideLink, type HostLink, type LinkClaim } from "../../core/hosts/link-claim.ts";
import type { Connection, LinkAgent } from "./connection.ts";
import type { HostOwners } from "./host-owners.ts";
import { CLOSED_BECAUSE, CLOSED_BY, linkRefused } from "./link-refusal.ts";

export interface LinkDoorOptions {
  readonly owners: HostOwners;
  readonly linksOf: (host: string) => readonly Connection[];
  /** When the runtime last answered a ping of the socket; `null`: never. */
  readonly lastPing: (socket: WebSocket) => Date | null;
  /** Forgets a connection before its socket is closed. */
  readonly close: (socket: WebSocket) => void;
}

/** Lets links in: each host's name has one owner, and one installation at a time. */
export class LinkDoor {
  readonly #options: LinkDoorOptions;

  constructor(options: LinkDoorOptions) {
    this.#options = options;
  }

  /** @returns the refusal, or what the new link says of its agent; links that it replaces are closed */
  enter(claim: LinkClaim, nowMs: number): Response | LinkAgent {
    const { owners, linksOf, close } = this.#options;
    const links = linksOf(claim.host).map((connection) => this.#link(connection, nowMs));
    const decision = decideLink(claim, owners.of(claim.host), links, nowMs);
    if (decision.kind === "refused") return linkRefused(claim.host, decision);
    if (decision.owner !== undefined) owners.set(claim.host, decision.owner);
    for (const { socket } of decision.close) {
      close(socket);
      socket.close(CLOSED_BY[decision.why], CLOSED_BECAUSE[decision.why]);
    }
    const { installation, instance, place } = claim;
    return { installation, instance, place, replaced: decision.replaced };
  }

  #link({ socket, openedMs, agent }: Connection, nowMs: number): HostLink & { readonly socket: WebSocket } {
    const heardMs = Math.max(openedMs, this.#options.lastPing(socket)?.getTime() ?? 0);
    return { ...agent, socket, alive: nowMs - heardMs < ALIVE_MS };
  }
}

/** Reads the claim that the Worker put into the URL of the upgrade. */
export function readClaim(query: URLSearchParams): LinkClaim {
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
