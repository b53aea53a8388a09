import { ExponentialBackoff, fullJitterGenerator, type IBackoff } from "cockatiel";
import type { Problem } from "../../src/core/problem/problem.ts";
import { UnknownTypes } from "../../src/core/wire/unknown-types.ts";
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
import { type Delivery, readEdgeFrame } from "./edge-frame.ts";
import { linkUrl } from "./link-url.ts";
import { Outbound } from "./outbound.ts";

export interface LinkOptions {
  readonly url: string;
  readonly token: () => string;
  readonly ecosystem: string;
  readonly hostId: string;
  readonly spool: Spool;
  /** Without one the link only sends. */
  readonly inbox: Inbox | null;
  /** Patterns of the signals that the sinks want; none where there are no sinks. */
  readonly subscribe: readonly string[];
  /** Receives signals that the edge will never take. */
  readonly deadLetterFile: DeadLetterFile;
  /** Dead letters of this host on their way to the edge. */
  readonly deadLetters: DeadLetterOutbox;
  /** The feature that answers the edge's questions about this host; `undefined` while none does. */
  readonly gatherFacts?: () => GatherFacts | undefined;
  readonly log: Logger;
  /** Milliseconds; default 15,000. */
  readonly heartbeatMs?: number;
  /** Longest wait of the first and of any attempt to connect, in milliseconds; default 250 and 15,000. */
  readonly backOff?: { readonly initialMs: number; readonly maxMs: number };
  /** How long `stop` waits for the spool to be sent, in milliseconds; default 3,000. */
  readonly drainMs?: number;
}

const HEARTBEAT_MS = 15_000;
/** Patterns that no signal matches; an empty list is every signal. */
const NOTHING = ["!*"];
/** Refused credentials do not change by themselves. */
const DENIED_WAIT_MS = 5_000;
/** A connection that held this long was a good one, even if nothing was said. */
const GOOD_AFTER_MS = 10_000;

