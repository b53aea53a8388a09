import { DurableObject } from "cloudflare:workers";
import { type Usage, UsageMeter } from "../../core/billing/usage.ts";
import type { DeadLetterRecord } from "../../core/dead-letters/record.ts";
import { GroupCommit } from "../../core/group-commit/group-commit.ts";
import { PROJECTIONS, type ProjectionName } from "../../core/projection/batch.ts";
import type {
  AppendOutcome,
  AppendRequest,
  LogStatus,
  Overloaded,
  ReadPage,
  ReadQuery,
} from "../../core/signals/api.ts";
import { type Commit, LogState } from "../../core/signals/log/log-state.ts";
import { RateMeter } from "../../core/signals/log/rate-meter.ts";
import type { Segment } from "../../core/signals/log/segment.ts";
import { compilePatterns } from "../../core/signals/pattern.ts";
import { lineId } from "../../core/signals/signal-line.ts";
import { LINK_PROTOCOL, PING, PONG } from "../../core/wire/link-frames.ts";
import type { Environment } from "../../workers/environment.ts";
import { meteredSql } from "../shell/metered-storage.ts";
import { projectionOf } from "../shell/projection-stub.ts";
import { TOKEN_GONE, TOKEN_GONE_REASON, tokenTag, tokenTags } from "../shell/token-tags.ts";
import { type GatherAfter, type HostAnswers, Hosts, type LinkReport } from "./hosts.ts";
import { locate } from "./locate.ts";
import { LogReader, type Stretch } from "./log-reader.ts";
import { QueueOutbox } from "./queue-outbox.ts";
import { SegmentStore } from "./segment-store.ts";
import { Sockets } from "./sockets.ts";
import { SubscriptionStore } from "./subscription-store.ts";

/** Retention is cut into this many slices, each dropped whole. */
const SLICES = 28;
const DAY_MS = 86_400_000;
/** After this long every projection is told how far the log reaches, whatever the queue did meanwhile. */
const NUDGE_MS = 5_000;
/** Window in which an id given by a caller without a producer is recognised. */
const ID_WINDOW_MS = 600_000;
const ID_LIMIT = 300_000;

interface WaitingAppend {
  readonly request: AppendRequest;
  /** Called once, in the turn in which the group was written. */
  readonly answer: (outcome: AppendOutcome) => void;
}

/**
 * The log of one ecosystem: every signal, in one order, for as long as the retention says. Everything else is
 * derived from it.
 *
 * The shell of {@link LogState}: it stores what the core decides, answers once that is durable (the runtime holds
 * back everything an object sends until its writes are on the disk), pushes to subscribers and fills the queue.
 */
