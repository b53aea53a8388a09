import { ExponentialBackoff, fullJitterGenerator, type IBackoff } from "cockatiel";
import type { EdgeFrame } from "../../src/core/wire/link-frames.ts";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { EdgeLink, GatherFacts, LinkState } from "../feature/edge-link.ts";
import type { DeadLetterFile } from "../store/dead-letter-file.ts";
import type { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";
import type { Inbox } from "../store/inbox.ts";
import type { Lane, Spool } from "../store/spool.ts";
import { Connection, type ConnectionEnd } from "./connection.ts";
import { DeadLetterSender } from "./dead-letter-sender.ts";
import { drain } from "./drain.ts";
import { readEdgeFrame } from "./edge-frame.ts";
import { type Fields, factsFrame, statusFrame } from "./host-frames.ts";
import { Inbound } from "./inbound.ts";
import { LinkName } from "./link-name.ts";
import { type LinkIdentity, linkUrl } from "./link-url.ts";
import { Outbound } from "./outbound.ts";
import { refusalRouter } from "./route-refusal.ts";
import { UnknownFrames } from "./unknown-frames.ts";

export interface LinkOptions {
  readonly url: string;
  readonly token: () => string;
  readonly ecosystem: string;
  readonly hostId: string;
  readonly spool: Spool;
  /** Default: the edge is not told, and cannot tell this agent from another of the same name. */
  readonly identity?: LinkIdentity;
  /** `null`: the link only sends. */
  readonly inbox: Inbox | null;
  /** Patterns of the signals that the sinks read; empty when there are no sinks. */
  readonly subscribe: readonly string[];
  /** Receives signals that the edge will never take. */
  readonly deadLetterFile: DeadLetterFile;
  /** Dead letters of this host on their way to the edge. */
  readonly deadLetters: DeadLetterOutbox;
  /** The feature that answers the edge's questions about this host; `undefined` while none does. */
  readonly gatherFacts?: () => GatherFacts | undefined;
  readonly log: Logger;
  /** Interval of the keep-alive, in milliseconds; default 15,000. */
  readonly heartbeatMs?: number;
  /** Longest wait before the first and before any attempt to connect, in milliseconds; default 250 and 15,000. */
  readonly backOff?: { readonly initialMs: number; readonly maxMs: number };
  /** How long `stop` waits for the spool to be sent, in milliseconds; default 3,000. */
  readonly drainMs?: number;
}

const HEARTBEAT_MS = 15_000;
/** Wait after refused credentials, which do not change by themselves. */
const DENIED_WAIT_MS = 5_000;
/** A connection that lasted so long counts as good, even if no frame arrived: the back-off starts again. */
const GOOD_AFTER_MS = 10_000;

/** The agent's one connection to the edge: empties the spool, fills the inbox, and reconnects when it is lost. */
export class Link implements Service, EdgeLink {
  readonly name = "link";
  readonly #options: LinkOptions;
  readonly #outbound: Outbound;
  readonly #inbound: Inbound;
  readonly #deadLetters: DeadLetterSender;
  readonly #name: LinkName;
  readonly #routeRefusal: ReturnType<typeof refusalRouter>;
  readonly #listeners = new Listeners();
  #state: LinkState = { state: "stopped", detail: "not started" };
  #running = false;
  #connection: Connection | undefined;
  #openedMs = 0;
  #retry: NodeJS.Timeout | undefined;
  #backOff: IBackoff<unknown> | undefined;
  #status: string | undefined;
  readonly #unknown: UnknownFrames;
  #connects = 0;
  #failures = 0;
  #roundTrip: (lane: Lane, seconds: number) => void = () => undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    const send = () => {
      const connection = this.#connection;
      return connection?.open === true ? (text: string) => connection.send(text) : null;
    };
    const abandon = (reason: string) => this.#connection?.abandon(reason);
    const { spool, hostId, log } = options;
    this.#unknown = new UnknownFrames(log);
    this.#name = new LinkName({ spool, hostId, log, abandon, renamed: () => this.#outbound.renamed() });
    const sendLetters = () => (this.#name.settled ? send() : null);
    this.#deadLetters = new DeadLetterSender({ outbox: options.deadLetters, log, send: sendLetters, host: hostId });
    this.#outbound = new Outbound({
      spool,
      deadLetterFile: options.deadLetterFile,
      log,
      send,
      abandon,
      onRoundTrip: (lane, seconds) => this.#roundTrip(lane, seconds),
    });
    this.#inbound = new Inbound({
      inbox: options.inbox,
      subscribe: options.subscribe,
      log,
      onStored: (connection) => this.#stored(connection),
    });
    this.#routeRefusal = refusalRouter(this.#outbound, this.#inbound, this.#deadLetters, log);
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Signals that the edge stored as dead letters instead of appending them to the log. */
  get rejectedCount(): number {
    return this.#outbound.rejectedCount;
  }

  /** Counts since the start. */
  get counts(): Readonly<Record<"connects" | "failures" | "refused" | "unknown", number>> {
    const { refusedCount: refused } = this.#outbound;
    return { connects: this.#connects, failures: this.#failures, refused, unknown: this.#unknown.count };
  }

  /** Calls `listener` with the time from sending a batch until the edge confirms that it is durable. */
  onRoundTrip(listener: (lane: Lane, seconds: number) => void): void {
    this.#roundTrip = listener;
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Resolves at once: signals are taken in while the edge is away. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#change({ state: "connecting", detail: "connecting" });
    this.#outbound.start();
    this.#deadLetters.start();
    void this.#name.start(() => this.#running);
    this.#connect();
  }

  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    clearTimeout(this.#retry);
    const { spool, drainMs = 3_000, log } = this.#options;
    this.#outbound.flush();
    if (this.#connection?.open) await drain({ spool, drainMs, log, onChange: (listener) => this.onChange(listener) });
    this.#outbound.stop();
    this.#deadLetters.stop();
    this.#inbound.flush();
    await this.#connection?.close();
    this.#change({ state: "stopped", detail: "stopped" });
  }

  /** Sends the status of this host to the edge, now and after each new connection. An unchanged status is not sent. */
  setStatus(status: Readonly<Record<string, unknown>>): void {
    const text = statusFrame(status);
    if (text === this.#status) return;
    this.#status = text;
    this.#connection?.send(text);
  }

  /** @see Inbound.setSubscribe */
  setSubscribe(patterns: readonly string[]): void {
    this.#inbound.setSubscribe(patterns);
  }

  #change(state: LinkState): void {
    if (state.state === this.#state.state && state.detail === this.#state.detail) return;
    const { log } = this.#options;
    if (state.state === "waiting" && state.detail !== this.#state.detail) log.warn(`link: ${state.detail}`);
    if (state.state === "connected") log.info("link: connected");
    this.#state = state;
    this.#listeners.notify();
  }

  #connect(): void {
    const { token, heartbeatMs = HEARTBEAT_MS } = this.#options;
    let secret: string;
    try {
      secret = token();
    } catch (error) {
      this.#closed({ reason: (error as Error).message, retryAfterMs: undefined, denied: true });
      return;
    }
    this.#connection = new Connection({
      url: this.#url(),
      token: secret,
      heartbeatMs,
      onOpen: () => this.#opened(),
      onText: (text) => this.#received(text),
      onClosed: (end) => this.#closed(end),
      onBeat: () => this.#outbound.unanswered(performance.now()),
    });
  }

  #url(): string {
    const { url, ecosystem, identity } = this.#options;
    // A name is taken over once: an agent that tried again after it was replaced itself would never let go.
    const asked =
      identity === undefined ? undefined : { ...identity, takeOver: identity.takeOver && this.#connects === 0 };
    return linkUrl(url, ecosystem, this.#name.current, asked);
  }

  #opened(): void {
    this.#openedMs = performance.now();
    this.#connects++;
    if (!this.#name.opened()) return;
    if (this.#connection !== undefined) this.#inbound.opened(this.#connection);
    if (this.#status !== undefined) this.#connection?.send(this.#status);
    // An inbox without a cursor subscribes from the end of the log. Until the edge has answered where that is, signals
    // that are emitted now may lie before it.
    if (!this.#inbound.awaitsPlace) this.#change({ state: "connected", detail: "connected" });
    this.#outbound.opened();
    this.#deadLetters.opened();
  }

  #closed({ reason, retryAfterMs, denied }: ConnectionEnd): void {
    const wasOpen = this.#openedMs > 0;
    if (wasOpen && performance.now() - this.#openedMs > GOOD_AFTER_MS) this.#backOff = undefined;
    this.#openedMs = 0;
    this.#inbound.closed();
    this.#connection = undefined;
    if (!this.#running) {
      this.#change({ state: "stopped", detail: reason });
      return;
    }
    this.#failures++;
    if (denied && !wasOpen) this.#name.denied();
    const { initialMs, maxMs } = this.#options.backOff ?? { initialMs: 250, maxMs: 15_000 };
    // Full jitter: a fleet that lost its edge does not reconnect all at once.
    const backOff = new ExponentialBackoff({
      generator: fullJitterGenerator,
      initialDelay: initialMs,
      maxDelay: maxMs,
    });
    this.#backOff = (this.#backOff ?? backOff).next(undefined);
    // The edge gives the same time to the whole fleet, so a random part is added.
    const namedMs = (retryAfterMs ?? 0) * (1 + Math.random() / 4);
    const waitMs = Math.max(this.#backOff.duration, namedMs, denied ? Math.min(DENIED_WAIT_MS, maxMs) : 0);
    this.#change({ state: "waiting", detail: reason });
    this.#retry = setTimeout(() => this.#connect(), waitMs);
  }

  /** The back-off ends only here: an inbox that cannot be written must not make the link reconnect without a pause. */
  #stored(connection: Connection | undefined): void {
    this.#backOff = undefined;
    if (connection?.open === true && connection === this.#connection)
      this.#change({ state: "connected", detail: "connected" });
  }

  #received(text: string): void {
    const frame = readEdgeFrame(text);
    switch (frame.type) {
      case "signals":
        this.#inbound.receive(frame, text.length);
        break;
      case "acknowledge":
        this.#inbound.acknowledge(frame.last);
        break;
      case "appended":
        this.#backOff = undefined;
        this.#outbound.appended(frame);
        break;
      case "lettered":
        this.#deadLetters.stored(frame.batch);
        break;
      case "refused":
        this.#routeRefusal(frame);
        break;
      case "gather":
        this.#inbound.completed(frame.complete);
        this.#gather(frame);
        break;
      case "pace":
        this.#outbound.paced(frame);
        break;
      case "unknown":
        this.#unknown.skip(frame.name);
        break;
      case "unreadable":
        // The content of the frame is lost. On a new connection, the edge sends what is still needed.
        this.#connection?.abandon(`the edge sent an unreadable frame: ${frame.reason}`);
    }
  }

  #gather({ request, monitors, after = {}, edge }: Extract<EdgeFrame, { type: "gather" }>): void {
    // An answer without facts saves the edge the wait and shows that this host is alive. It goes over the connection of
    // the request: on another one, the edge does not wait for it.
    const connection = this.#connection;
    const answer = (facts: Fields) => connection?.send(factsFrame(request, facts));
    const gatherFacts = this.#options.gatherFacts?.();
    if (gatherFacts === undefined) return void answer({});
    gatherFacts(monitors, after, edge).then(answer, (error: unknown) => {
      this.#options.log.error({ err: error }, "link: the facts that the edge asked for cannot be gathered");
      answer({});
    });
  }
}
