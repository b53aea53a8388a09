import type { IncomingMessage } from "node:http";
import WebSocket from "ws";
import { Problem } from "../../src/core/problem/problem.ts";
import { LINK_PROTOCOL, PING, PONG } from "../../src/core/wire/link-frames.ts";

export interface ConnectionOptions {
  /** `ws:` or `wss:` */
  readonly url: string;
  readonly token: string;
  /** Interval of the keep-alive, in milliseconds; a peer that sends nothing for two intervals is gone. */
  readonly heartbeatMs: number;
  readonly onOpen: () => void;
  readonly onText: (text: string) => void;
  /** Called once, whatever ended the connection, also when it never opened. */
  readonly onClosed: (end: ConnectionEnd) => void;
  /** Called at each keep-alive. @returns a reason to abandon the connection, or `undefined` */
  readonly onBeat: () => string | undefined;
}

export interface ConnectionEnd {
  /** In words for people; holds no secret. */
  readonly reason: string;
  /** Wait that the edge asked for, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The edge refused the credentials or the address: frequent attempts are useless. */
  readonly denied: boolean;
}

const HANDSHAKE_MS = 10_000;
const CLOSE_MS = 1_000;
/** The edge sends 4 MiB at most without an acknowledgement. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;
const LONGEST_WAIT_MS = 5 * 60_000;
/** The body of a refusal: how long it may take, how long it may be, and how much of it is shown. */
const BODY_MS = 5_000;
const MAX_PROBLEM_CHARS = 16_384;
const MAX_REASON_CHARS = 600;

/** One WebSocket to the edge, from the handshake to its end. Each attempt creates a new one. */
export class Connection {
  readonly #ws: WebSocket;
  readonly #options: ConnectionOptions;
  readonly #timer: NodeJS.Timeout;
  #received = true;
  #ended = false;
  #failure: ConnectionEnd | undefined;
  #closed: (() => void)[] = [];

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#ws = new WebSocket(options.url, [LINK_PROTOCOL], {
      headers: { authorization: `Bearer ${options.token}` },
      // Compression costs more time than it saves on signals of a few hundred bytes.
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_FRAME_BYTES,
    });
    this.#timer = setInterval(() => this.#beat(), options.heartbeatMs);
    this.#ws.on("open", () => options.onOpen());
    this.#ws.on("message", (data, isBinary) => {
      this.#received = true;
      if (this.#ended || isBinary) return;
      const text = data.toString();
      if (text !== PONG) options.onText(text);
    });
    this.#ws.on("unexpected-response", (request, response) => {
      void readRefusal(response).then((failure) => {
        this.#failure ??= failure;
        request.destroy();
        this.#end(this.#failure);
      });
    });
    this.#ws.on("error", (error: NodeJS.ErrnoException) => {
      this.#failure ??= { reason: connectionError(error), retryAfterMs: undefined, denied: false };
    });
    this.#ws.on("close", (code, reason) => {
      this.#end(
        this.#failure ?? {
          reason: closeReason(code, reason.toString()),
          retryAfterMs: undefined,
          denied: code === 1008,
        },
      );
    });
  }

  get open(): boolean {
    return !this.#ended && this.#ws.readyState === WebSocket.OPEN;
  }

  send(text: string): void {
    // A frame that is sent into a closing socket is lost, and is sent again on the next connection.
    if (this.open) this.#ws.send(text);
  }

  /** Ends the connection without a closing handshake: the peer does not answer, or breaks the protocol. */
  abandon(reason: string): void {
    this.#failure ??= { reason, retryAfterMs: undefined, denied: false };
    this.#ws.terminate();
    this.#end(this.#failure);
  }

  /** Closes the connection; resolves when the socket is closed, by force after a second. */
  async close(): Promise<void> {
    if (this.#ended) return;
    const closed = new Promise<void>((resolve) => this.#closed.push(resolve));
    this.#ws.close(1000, "the agent stops");
    const force = setTimeout(() => this.abandon("the edge did not answer the closing handshake"), CLOSE_MS);
    await closed;
    clearTimeout(force);
  }

  #beat(): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    const reason = this.#options.onBeat();
    if (reason !== undefined) {
      this.abandon(reason);
    } else if (this.#received) {
      this.#received = false;
      this.#ws.send(PING);
    } else {
      this.abandon("the edge stopped answering");
    }
  }

  #end(end: ConnectionEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    this.#options.onClosed(end);
    for (const resolve of this.#closed.splice(0)) resolve();
  }
}

/** Reads the refusal of an upgrade. Never fails: a body that cannot be read leaves the status. */
async function readRefusal(response: IncomingMessage): Promise<ConnectionEnd> {
  const status = response.statusCode ?? 0;
  const detail = status === 409 || status === 403 ? await problemDetail(response) : undefined;
  response.resume();
  return {
    reason: detail === undefined ? refusalText(status) : `${detail} (${status})`,
    retryAfterMs: retryAfterMs(response.headers["retry-after"]),
    denied: status === 401 || status === 403 || status === 404 || status === 409,
  };
}

async function problemDetail(response: IncomingMessage): Promise<string | undefined> {
  response.setTimeout(BODY_MS, () => response.destroy());
  let text = "";
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > MAX_PROBLEM_CHARS) return undefined;
    }
    const problem = Problem.safeParse(JSON.parse(text));
    return problem.success ? (problem.data.detail ?? problem.data.title).slice(0, MAX_REASON_CHARS) : undefined;
  } catch {
    // No problem details: the status says enough.
    return undefined;
  }
}

function refusalText(status: number): string {
  switch (status) {
    case 401:
      return "the edge does not know the token (401): check GANGLION_TOKEN or the token file";
    case 403:
      return "the token lacks a scope or the ecosystem (403): create one with signals:write and signals:read for GANGLION_ECOSYSTEM";
    case 404:
      return "ecosystem or edge not found (404): check GANGLION_URL and GANGLION_ECOSYSTEM";
    case 429:
    case 503:
      return `the edge is busy (${status})`;
    default:
      return `the edge answered ${status} instead of opening the link: check GANGLION_URL`;
  }
}

/** @see RFC 9110, section 10.2.3: seconds, or a date */
export function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_WAIT_MS);
}

function connectionError(error: NodeJS.ErrnoException): string {
  if (error.code === "ECONNREFUSED") return "connection refused: start the edge or check GANGLION_URL";
  if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN")
    return "the host name of the edge cannot be resolved: check GANGLION_URL";
  // ECONNREFUSED on both address families comes as an AggregateError without a message.
  return error.message || error.code || "the connection failed";
}

function closeReason(code: number, reason: string): string {
  if (code === 1006) return "the connection broke";
  return `the edge closed the link (${code}${reason === "" ? "" : `, ${reason.slice(0, 200)}`})`;
}
