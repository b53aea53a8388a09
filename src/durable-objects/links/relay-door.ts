import { PROBLEM_TYPE, problem } from "../../core/problem/problem.ts";
import { logLine } from "../shell/log-line.ts";
import type { TaggedSockets } from "../shell/sockets.ts";
import { Turns } from "../shell/turns.ts";
import { linkRefused, overQuotaRefused } from "../signals/link-refusal.ts";
import type { ClaimAnswer, RelayClaim } from "../signals/relay-calls.ts";
import { agentOf, agreedProtocol, claimOf, closeReplaced, linkOf, readToken } from "../signals/socket-door.ts";
import type { Sockets } from "../signals/sockets.ts";

export interface RelayDoorOptions {
  readonly relay: string;
  readonly tagged: TaggedSockets;
  readonly sockets: Sockets;
  /** Asks the log, which decides on all links of the ecosystem. */
  readonly claim: (claim: RelayClaim) => Promise<ClaimAnswer>;
  readonly lastPing: (socket: WebSocket) => Date | null;
}

const RETRY_SECONDS = 2;

/** Opens links at a relay, one after the other: the log decides on a link while it knows of every link before. */
export class RelayDoor {
  readonly #options: RelayDoorOptions;
  /** By host. */
  readonly #turns = new Map<string, { readonly turns: Turns; waiting: number }>();

  constructor(options: RelayDoorOptions) {
    this.#options = options;
  }

  async upgrade(request: Request): Promise<Response> {
    const host = claimOf(request)?.host ?? "";
    const entry = this.#turns.get(host) ?? { turns: new Turns(), waiting: 0 };
    this.#turns.set(host, entry);
    entry.waiting++;
    try {
      return await entry.turns.run(() => this.#open(request));
    } finally {
      if (--entry.waiting === 0) this.#turns.delete(host);
    }
  }

  async #open(request: Request): Promise<Response> {
    const { relay, tagged, sockets, lastPing } = this.#options;
    const { searchParams } = new URL(request.url);
    const claim = claimOf(request);
    if (claim === undefined) return new Response(null, { status: 404 });
    const token = readToken(searchParams);
    const nowMs = Date.now();
    const connections = sockets.linksOf(claim.host);
    const ofToken = sockets.all.filter((other) => other.token.id === token.id).map((other) => other.host ?? "");
    const links = connections.map((connection) => linkOf(connection, lastPing, nowMs));
    let answer: ClaimAnswer;
    try {
      const { id, expiresMs } = token;
      answer = await this.#options.claim({
        relay,
        claim,
        token: { id, expiresMs },
        links,
        ofToken,
        claiming: [...this.#turns.keys()],
      });
    } catch (error) {
      logLine("warn", "link-claim-unanswered", { object: "links", host: claim.host, error });
      return logUnreachable();
    }
    // The token may have been deleted while the log was asked.
    const ended = tagged.refusal(searchParams);
    if (ended !== undefined) return ended;
    if (answer.kind === "ended") return tagged.ended();
    if (answer.kind === "over") return overQuotaRefused(answer);
    if (answer.kind === "refused") return linkRefused(claim.host, answer);
    for (const place of answer.close) {
      const connection = connections[place];
      if (connection !== undefined) closeReplaced(sockets, connection.socket, answer.why);
    }
    const opening = tagged.accept(searchParams);
    sockets.openLink(opening.server, claim.host, Date.now(), token, agentOf(claim, answer.replaced));
    return opening.answer(agreedProtocol(request));
  }
}

function logUnreachable(): Response {
  const detail = "The log of the ecosystem could not be asked whether this link may open. Try again.";
  return Response.json(problem("overloaded", 503, "The log could not be reached", detail), {
    status: 503,
    headers: { "Content-Type": PROBLEM_TYPE, "Retry-After": String(RETRY_SECONDS) },
  });
}
