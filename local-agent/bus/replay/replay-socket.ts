import { setTimeout as pause } from "node:timers/promises";
import { Router } from "zeromq";
import type { Client } from "../../../src/client/client.ts";
import { ApiProblem, EdgeUnreachable } from "../../../src/client/http/problem-errors.ts";
import { concrete, isListening } from "../../base/endpoint.ts";
import type { Logger } from "../../base/log.ts";
import { ExpectedError, type Report, type ReportingService } from "../../base/service.ts";
import type { LinkState } from "../../feature/edge-link.ts";
import type { Spool } from "../../store/spool.ts";
import type { MessageForm } from "../bus-frames.ts";
import type { KnownIds } from "../known-ids.ts";
import { SocketWriter } from "../socket-writer.ts";
import { readHistory } from "./history.ts";
import { errorReply, repliesOf } from "./replies.ts";
import { type Asked, type ReplayRequest, readAsked } from "./request.ts";

/** Requests that are answered at the same time: each holds its messages in memory. */
const MAX_AT_ONCE = 4;
/** Replies that wait for a client; more are dropped. A client that reads has fewer. */
const UNREAD_REPLIES = 32;
/** A longer frame ends the connection before it is in memory. */
const MAX_FRAME_BYTES = 64 * 1024;
/** How long a request may take, and how long it waits for this host's own messages to reach the edge. */
const ANSWER_MS = 20_000;
const OWN_MS = 5_000;
const LOOK_MS = 20;
/** Number of checks whether the address is free again, and the pause between two of them. */
const FREE_ROUNDS = 100;
const FREE_MS = 10;

export interface ReplaySocketOptions {
  readonly address: string;
  readonly form: MessageForm;
  readonly client: () => Pick<Client, "signals">;
  readonly link: { readonly state: LinkState };
  readonly spool: Pick<Spool, "owns" | "lastNumber" | "read">;
  readonly knownIds: Pick<KnownIds, "cameFromBus">;
  /** Resolves when the messages that have come are in the spool. */
  readonly stored: () => Promise<void>;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Answers subscribers that come late: what was published in the last minutes, to each that asks and to nobody else, since a
 * PUB socket sends to all. It has this from the log of the edge.
 */
export class ReplaySocket implements ReportingService {
  readonly name = "bus replay";
  readonly #options: ReplaySocketOptions;
  readonly #answering = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  #socket: Router | undefined;
  #reading: Promise<void> = Promise.resolve();
  #counts = { complete: 0, truncated: 0, refused: 0, failed: 0 };

  constructor(options: ReplaySocketOptions) {
    this.#options = options;
  }