export class SignalLog extends DurableObject<Environment> {
  readonly #ecosystem: string;
  readonly #store: SegmentStore;
  readonly #reader: LogReader;
  readonly #sockets: Sockets;
  readonly #outbox: QueueOutbox;
  readonly #interests: SubscriptionStore;
  readonly #commits: GroupCommit<WaitingAppend>;
  readonly #rate = new RateMeter();
  readonly #meter = new UsageMeter();
  readonly #sliceMs: number;
  readonly #retentionMs: number;
  readonly #hosts: Hosts;
  #state: LogState;
  #alarmSet = false;

  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env);
    this.#ecosystem = ctx.id.name ?? "default";
    this.#retentionMs = Number(env.RETENTION_DAYS ?? "7") * DAY_MS;
    this.#sliceMs = Math.max(1, Math.floor(this.#retentionMs / SLICES));
    const sql = meteredSql(ctx.storage.sql, this.#meter);
    this.#store = new SegmentStore(sql);
    this.#interests = new SubscriptionStore(sql);
    this.#reader = new LogReader(this.#store);
    this.#state = this.#restore();
    this.#outbox = new QueueOutbox(
      this.#ecosystem,
      () => this.env.SIGNALS,
      (projection) => this.#interests.of(projection),
      this.#state.headSeq,
      this.#meter,
    );
    this.#commits = new GroupCommit({
      commit: (appends) => this.#answer(appends),
      weigh: ({ request }) => request.signals.length,
      refuse: ({ answer }) => answer(overloaded("more signals are waiting to be written than the log may hold", 250)),
      // Long enough for sixty-four senders to be heard, even where a flush takes as long. Waiting for the flush itself
      // (`storage.sync()`) or for one turn of the event loop gathers a handful.
      turn: () => new Promise((resolve) => setTimeout(resolve, 0)),
      pause: () => new Promise((resolve) => setTimeout(resolve, 1)),
    });
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    this.#sockets = new Sockets(ctx.getWebSockets(), {
      ecosystem: this.#ecosystem,
      append: (request, answer) => this.#commits.add({ request, answer }),
      read: (after, wants, limit) => this.#reader.after(after, this.#state.headSeq, wants, limit),
      head: () => this.#state.headSeq,
      bury: (letters) => ctx.waitUntil(this.#bury(letters)),
      keep: (letters) => this.#bury(letters),
      gathered: (host, request, facts) => this.#hosts.gathered(host, request, facts),
      linksChanged: () => this.#hosts.linksChanged(),
      status: (host, status) => this.#hosts.status(host, status),
    });
    this.#hosts = new Hosts({
      registry: () => env.AGENT_REGISTRY.get(env.AGENT_REGISTRY.idFromName(this.#ecosystem)),
      links: () => this.#sockets.links,
      head: () => this.#state.headSeq,
      ask: (frame) => this.#sockets.toHosts(frame),
      keepAlive: (work) => ctx.waitUntil(work),
    });
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmSet = (await ctx.storage.getAlarm()) !== null;
    });
  }

  /** Durable when it resolves. A request that is sent again, whole or in part, is recognised. */
  append(request: AppendRequest): Promise<AppendOutcome> {
    this.#meter.add({ requests: 1 });
    return new Promise((answer) => this.#commits.add({ request, answer }));
  }

  read(query: ReadQuery): ReadPage {
    return this.#reader.page(query, this.#state.headSeq);
  }

  /**
   * What a projection wants of the log after its cursor: a bounded stretch, and how far it reaches.
   * @param patterns - where it wants something else than what it has asked to be sent
   */
  stretch(projection: ProjectionName, after: number, limit: number, patterns?: readonly string[]): Stretch {
    this.#meter.add({ requests: 1 });
    const wants = compilePatterns(patterns ?? this.#interests.of(projection));
    return this.#reader.after(after, this.#state.headSeq, wants, limit);
  }

  /**
   * Says what a projection is to be sent from now on, durably.
   * @returns where the log stands, as {@link reached}: every signal after that is sent if it fits
   */
  interest(projection: ProjectionName, patterns: readonly string[]): { head_seq: number; now_ms: number } {
    if (this.#interests.ask(projection, patterns)) this.#outbox.want(projection, this.#interests.of(projection));
    return this.reached();
  }

  /** @returns the signal as JSON, or `null` */
  find(id: string): string | null {
    const line = locate(id, this.#reader, this.#state.headSeq);
    return line !== undefined && lineId(line) === id ? line : null;
  }

  /** Ids of a signal and of the causes above it, nearest first, as far as the log holds them. */
  causes(id: string, limit: number): string[] {
    const chain: string[] = [];
    for (let next: string | undefined = id; next !== undefined && chain.length < limit && !chain.includes(next); ) {
      chain.push(next);
      const line = this.find(next);
      next = line === null ? undefined : (JSON.parse(line) as { cause?: string }).cause;
    }
    return chain;
  }

  /**
   * Where the log stands: what it takes from now on stands after `head_seq` and was received at `now_ms` or later.
   * Whoever waits for something that has to come in time asks here before it says that it did not.
   */
  reached(): { head_seq: number; now_ms: number } {
    this.#meter.add({ requests: 1 });
    return { head_seq: this.#state.headSeq, now_ms: this.#state.stand(Date.now()) };
  }

  /** What the signals of `ids` led to after a place in the log: a bounded stretch, see {@link LogReader.effects}. */
  effects(query: { ids: readonly string[]; after: number; limit: number }): Stretch & { readonly head: number } {
    this.#meter.add({ requests: 1 });
    const head = this.#state.headSeq;
    return { ...this.#reader.effects(query.ids, query.after, head, query.limit), head };
  }

  status(): LogStatus {
    return {
      head_seq: this.#state.headSeq,
      oldest_seq: this.#reader.oldestSeq,
      signals_last_minute: this.#rate.lastMinute(Date.now()),
      subscribers: this.#sockets.subscribers,
      hosts: this.#sockets.hosts,
      unknown_frames: this.#sockets.unknownFrames,
    };
  }

  /** Which links are open. */
  links(): LinkReport {
    return this.#hosts.report;
  }

  /** Asks every linked host for facts, all at once. */
  gather(monitors: readonly string[], timeoutMs: number, after: GatherAfter = new Map()): Promise<HostAnswers> {
    this.#meter.add({ requests: 1 });
    return this.#hosts.gather(monitors, timeoutMs, after);
  }

  /** Closes what was opened with a token that is no more. */
  closeToken(id: string): void {
    this.#meter.add({ requests: 1 });
    for (const socket of this.ctx.getWebSockets(tokenTag(id))) {
      this.#sockets.close(socket);
      socket.close(TOKEN_GONE, TOKEN_GONE_REASON);
    }
  }

  /** Drops what is older than the retention, should nothing come that would do it on the way. */
  retain(): void {
    this.#meter.add({ requests: 1 });
    if (this.#store.slices.length > 0) this.#sliceAt(Date.now());
  }

  /** What this object has used since it was last woken. */
  usage(): Usage {
    return this.#meter.usage;
  }

  /** Tells every projection how far the log reaches: what the queue lost is read from the log. */
  async nudge(): Promise<void> {
    const head = this.#state.headSeq;
    await Promise.all(PROJECTIONS.map((name) => projectionOf(this.env, name, this.#ecosystem).catchUp(head)));
  }

  /** WebSocket upgrades: `/<ecosystem>/link?host=` and `/<ecosystem>/stream?after=&signal=`. */
  override fetch(request: Request): Response {
    if (request.headers.get("Upgrade")?.toLowerCase() !== "websocket") return new Response(null, { status: 426 });
    const url = new URL(request.url);
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, tokenTags(url.searchParams));
    if (url.pathname.endsWith("/link")) {
      this.#sockets.open(server, url.searchParams.get("host") ?? "unnamed", Date.now());
    } else {
      const after = url.searchParams.get("after");
      const patterns = url.searchParams.getAll("signal");
      this.#sockets.open(server, null, Date.now(), { after: after === null ? null : Number(after), patterns });
    }
    const offered = request.headers
      .get("Sec-WebSocket-Protocol")
      ?.split(",")
      .map((protocol) => protocol.trim());
    const headers = new Headers();
    if (offered?.includes(LINK_PROTOCOL)) headers.set("Sec-WebSocket-Protocol", LINK_PROTOCOL);
    return new Response(null, { status: 101, webSocket: client, headers });
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#meter.add({ socket_messages: 1 });
    this.#sockets.hear(socket, message);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#sockets.close(socket);
    // 1005 and 1006 say that no code came, and may not be sent.
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }

  override webSocketError(socket: WebSocket): void {
    this.#sockets.close(socket);
  }

  override async alarm(): Promise<void> {
    this.#alarmSet = false;
    this.#meter.add({ requests: 1 });
    this.#sockets.catchUp();
    // A failure makes the runtime call again, later and later: a projection that is down is not forgotten.
    await this.nudge();
    await this.env.DIRECTORY.get(this.env.DIRECTORY.idFromName("directory")).touch(this.#ecosystem, Date.now());
  }

  #answer(appends: readonly WaitingAppend[]): void {
    const outcomes = this.#commit(appends.map(({ request }) => request));
    appends.forEach(({ answer }, place) => {
      const outcome = outcomes[place];
      if (outcome !== undefined) answer(outcome);
    });
  }

  #commit(requests: readonly AppendRequest[]): readonly AppendOutcome[] {
    const nowMs = Date.now();
    try {
      const { segments, results } = this.#write(requests, nowMs);
      if (segments.length > 0) this.#publish(segments, nowMs);
      return results;
    } catch (error) {
      // Memory has gone ahead of the disk: take the disk's word. Nobody was answered, so all of them send again.
      console.error("signal log: a commit failed", this.#ecosystem, String(error));
      this.#store.reload();
      this.#state = this.#restore();
      return requests.map(() => overloaded("the log could not be written", 1_000));
    }
  }

  #write(requests: readonly AppendRequest[], nowMs: number): Commit {
    if (this.#state.needsIds && requests.some(givesIds)) {
      this.#state.restoreIds(this.#store.recentIds(nowMs - ID_WINDOW_MS, ID_LIMIT), nowMs);
    }
    const slice = this.#sliceAt(nowMs);
    const commit = this.#state.append(requests, nowMs);
    const zone = this.#state.closeZone();
    const store = () => this.#store.write(slice, commit.segments, zone);
    // One row is written or it is not; a transaction around it is a twentieth of the whole append.
    if (commit.segments.length > 1 || zone !== undefined) this.ctx.storage.transactionSync(store);
    else store();
    return commit;
  }

  #publish(segments: readonly Segment[], nowMs: number): void {
    let wanted = false;
    for (const segment of segments) {
      this.#rate.add(segment.lines.length, nowMs);
      if (this.#outbox.offer(segment)) wanted = true;
    }
    if (wanted && !this.#alarmSet) {
      // In the transaction of the segment: a crash before the queue has it leaves the alarm behind. One alarm a
      // burst, because each is a row written.
      this.#alarmSet = true;
      this.#meter.add({ rows_written: 1 });
      void this.ctx.storage.setAlarm(nowMs + NUDGE_MS);
    }
    this.#sockets.publish(segments);
  }

  /** The slice that takes what is received now; opens it, and drops those whose time is over. */
  #sliceAt(nowMs: number): number {
    const receivedMs = this.#state.receive(nowMs);
    const current = this.#store.slices.at(-1)?.slice;
    // Never back to an earlier slice: after a clock was set back, segments would come to stand out of order.
    const slice = Math.max(Math.floor(receivedMs / this.#sliceMs), current ?? 0);
    if (slice === current) return slice;
    this.ctx.storage.transactionSync(() => {
      const zone = this.#state.closeZone(true);
      if (current !== undefined && zone !== undefined) this.#store.write(current, [], zone);
      this.#store.openSlice(slice, { ...this.#state.base(), receivedMs });
      for (const { slice: old } of [...this.#store.slices]) {
        if ((old + 1) * this.#sliceMs < receivedMs - this.#retentionMs) this.#store.dropSlice(old);
      }
    });
    return slice;
  }

  #restore(): LogState {
    const stored = this.#store.load();
    if (stored === undefined) {
      const epoch = crypto.randomUUID().slice(0, 6);
      return new LogState(this.#ecosystem, { epoch, nextSeq: 1, receivedMs: 0, producers: {} });
    }
    const state = new LogState(this.#ecosystem, stored.base);
    state.restore(stored.zone, stored.headers);
    return state;
  }

  async #bury(letters: readonly DeadLetterRecord[]): Promise<void> {
    await this.env.DEAD_LETTERS.get(this.env.DEAD_LETTERS.idFromName(this.#ecosystem)).record(letters);
  }
}

/** Whether the ids of the last minutes are needed to tell what the request repeats. */
function givesIds({ producer, signals }: AppendRequest): boolean {
  return producer === undefined && signals.some(({ id }) => id !== undefined);
}

function overloaded(detail: string, retryAfterMs: number): Overloaded {
  return { overloaded: true, retry_after_ms: retryAfterMs, detail };
}
