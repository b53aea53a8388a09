import { DurableObject } from "cloudflare:workers";
import { type Usage, UsageMeter } from "../../core/billing/usage.ts";
import type { AgentView, MonitorRun } from "../../core/hosts/agent-view.ts";
import { MONITORS, readAnswer } from "../../core/hosts/monitors/facts.ts";
import { NOTHING_WATCHED, type Watched, watchHost } from "../../core/hosts/monitors/host-watch.ts";
import { DEFAULT_MONITOR_SETTINGS, MonitorSettings } from "../../core/hosts/monitors/monitor-settings.ts";
import type { DreamsSeen } from "../../core/hosts/monitors/promotions-reported.ts";
import {
  type Presence,
  type PresenceChange,
  type PresenceLimits,
  PresenceTracker,
} from "../../core/hosts/presence-tracker.ts";
import type { FieldError } from "../../core/problem/field-error.ts";
import { fieldErrors } from "../../core/problem/field-errors.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { Environment } from "../../workers/environment.ts";
import { meteredSql } from "../shell/metered-storage.ts";
import { type Draft, Outbox } from "../shell/outbox.ts";
import { OutboxRelay } from "../shell/outbox-relay.ts";
import type { GatherAfter, HostAnswers, LinkReport, RegistryCalls } from "../signals/hosts.ts";
import { DreamWatch } from "./dream-watch.ts";
import { HostStore } from "./host-store.ts";
import { viewOf } from "./view.ts";

/** A host that has been down for so long is forgotten. */
const FORGET_MS = 30 * 86_400_000;
const RETRY_MS = 2_000;

export type MonitorSettingsChange =
  | { readonly ok: true; readonly after: MonitorSettings }
  | { readonly ok: false; readonly errors: FieldError[] };

/**
 * The hosts of one ecosystem: who is there, what they run, and what their monitors find (R22, R44).
 *
 * The shell of {@link PresenceTracker} and {@link watchHost}. State and the signals that follow from it are written in one
 * transaction; the signals leave through a box, numbered, so each is in the log once whatever crashes. Which links are
 * open is the log's to say: it reports changes, and is asked again each minute and before anybody is given up, so that
 * a report that was lost, and a restart of the whole edge, come right by themselves.
 */
