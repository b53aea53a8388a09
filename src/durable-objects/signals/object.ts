import type { Budget } from "../../core/billing/budget.ts";
import { paceOf } from "../../core/deployment/profile.ts";
import type { Erasure, ErasurePreview } from "../../core/erasure/api.ts";
import type { LinkReport } from "../../core/hosts/api.ts";
import type { GatherAfter, HostAnswers } from "../../core/hosts/links.ts";
import type { PlaceInLog } from "../../core/links/relay-feed.ts";
import type { RelayReport } from "../../core/links/relayed-links.ts";
import type { ProjectionName } from "../../core/projection/batch.ts";
import type {
  AppendOutcome,
  AppendRequest,
  EffectsQuery,
  ProducerRecord,
  ReadPage,
  ReadQuery,
} from "../../core/signals/api.ts";
import { RateMeter } from "../../core/signals/log/rate-meter.ts";
import type { Segment } from "../../core/signals/log/segment.ts";
import { compilePatterns } from "../../core/signals/pattern.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import type { Schema } from "../shell/schema.ts";
import { closeBack } from "../shell/sockets.ts";
import { keepHeard } from "./connection.ts";
import { Erasures } from "./erasures.ts";
import { type Effect, IdLookup, type IdQuery, type IdSearch } from "./id-lookup.ts";
import type { BudgetChange } from "./log-budget.ts";
import { damageReporter } from "./log-damaged.ts";
import { LogLinks } from "./log-links.ts";
import { LogReader, type Stretch } from "./log-reader.ts";
import { type FullLogStatus, logState, logStatus } from "./log-status.ts";
import { LogWriter } from "./log-writer.ts";
import { LookupBudget } from "./lookup-budget.ts";
import { numberedLine } from "./numbered-line.ts";
import type { SignalLogBindings } from "./ports.ts";
import { edgeRound, ProjectionNudge } from "./projection-nudge.ts";
import { QueueOutbox } from "./queue-outbox.ts";
import type { ClaimAnswer, RelayClaim, RelayRead, RelayStretch } from "./relay-calls.ts";
import { replaceBase } from "./replace-base.ts";
import { retentionOf } from "./retention-settings.ts";
import { SegmentStore } from "./segment-store.ts";
import { SubscriptionStore } from "./subscription-store.ts";
import type { Cursors } from "./undelivered.ts";

/**
 * The log of one ecosystem: every signal, in one order, within the retention. All other state is derived from the log.
 *
 * {@link LogWriter} writes, {@link LogReader} reads; this class sends signals to subscribers and to the queue, and holds
 * the links of hosts. The runtime holds back everything an object sends until its writes are on the disk.
 */
export class SignalLog extends EcosystemObject<SignalLogBindings> {
  static override readonly schema: Schema = {
    of: "SignalLog",
    steps: [],
    // Owners are tokens, which no export holds: the names of hosts are free for the first that links.
    copy: { leftOut: ["host_owners", "link_relays", "damaged", "budget"], initial: { interests: "1" } },
  };
  readonly #reader: LogReader;
  readonly #writer: LogWriter;
  readonly #lookup: IdLookup;
  readonly #outbox: QueueOutbox;
  readonly #subscriptions: SubscriptionStore;
  readonly #rate = new RateMeter();
  readonly #links: LogLinks;
  readonly #nudge: ProjectionNudge;
  readonly #erasures: Erasures;