/** The agent's one connection to the edge: empties the spool, fills the inbox, comes back whenever it is lost. */
export class Link implements Service, EdgeLink {
  readonly name = "link";
  readonly #options: LinkOptions;
  readonly #url: string;
  readonly #outbound: Outbound;
  readonly #deadLetters: DeadLetterSender;
  readonly #listeners = new Listeners();
  #state: LinkState = { state: "stopped", detail: "not started" };
  #running = false;
  #connection: Connection | undefined;
  #openedMs = 0;
  #retry: NodeJS.Timeout | undefined;
  #waits: IBackoff<unknown> | undefined;
  #status: string | undefined;
  #subscribe: readonly string[];
  /** How often the edge was asked for other signals and has not answered: what comes may still be by the old patterns. */
  #turns = 0;
  readonly #unknown = new UnknownTypes();
  #connects = 0;
  #failures = 0;
  #roundTrip: (lane: Lane, seconds: number) => void = () => undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#subscribe = options.subscribe;
    this.#url = linkUrl(options.url, options.ecosystem, options.hostId);
    const send = () => {
      const connection = this.#connection;
      return connection?.open === true ? (text: string) => connection.send(text) : null;
    };
    this.#deadLetters = new DeadLetterSender({ outbox: options.deadLetters, log: options.log, send });
    this.#outbound = new Outbound({
      spool: options.spool,
      deadLetterFile: options.deadLetterFile,
      log: options.log,
      send,
      abandon: (reason) => this.#connection?.abandon(reason),
      onRoundTrip: (lane, seconds) => this.#roundTrip(lane, seconds),
    });
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Signals that the edge kept as dead letters instead of taking them into the log. */
  get rejectedCount(): number {
    return this.#outbound.rejectedCount;
  }

  /** Since the start. */
  get counts(): Readonly<Record<"connects" | "failures" | "refused" | "unknown", number>> {
    const { refusedCount: refused } = this.#outbound;
    return { connects: this.#connects, failures: this.#failures, refused, unknown: this.#unknown.count };
  }

  /** Calls `listener` with the time from sending a batch to the edge's word that it is durable. */
  onRoundTrip(listener: (lane: Lane, seconds: number) => void): void {
    this.#roundTrip = listener;
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Resolves at once: an edge that is away is no reason not to take signals in. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#change({ state: "connecting", detail: "connecting" });
    this.#outbound.start();
    this.#deadLetters.start();
    this.#connect();
  }

  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    clearTimeout(this.#retry);
    if (this.#connection?.open) await this.#drain();
    this.#outbound.stop();
    this.#deadLetters.stop();
    await this.#connection?.close();
    this.#change({ state: "stopped", detail: "stopped" });
  }

  /** Tells the edge what this host runs, now and after each new connection; the same again is not sent. */
  setStatus(status: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify({ ...status, type: "status" });
    if (text === this.#status) return;
    this.#status = text;
    this.#connection?.send(text);
  }

  /**
   * What the sinks want from now on. Nothing that the edge takes in after this is missed by the new patterns: a delivery
   * by the old ones that is still on its way would move the place in the log beyond it, and is not taken any more.
   */
  setSubscribe(patterns: readonly string[]): void {
    if (JSON.stringify(patterns) === JSON.stringify(this.#subscribe)) return;
    const had = this.#subscribe.length > 0;
    this.#subscribe = patterns;
    if (this.#options.inbox === null || this.#connection?.open !== true) return;
    if (had) {
      // Answered at once with where the log ends, an empty delivery: everything before the answer is of the old patterns.
      this.#send({ type: "subscribe", after: null, signals: NOTHING });
      this.#turns++;
    }
    this.#sendSubscription();
  }

  #sendSubscription(): void {
    const { inbox } = this.#options;
    if (inbox === null || this.#subscribe.length === 0) return;
    this.#send({ type: "subscribe", after: inbox.cursor, signals: this.#subscribe });
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
      url: this.#url,
      token: secret,
      heartbeatMs,
      onOpen: () => this.#opened(),
      onText: (text) => this.#received(text),
      onClosed: (end) => this.#closed(end),
      onBeat: () => this.#outbound.unanswered(performance.now()),
    });
  }

  #opened(): void {
    this.#openedMs = performance.now();
    this.#connects++;
    this.#sendSubscription();
    if (this.#status !== undefined) this.#connection?.send(this.#status);
    const { inbox } = this.#options;
    // A journal without a place has asked for what comes from now on: until the edge has said where that is, what is
    // emitted may still fall before it.
    if (inbox === null || inbox.cursor !== null || this.#subscribe.length === 0)
      this.#change({ state: "connected", detail: "connected" });
    this.#outbound.opened();
    this.#deadLetters.opened();
  }

  #closed({ reason, retryAfterMs, denied }: ConnectionEnd): void {
    if (performance.now() - this.#openedMs > GOOD_AFTER_MS && this.#openedMs > 0) this.#waits = undefined;
    this.#openedMs = 0;
    this.#turns = 0;
    this.#connection = undefined;
    if (!this.#running) {
      this.#change({ state: "stopped", detail: reason });
      return;
    }
    this.#failures++;
    const { initialMs, maxMs } = this.#options.backOff ?? { initialMs: 250, maxMs: 15_000 };
    // Full jitter: a fleet that lost its edge does not come back in step.
    const backOff = new ExponentialBackoff({
      generator: fullJitterGenerator,
      initialDelay: initialMs,
      maxDelay: maxMs,
    });
    this.#waits = (this.#waits ?? backOff).next(undefined);
    // A time that the edge names is the same for the whole fleet, so that some of it is added.
    const namedMs = (retryAfterMs ?? 0) * (1 + Math.random() / 4);
    const waitMs = Math.max(this.#waits.duration, namedMs, denied ? Math.min(DENIED_WAIT_MS, maxMs) : 0);
    this.#change({ state: "waiting", detail: reason });
    this.#retry = setTimeout(() => this.#connect(), waitMs);
  }

  #send(frame: Readonly<Record<string, unknown>>): void {
    this.#connection?.send(JSON.stringify(frame));
  }

  #received(text: string): void {
    const frame = readEdgeFrame(text);
    switch (frame.type) {
      case "signals":
        this.#deliver(frame);
        break;
      case "appended":
        this.#waits = undefined;
        this.#outbound.appended(frame);
        break;
      case "lettered":
        this.#deadLetters.lettered(frame.batch);
        break;
      case "refused":
        this.#outbound.refused(frame.batch, frame.problem as Problem, frame.retry_after_ms);
        break;
      case "gather":
        this.#gather(frame.request, frame.monitors, frame.after ?? {});
        break;
      case "unknown": {
        const name = this.#unknown.note(frame.name);
        if (name !== undefined)
          this.#options.log.warn(
            { type: name },
            "link: the edge sends frames of a type that this agent does not know, and passes over: is it older than the edge?",
          );
        break;
      }
      case "unreadable":
        // What it said is unknown: on a new connection the edge says what still counts.
        this.#connection?.abandon(`the edge sent a frame that was not understood: ${frame.reason}`);
    }
  }

  #gather(request: string, monitors: readonly string[], after: Readonly<Record<string, string>>): void {
    // An answer without facts saves the edge the wait, and says that this host is alive. It goes over the connection
    // that the question came by: on another one nobody waits for it.
    const connection = this.#connection;
    const answer = (facts: unknown) => connection?.send(JSON.stringify({ type: "facts", request, facts }));
    const gatherFacts = this.#options.gatherFacts?.();
    if (gatherFacts === undefined) return void answer({});
    gatherFacts(monitors, after).then(answer, (error: unknown) => {
      this.#options.log.error({ err: error }, "link: the edge asked, and there is no answer");
      answer({});
    });
  }

  #deliver({ last, signals }: Delivery): void {
    const { inbox, log } = this.#options;
    const connection = this.#connection;
    if (this.#turns > 0) {
      if (signals.length === 0) this.#turns--;
      return;
    }
    if (inbox !== null && signals.length === 0 && last < (inbox.cursor ?? 0)) return this.#startAnew(inbox, last);
    inbox?.receive(last, signals).then(
      (seq) => {
        // Only now: an inbox that cannot be written must not have the link come back at once, for ever.
        this.#waits = undefined;
        connection?.send(`{"type":"seen","seq":${seq}}`);
        if (connection?.open === true && connection === this.#connection)
          this.#change({ state: "connected", detail: "connected" });
      },
      (error: unknown) => {
        log.error({ err: error }, "link: the inbox could not be written");
        // Not acknowledged, so it comes again.
        connection?.abandon("the inbox could not be written");
      },
    );
  }

  /** The log ends before the place that this host has seen: the edge has lost it, or another one answers. */
  #startAnew(inbox: Inbox, last: number): void {
    const { log } = this.#options;
    const seen = inbox.cursor;
    inbox.restart(last).then(
      (dropped) =>
        log.error({ seen, last, dropped }, "link: the edge's log is not the one seen before; going on at its end"),
      (error: unknown) => log.error({ err: error }, "link: the inbox could not be written"),
    );
  }

  async #drain(): Promise<void> {
    const { spool, drainMs = 3_000, log } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs);
    });
    let forget: (() => void) | undefined;
    const broken = new Promise<void>((resolve) => {
      forget = this.onChange(resolve);
    });
    await Promise.race([spool.drained(), tooLong, broken]);
    forget?.();
    clearTimeout(timer);
    if (!spool.empty) log.info("link: what is left in the spool is sent after the next start");
  }
}