  /** Requests by what became of them. */
  get counts(): Readonly<Record<"complete" | "truncated" | "refused" | "failed", number>> {
    return { ...this.#counts };
  }

  report(): Report {
    const { address } = this.#options;
    const isOpen = this.#socket !== undefined;
    return { name: this.name, state: isOpen ? "live" : "starting", detail: `answers at ${address}`, needsEdge: true };
  }

  /** Its state changes with its start alone. */
  onChange(): void {}

  /** @throws ExpectedError when the address cannot be used */
  async start(): Promise<void> {
    if (this.#socket !== undefined) return;
    const { address } = this.#options;
    const socket = new Router({
      linger: 0,
      maxMessageSize: MAX_FRAME_BYTES,
      receiveHighWaterMark: UNREAD_REPLIES,
      sendHighWaterMark: UNREAD_REPLIES,
    });
    try {
      await socket.bind(concrete(address, "bind"));
    } catch (error) {
      socket.close();
      throw new ExpectedError(
        `The socket for late subscribers cannot be opened at bus.replay (${address}): ${(error as Error).message}. Set it to a free address of this machine`,
      );
    }
    this.#socket = socket;
    this.#reading = this.#read(socket, new SocketWriter(socket));
  }

  async stop(): Promise<void> {
    const socket = this.#socket;
    this.#stopping.abort(new Error("the agent stops"));
    if (socket === undefined) return;
    this.#socket = undefined;
    socket.close();
    await Promise.all([this.#reading, ...this.#answering.values()]);
    // The library closes its sockets later, without an event: one that is opened again at once would find the old one.
    for (let round = 0; round < FREE_ROUNDS && (await isListening(this.#options.address)); round++)
      await pause(FREE_MS);
  }

  async #read(socket: Router, writer: SocketWriter): Promise<void> {
    for await (const frames of socket) {
      const asked = readAsked(frames);
      const { client, envelope } = asked;
      const reply = async (frames: readonly string[]) => {
        if (!socket.closed) await writer.write([...envelope, ...frames]);
      };
      const busy = this.#busyFor(client);
      if (asked.request === undefined || busy !== undefined) {
        this.#counts.refused++;
        await reply(errorReply(asked.refusal ?? busy ?? "")).catch((error: unknown) => this.#failed(error));
        continue;
      }
      const answered = this.#answer(asked, asked.request, reply).catch((error: unknown) => this.#failed(error));
      this.#answering.set(
        client,
        answered.finally(() => this.#answering.delete(client)),
      );
    }
  }

  /** Why a client must ask later. */
  #busyFor(client: string): string | undefined {
    if (this.#answering.has(client)) return "your request before is still being answered: read its reply first";
    if (this.#answering.size >= MAX_AT_ONCE) return `${MAX_AT_ONCE} requests are being answered: ask again in a second`;
    return undefined;
  }

  async #answer(
    asked: Asked,
    request: ReplayRequest,
    reply: (frames: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const { form, spool, knownIds, now } = this.#options;
    let replies: string[][];
    try {
      const { minutes, topics } = request;
      await this.#ownSent();
      const nowMs = now();
      const abort = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ANSWER_MS)]);
      const query = { topics, sinceMs: Math.round(nowMs - minutes * 60_000), nowMs };
      const history = await readHistory(this.#options.client(), query, abort);
      replies = repliesOf(history, {
        form: request.form ?? form,
        isOwn: ({ id, signal }) => spool.owns(id, "bus") || knownIds.cameFromBus(id, signal),
        asOne: asked.isReq,
        nowMs,
      });
      this.#counts[history.truncated ? "truncated" : "complete"]++;
    } catch (error) {
      this.#counts.failed++;
      replies = [errorReply(reasonOf(error))];
    }
    for (const frames of replies) await reply(frames);
  }

  /**
   * Waits until the messages that programs of this host have sent before are in the log: one that a late subscriber has just
   * missed may still be on its way there.
   */
  async #ownSent(): Promise<void> {
    const { stored, spool, link, now } = this.#options;
    const { state, detail } = link.state;
    if (state !== "connected") throw new NotNow(`the edge is away (${detail}): ask again when the link is back`);
    let last: number | undefined;
    void stored().then(() => {
      last = spool.lastNumber("bus");
    });
    const untilMs = now() + OWN_MS;
    for (;;) {
      // A disk that refuses the messages must not hold up those who ask.
      await pause(LOOK_MS);
      const waiting = last === undefined ? undefined : spool.read("bus", 1, 1, 1);
      if (waiting === null || (waiting !== undefined && last !== undefined && waiting.first > last)) return;
      if (now() >= untilMs || this.#stopping.signal.aborted) {
        throw new NotNow("messages of this host have not reached the edge yet: ask again later");
      }
    }
  }

  #failed(error: unknown): void {
    if (this.#socket !== undefined) this.#options.log.warn({ err: error }, "bus: a replay cannot be sent");
  }
}

/** A request that is refused for now; the text is for the client. */
class NotNow extends Error {}

function reasonOf(error: unknown): string {
  if (error instanceof NotNow) return error.message;
  if (error instanceof ApiProblem)
    return `the edge refused: ${error.problem.title}. ${error.problem.detail ?? ""}`.trim();
  if (error instanceof EdgeUnreachable) return `the edge is away: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