  constructor(ctx: DurableObjectState, env: SignalLogBindings) {
    super(ctx, env);
    const { ecosystem, sql, heap, transaction } = this;
    const store = new SegmentStore(sql);
    const shared = { ecosystem, sql, store, transaction };
    this.#subscriptions = new SubscriptionStore(sql);
    this.#reader = new LogReader(store);
    this.#lookup = new IdLookup(this.#reader, () => this.#writer.headSeq);
    this.#writer = new LogWriter({
      ...shared,
      heap,
      retention: retentionOf(env),
      quotas: env,
      pace: paceOf(env),
      databaseSize: () => ctx.storage.sql.databaseSize,
      stored: (producer, number, id) =>
        numberedLine(this.#reader, this.#writer.headSeq, new LookupBudget(), producer, number, id),
      replaceBase: () => replaceBase(sql, store),
      damageFound: damageReporter(env, ctx, ecosystem),
      written: (segments, nowMs) => this.#publish(segments, nowMs),
    });
    const parts = { ...shared, env, alarms: this.alarms, reader: this.#reader, writer: this.#writer };
    this.#nudge = new ProjectionNudge({ ...parts, isSuspended: this.isSuspended });
    const paced = { meter: this.meter, pace: paceOf(env).observations };
    this.#outbox = new QueueOutbox(ecosystem, this.#writer, () => this.env.SIGNALS, this.#subscriptions, paced);
    this.tagged.answerPings(() => keepHeard(this.#links.sockets.all));
    this.#links = new LogLinks({ ctx, tagged: this.tagged, ...parts });
    this.#erasures = new Erasures({ ...parts, lookup: this.#lookup, nudge: this.#nudge });
    this.reports.of(() => logState(this.#reader, this.#writer, this.#links, this.#outbox, heap));
  }

  /** Resolves when the signals are durable. A request that is sent again, whole or in part, is recognised. */
  append(request: AppendRequest): Promise<AppendOutcome> {
    return new Promise((answer) => this.#writer.append(request, answer));
  }

  read(query: ReadQuery): ReadPage {
    return this.#reader.page(query, this.#writer.headSeq);
  }

  /**
   * Signals for a projection after its cursor, a bounded number of them, and how far the log was searched.
   * @param patterns - for a read of other signals than those that the projection has subscribed to
   */
  stretch(projection: ProjectionName, after: number, limit: number, patterns?: readonly string[]): Stretch {
    const matches = compilePatterns(patterns ?? this.#subscriptions.of(projection));
    return this.#reader.sentAfter(after, this.#writer.headSeq, matches, limit);
  }

  /**
   * Stores the patterns of the signals that a projection is sent from now on.
   * @returns the end of the log, as {@link reached}: every later signal that matches is sent
   */
  subscribeProjection(projection: ProjectionName, patterns: readonly string[]): { head_seq: number; now_ms: number } {
    if (this.#subscriptions.ask(projection, patterns))
      this.#outbox.setSubscription(projection, this.#subscriptions.of(projection));
    return this.#place();
  }

  /**
   * The signal of this id; of several, the newest.
   * @param effect - a signal that names the id as its cause: of several, the one that its owner means
   * @returns the signal as JSON, or `null`: also where other searches need all that may be read now
   */
  find(id: string, effect?: Effect): string | null {
    return this.#lookup.isFree(Date.now()) ? (this.#lookup.find(id, effect) ?? null) : null;
  }

  /** The newest signal of this id of each owner and source, newest first, as JSON, or `null` as {@link find} says. */
  findAll(id: string, query: IdQuery = {}): IdSearch | null {
    return this.#lookup.isFree(Date.now()) ? this.#lookup.all(id, query) : null;
  }

  /** Ids of a signal and of the causes above it, nearest first, as far as the log holds them. */
  causes(id: string, limit: number): string[] {
    return this.#lookup.causes(id, limit);
  }

  /**
   * The end of the log: signals that come from now on stand after `head_seq` and are received at `now_ms` or later.
   * A caller that waits for a signal within a time asks here before it decides that the signal did not come.
   */
  reached(): { head_seq: number; now_ms: number; epoch: string } {
    return { ...this.#place(), epoch: this.#writer.epoch };
  }

  /** @param query - `of`: the signal from which the search started, where its id is not the only one of its kind */
  effects(query: EffectsQuery): Stretch & { readonly head: number } {
    return this.#lookup.effects(query);
  }

  async status(cursors: Cursors = {}): Promise<FullLogStatus> {
    const [reader, writer, subscriptions, outbox] = [this.#reader, this.#writer, this.#subscriptions, this.#outbox];
    const parts = { reader, writer, subscriptions, outbox, links: this.#links, rate: this.#rate };
    return { ...(await logStatus(parts, cursors)), ...this.size() };
  }

  budget(change?: BudgetChange): Budget {
    return this.#writer.budget.change(change, Date.now());
  }

  /** Which links are open, those of the relays included. */
  links(): Promise<LinkReport> {
    return this.#links.report();
  }

  /** Asks every linked host for facts, all at once. */
  gather(monitors: readonly string[], timeoutMs: number, after?: GatherAfter, roundMs?: number): Promise<HostAnswers> {
    return this.#links.gather(monitors, timeoutMs, after, edgeRound(roundMs, this.#nudge.owedSinceMs));
  }

  /** Relays that have ever held links. */
  relays(): string[] {
    return this.#links.relays.names;
  }

  relayAppend(requests: readonly AppendRequest[]): Promise<AppendOutcome[]> {
    return Promise.all(requests.map((each) => new Promise<AppendOutcome>((done) => this.#writer.append(each, done))));
  }

  /** @returns the end of the log: every later signal that matches is delivered to the relay */
  relaySubscribe(relay: string, patterns: readonly string[]): PlaceInLog {
    return this.#links.relays.subscribe(relay, patterns);
  }

  relayRead(query: RelayRead): RelayStretch {
    return this.#links.read(query);
  }

  /** Whether a link may open at a relay. */
  relayClaim(claim: RelayClaim): Promise<ClaimAnswer> {
    return this.#links.claim(claim);
  }

  /** @param statuses - of hosts, as JSON texts */
  relayReport(relay: string, report: RelayReport, statuses: ReadonlyMap<string, string>): void {
    this.#links.relays.reported(relay, report);
    this.#links.hosts.relayed(statuses);
  }

  /** Producers whose numbers the log knows, of one host or all, by name, after `after`. */
  producers(host: string | undefined, after: string, limit: number): ProducerRecord[] {
    return this.#writer.producers(host, after, limit);
  }

  /** Takes the next number of a producer for its first, whatever it was. @returns whether the producer was known */
  forgetProducer(producer: string): boolean {
    return this.#writer.forgetProducer(producer);
  }

  mayCommand(host: string, token: string): boolean {
    return this.#links.mayCommand(host, token);
  }

  /** Releases the name of a host: the next token that links takes it. @returns whether a token owned it */
  releaseHost(host: string): boolean {
    return this.#links.releaseHost(host);
  }

  /** Closes what was opened with a token that is deleted or has expired, and releases the names of its hosts. */
  closeToken(id: string): Promise<void> {
    return this.#links.closeToken(id);
  }

  /** Erases what a source has said, here and in every other object of the ecosystem. */
  beginErasure(source: string): Promise<Erasure> {
    return this.#erasures.begin(source);
  }

  countSource(source: string, after: number): ErasurePreview {
    return this.#erasures.count(source, after);
  }

  erasures(): Erasure[] {
    return this.#erasures.list;
  }

  /** Drops slices older than the retention, for a log to which no append comes that would drop them. */
  retain(): void {
    this.#writer.retain();
  }

  /** Notifies every projection how far the log reaches: it reads from there what the queue lost. */
  nudge(): Promise<void> {
    return this.#nudge.run();
  }

  /** What needs somebody has changed, and no signal tells of it. */
  attentionChanged(): void {
    this.#links.wakeWatchers();
  }

  /** WebSocket upgrades: `/<ecosystem>/link?host=` and `/<ecosystem>/stream?after=&signal=`. */
  override fetch(request: Request): Response | Promise<Response> {
    return this.#links.upgrade(request);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    if (this.tagged.answersPing(socket, message)) this.#links.sockets.pinged(socket);
    else this.#links.sockets.receive(socket, message);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#links.sockets.close(socket);
    closeBack(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    this.#links.sockets.close(socket);
  }

  override async alarm(): Promise<void> {
    this.#links.sockets.tick(Date.now());
    this.#erasures.alarm();
    await this.#nudge.alarm();
  }

  #place(): { head_seq: number; now_ms: number } {
    return { head_seq: this.#writer.headSeq, now_ms: this.#writer.advanceClock(Date.now()) };
  }

  #publish(segments: readonly Segment[], nowMs: number): void {
    for (const { lines } of segments) this.#rate.add(lines.length, nowMs);
    const taking = new Set(segments.flatMap((segment) => this.#outbox.offer(segment)));
    // In the transaction of the segment, for a crash before the queue has it. An earlier alarm is early enough, and no row.
    if (taking.size > 0) {
      this.#nudge.expect([...taking]);
      this.alarms.wakeBy(nowMs + paceOf(this.env).nudgeMs);
    }
    this.#links.publish(segments);
  }
}