export class AgentRegistry extends DurableObject<Environment> implements RegistryCalls {
  readonly #ecosystem: string;
  readonly #store: HostStore;
  readonly #box: Outbox;
  readonly #delivery: OutboxRelay;
  readonly #meter = new UsageMeter();
  readonly #dreams = new DreamWatch();
  readonly #seen = new Map<string, number>();
  readonly #facts = new Map<string, Readonly<Record<string, unknown>>>();
  #book = new PresenceTracker();
  #watched = new Map<string, Watched>();
  /** As JSON texts. Written once a minute at most: some change with every task. */
  #statuses = new Map<string, string>();
  #keptStatuses = new Map<string, string>();
  #links = new Map<string, number>();
  #settings: MonitorSettings = DEFAULT_MONITOR_SETTINGS;
  #epoch: string | undefined;
  #emitted = 0;
  #told: string[] = [];
  #lastReport: LinkReport | undefined;
  #alarmAtMs: number | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env);
    const sql = meteredSql(ctx.storage.sql, this.#meter);
    this.#store = new HostStore(sql);
    this.#box = new Outbox(sql);
    this.#ecosystem = ctx.id.name ?? this.#store.note("name") ?? "default";
    this.#delivery = new OutboxRelay({
      ...{ env, box: this.#box, ecosystem: this.#ecosystem, name: "agents" },
      wakeBy: (atMs) => this.#wakeBy(atMs),
    });
    this.#load();
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmAtMs = (await ctx.storage.getAlarm()) ?? undefined;
    });
  }

  /** The log tells which links are open, and what hosts say that they run. May come late or twice. */
  async report(report: LinkReport, statuses: ReadonlyMap<string, string>): Promise<void> {
    this.#meter.add({ requests: 1 });
    const nowMs = Date.now();
    this.#decide(() => {
      this.#takeLinks(report, nowMs);
      for (const [host, status] of statuses) {
        this.#statuses.set(host, status);
        this.#seen.set(host, nowMs);
      }
    }, nowMs);
  }

  /** Asks every host, compares, tells what is new. One at a time: a second waits and then asks for itself. */
  tick(): Promise<MonitorRun> {
    this.#meter.add({ requests: 1 });
    const done = this.#turn.then(() => this.#look());
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** By name. */
  async agents(): Promise<AgentView[]> {
    await this.#knowLinks();
    return [...this.#book.hosts].sort().flatMap((host) => this.#view(host) ?? []);
  }

  async agent(host: string): Promise<AgentView | null> {
    await this.#knowLinks();
    return this.#view(host) ?? null;
  }

  /** Forgets a host that is gone for good. */
  forget(host: string): "forgotten" | "unknown" | "here" {
    this.#meter.add({ requests: 1 });
    const presence = this.#book.get(host);
    if (presence === undefined) return "unknown";
    if (isHere(presence)) return "here";
    this.#decide(() => this.#drop(host), Date.now());
    return "forgotten";
  }

  settings(): MonitorSettings {
    return this.#settings;
  }

  /** What is left out has its default again. */
  configure(wanted: unknown): MonitorSettingsChange {
    this.#meter.add({ requests: 1 });
    const parsed = MonitorSettings.safeParse(wanted);
    if (!parsed.success) return { ok: false, errors: fieldErrors(parsed.error.issues, "", MonitorSettings) };
    this.#decide(() => {
      this.#settings = parsed.data;
      this.#store.writeNote("settings", JSON.stringify(parsed.data));
    }, Date.now());
    return { ok: true, after: parsed.data };
  }

  /** What this object has used since it was last woken. */
  usage(): Usage {
    return this.#meter.usage;
  }

  override async alarm(): Promise<void> {
    this.#alarmAtMs = undefined;
    this.#meter.add({ requests: 1 });
    // Asked afresh before anybody is given up: the report of a link that came back may have been lost. If the log does
    // not answer, this throws, and the runtime calls again later.
    const report: LinkReport = await this.#log.links();
    const nowMs = Date.now();
    this.#decide(() => {
      this.#takeLinks(report, nowMs);
      this.#emitAll(this.#book.pass(nowMs, this.#limits), nowMs);
    }, nowMs);
    await this.#handOver();
  }

  get #log() {
    return this.env.SIGNAL_LOG.get(this.env.SIGNAL_LOG.idFromName(this.#ecosystem));
  }

  get #limits(): PresenceLimits {
    const { agent_grace_seconds, agent_silent_after } = this.#settings;
    return { graceMs: agent_grace_seconds * 1_000, silentAfter: agent_silent_after };
  }

  async #look(): Promise<MonitorRun> {
    const after: GatherAfter = new Map(
      [...this.#watched].flatMap(([host, { investigations }]) =>
        investigations === undefined ? [] : [[host, { investigations }]],
      ),
    );
    const wanted = [...MONITORS, "status"];
    const { report, answers, silent, headSeq }: HostAnswers = await this.#log.gather(
      wanted,
      this.#settings.answer_within_seconds * 1_000,
      after,
    );
    const owed = [...answers.keys()].map((host) => this.#watched.get(host)?.promotions?.owedSince ?? headSeq);
    const log = this.#log;
    const dreams = await this.#dreams.look((query) => log.read(query), Math.min(headSeq, ...owed), headSeq);
    const nowMs = Date.now();
    const told = this.#decide(() => {
      this.#takeLinks(report, nowMs);
      for (const [host, text] of answers) this.#takeAnswer(host, text, dreams, nowMs);
      for (const host of silent) this.#emitAll(this.#book.unanswered(host, nowMs, this.#limits), nowMs);
      this.#emitAll(this.#book.pass(nowMs, this.#limits), nowMs);
      for (const host of this.#book.hosts) {
        const presence = this.#book.get(host);
        if (presence !== undefined && !isHere(presence) && nowMs - presence.toldMs > FORGET_MS) this.#drop(host);
      }
      this.#keptStatuses = new Map(this.#statuses);
    }, nowMs);
    return { answered: [...answers.keys()].sort(), silent: [...silent].sort(), told };
  }

  #takeLinks(report: LinkReport, nowMs: number): void {
    const { instance, version, links } = report;
    const last = this.#lastReport;
    // Answers and calls overtake each other; an older look would take a host for gone that has just come.
    if (last !== undefined && last.instance === instance && version < last.version) return;
    this.#lastReport = report;
    for (const host of this.#links.keys()) this.#seen.set(host, nowMs);
    this.#links = new Map();
    for (const { host } of links) this.#links.set(host, (this.#links.get(host) ?? 0) + 1);
    this.#emitAll(this.#book.linked(links, nowMs), nowMs);
    for (const host of this.#links.keys()) this.#seen.set(host, nowMs);
  }

  #takeAnswer(host: string, text: string, dreams: DreamsSeen, nowMs: number): void {
    // Its link has closed since, and it was never known before: there is nobody to remember it for.
    if (this.#book.get(host) === undefined) return;
    this.#emitAll(this.#book.answered(host, nowMs), nowMs);
    this.#seen.set(host, nowMs);
    const answer = readAnswer(JSON.parse(text) as Record<string, unknown>);
    if (answer.status !== undefined) this.#statuses.set(host, JSON.stringify(answer.status));
    this.#facts.set(host, answer.facts);
    const before = this.#watched.get(host) ?? NOTHING_WATCHED;
    const isNew = (key: string) => this.#store.tellModule(key);
    const { after, news } = watchHost(host, before, answer, this.#settings, dreams, isNew, nowMs);
    this.#watched.set(host, after);
    for (const { signal, facts } of news) this.#emit(signal, "ganglion/monitors", { ...facts }, nowMs);
  }

  #emitAll(changes: readonly PresenceChange[], nowMs: number): void {
    for (const { host, state, reason, sinceMs } of changes) {
      const seenMs = this.#seen.get(host);
      this.#emit(
        state === "up" ? "Q_AGENT_UP" : "Q_AGENT_DOWN",
        "ganglion/agents",
        {
          ...{ host, since: formatTimestamp(sinceMs), reason },
          last_seen: seenMs === undefined ? null : formatTimestamp(seenMs),
        },
        nowMs,
      );
    }
  }

  #emit(signal: string, source: string, facts: Draft["facts"], timestampMs: number): void {
    this.#box.add(++this.#emitted, { signal, source, facts, timestampMs });
    this.#told.push(signal);
  }

  #drop(host: string): void {
    this.#book.forget(host);
    this.#watched.delete(host);
    this.#statuses.delete(host);
    this.#facts.delete(host);
    this.#seen.delete(host);
    this.#store.remove(host);
  }

  /** Changes memory and disk together, or neither. @returns names of the signals that follow */
  #decide(change: () => void, nowMs: number): string[] {
    const emittedBefore = this.#emitted;
    this.#told = [];
    try {
      this.ctx.storage.transactionSync(() => {
        change();
        this.#write(nowMs);
        if (this.#emitted !== emittedBefore) this.#store.writeNote("emitted", String(this.#emitted));
      });
    } catch (error) {
      // Memory has gone ahead of the disk: take the disk's word. The log will be asked again.
      this.#load();
      throw error;
    }
    // Same turn, hence the same write to the disk: what is due has an alarm behind it, whatever crashes next.
    const due = this.#book.nextDueMs(this.#limits);
    if (due !== undefined) this.#wakeBy(due);
    if (!this.#box.empty || this.#watchOwed !== undefined) {
      this.#wakeBy(nowMs + RETRY_MS);
      this.ctx.waitUntil(this.#handOver());
    }
    return this.#told;
  }

  #write(nowMs: number): void {
    if (this.#epoch === undefined && this.#emitted > 0) {
      this.#epoch = crypto.randomUUID().slice(0, 6);
      this.#store.writeNote("epoch", this.#epoch);
      this.#store.writeNote("name", this.#ecosystem);
    }
    for (const host of this.#book.hosts) {
      const presence = this.#book.get(host);
      if (presence === undefined) continue;
      const watched = this.#watched.get(host) ?? NOTHING_WATCHED;
      this.#store.write(
        host,
        { presence, watched, status: this.#keptStatuses.get(host) ?? null },
        this.#seen.get(host) ?? nowMs,
      );
    }
  }

  /** What the directory is to be told: whether there are hosts to watch. `undefined`: it knows. */
  get #watchOwed(): boolean | undefined {
    const wanted = this.#book.hosts.some((host) => {
      const presence = this.#book.get(host);
      return presence !== undefined && isHere(presence);
    });
    return wanted === (this.#store.note("watched") === "1") ? undefined : wanted;
  }

  /** Hands over what was decided; what fails is tried again at the alarm. */
  async #handOver(): Promise<void> {
    const watch = this.#watchOwed;
    if (watch !== undefined) {
      try {
        await this.env.DIRECTORY.get(this.env.DIRECTORY.idFromName("directory")).watch(this.#ecosystem, watch);
        this.#store.writeNote("watched", watch ? "1" : "0");
      } catch (error) {
        console.warn("agent registry: the directory does not know yet whom to watch", this.#ecosystem, String(error));
        this.#wakeBy(Date.now() + RETRY_MS);
      }
    }
    await this.#delivery.run(`ganglion.agents.${this.#epoch ?? "none"}`);
  }

  #wakeBy(atMs: number): void {
    if (this.#alarmAtMs !== undefined && this.#alarmAtMs <= atMs) return;
    this.#alarmAtMs = atMs;
    this.#meter.add({ rows_written: 1 });
    void this.ctx.storage.setAlarm(atMs);
  }

  #load(): void {
    const stored = this.#store.load();
    this.#book = new PresenceTracker([...stored].map(([host, { record }]) => [host, record.presence] as const));
    this.#watched = new Map([...stored].map(([host, { record }]) => [host, record.watched]));
    this.#statuses = new Map();
    for (const [host, { record, seenMs }] of stored) {
      if (record.status !== null) this.#statuses.set(host, record.status);
      this.#seen.set(host, Math.max(seenMs, this.#seen.get(host) ?? 0));
    }
    this.#keptStatuses = new Map(this.#statuses);
    this.#epoch = this.#store.note("epoch");
    this.#emitted = Number(this.#store.note("emitted") ?? "0");
    const settings = this.#store.note("settings");
    // What an older version stored may lack what has been added since: that has its default.
    this.#settings = settings === undefined ? DEFAULT_MONITOR_SETTINGS : MonitorSettings.parse(JSON.parse(settings));
    this.#lastReport = undefined;
  }

  /** Memory of the links is lost whenever this object sleeps. */
  async #knowLinks(): Promise<void> {
    this.#meter.add({ requests: 1 });
    if (this.#lastReport !== undefined) return;
    const report: LinkReport = await this.#log.links();
    const nowMs = Date.now();
    this.#decide(() => this.#takeLinks(report, nowMs), nowMs);
  }

  #view(host: string): AgentView | undefined {
    const presence = this.#book.get(host);
    if (presence === undefined) return undefined;
    return viewOf(host, presence, {
      watched: this.#watched.get(host) ?? NOTHING_WATCHED,
      status: this.#statuses.get(host) ?? null,
      facts: this.#facts.get(host) ?? null,
      links: this.#links.get(host) ?? 0,
      seenMs: this.#seen.get(host) ?? presence.toldMs,
    });
  }
}

/** Up, or down and linked all the same: worth a look each minute. */
const isHere = ({ state, lostMs }: Presence) => state === "up" || lostMs === null;
