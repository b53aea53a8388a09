import type { AgentView, LinkReport } from "../../core/hosts/api.ts";
import { boundedReport, MAX_REPORT_CHARS } from "../../core/hosts/bounded-report.ts";
import { processesOf } from "../../core/hosts/fleet-host.ts";
import { readHostObject } from "../../core/hosts/host-record.ts";
import type { GatherAfter, HostAnswers } from "../../core/hosts/links.ts";
import { readAnswer } from "../../core/hosts/monitors/facts.ts";
import { type MonitoredHost, NOT_MONITORED, watchHost } from "../../core/hosts/monitors/host-watch.ts";
import { DEFAULT_MONITOR_SETTINGS, MonitorSettings } from "../../core/hosts/monitors/monitor-settings.ts";
import type { DreamsSeen } from "../../core/hosts/monitors/promotions-reported.ts";
import {
  type Presence,
  type PresenceChange,
  type PresenceLimits,
  PresenceTracker,
} from "../../core/hosts/presence-tracker.ts";
import { type ProcessLife, type ProcessName, processLife } from "../../core/hosts/process-life.ts";
import { countRestarts, type RestartCount } from "../../core/hosts/restart-count.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { Draft } from "../shell/outgoing-signal.ts";
import { readableOr } from "../shell/readable-rows.ts";
import type { HostStore } from "./host-store.ts";
import { viewOf } from "./view.ts";

/** A host that has been down for this long, in milliseconds, is forgotten: 30 days. */
const FORGET_MS = 30 * 86_400_000;

/**
 * The hosts in memory: their presence, what they run, and the last findings of their monitors. Each change emits its
 * signals. It belongs into a transaction, at whose end {@link write} stores the changed hosts.
 */
export class KnownHosts {
  readonly #store: HostStore;
  readonly #emit: (draft: Draft) => void;
  readonly #reported: (host: string) => void;
  readonly #seen = new Map<string, number>();
  readonly #facts = new Map<string, Readonly<Record<string, unknown>>>();
  #presence = new PresenceTracker();
  #monitored = new Map<string, MonitoredHost>();
  /** Statuses as JSON texts. Written once a minute at most, because some change with every task. */
  #statuses = new Map<string, string>();
  #storedStatuses = new Map<string, string>();
  #restarts = new Map<string, RestartCount>();
  #links = new Map<string, number>();
  #settings: MonitorSettings = DEFAULT_MONITOR_SETTINGS;
  #lastReport: LinkReport | undefined;

  /** @param reported - is called when what a host supervises may have changed */
  constructor(store: HostStore, emit: (draft: Draft) => void, reported: (host: string) => void) {
    this.#store = store;
    this.#emit = emit;
    this.#reported = reported;
    this.load();
  }

  /** Names of the hosts, sorted. */
  get names(): string[] {
    return [...this.#presence.hosts].sort();
  }

  get settings(): MonitorSettings {
    return this.#settings;
  }

  /** Whether the log has reported its links since this object woke: they are only in memory. */
  get knowsLinks(): boolean {
    return this.#lastReport !== undefined;
  }

  /** When the next host becomes down if its link does not return, in milliseconds since the epoch. */
  get nextDueMs(): number | undefined {
    return this.#presence.nextDueMs(this.#limits);
  }

  /** Whether some host has to be asked each minute: one that is up, or down but linked. */
  get anyHere(): boolean {
    return this.#presence.hosts.some((host) => this.isHere(host) === true);
  }

  /** @returns `undefined`: unknown host */
  isHere(host: string): boolean | undefined {
    const presence = this.#presence.get(host);
    return presence === undefined ? undefined : isHere(presence);
  }

  /** The lives of processes, as their hosts reported them last. */
  processLives(asked: readonly ProcessName[]): ProcessLife[] {
    return asked.map(({ host, process }) => {
      const presence = this.#presence.get(host);
      if (presence === undefined) return "ended";
      const status = this.#statuses.get(host);
      const awaySinceMs = presence.lostMs ?? (presence.state === "down" ? presence.sinceMs : null);
      return processLife(process, status === undefined ? null : readHostObject(status), awaySinceMs);
    });
  }

  /** Where the monitors of each host continue. */
  get gatherAfter(): GatherAfter {
    return new Map(
      [...this.#monitored].flatMap(([host, { investigations, capabilities }]) =>
        investigations === undefined && capabilities === undefined
          ? []
          : [[host, { ...(investigations && { investigations }), ...(capabilities && { capabilities }) }]],
      ),
    );
  }

  /** The lowest sequence number after which one of these hosts waits for a dream. */
  dreamsOwedSince(hosts: Iterable<string>, headSeq: number): number {
    const owed = [...hosts].map((host) => this.#monitored.get(host)?.promotions?.owedSince ?? headSeq);
    return Math.min(headSeq, ...owed);
  }

  /** @returns `undefined`: unknown host */
  view(host: string): AgentView | undefined {
    const presence = this.#presence.get(host);
    if (presence === undefined) return undefined;
    return viewOf(host, presence, {
      monitored: this.#monitored.get(host) ?? NOT_MONITORED,
      status: this.#statuses.get(host) ?? null,
      facts: this.#facts.get(host) ?? null,
      links: this.#links.get(host) ?? 0,
      seenMs: this.#seen.get(host) ?? presence.toldMs,
    });
  }

  configure(settings: MonitorSettings): void {
    this.#settings = settings;
    this.#store.notes.write("settings", JSON.stringify(settings));
  }

  takeLinks(report: LinkReport, nowMs: number): void {
    const { instance, version, links } = report;
    const last = this.#lastReport;
    // Answers and calls overtake each other. An older report would lose a link that was opened since.
    if (last !== undefined && last.instance === instance && version < last.version) return;
    this.#lastReport = report;
    for (const host of this.#links.keys()) this.#seen.set(host, nowMs);
    this.#links = new Map();
    for (const { host } of links) this.#links.set(host, (this.#links.get(host) ?? 0) + 1);
    this.#emitPresence(this.#presence.linked(links, nowMs), nowMs);
    for (const host of this.#links.keys()) this.#seen.set(host, nowMs);
  }

  takeStatuses(statuses: ReadonlyMap<string, string>, nowMs: number): void {
    for (const [host, status] of statuses) {
      this.#statuses.set(host, boundedText(status));
      this.#seen.set(host, nowMs);
      this.#reported(host);
    }
  }

  takeAnswers({ report, answers, silent }: HostAnswers, dreams: DreamsSeen, nowMs: number): void {
    this.takeLinks(report, nowMs);
    for (const [host, text] of answers) this.#takeAnswer(host, text, dreams, nowMs);
    for (const host of silent) this.#emitPresence(this.#presence.unanswered(host, nowMs, this.#limits), nowMs);
    this.pass(nowMs);
    for (const host of this.#presence.hosts) {
      const presence = this.#presence.get(host);
      if (presence !== undefined && !isHere(presence) && nowMs - presence.toldMs > FORGET_MS) this.drop(host);
    }
    this.#storedStatuses = new Map(this.#statuses);
  }

  /** Reports hosts as down whose grace period has ended. */
  pass(nowMs: number): void {
    this.#emitPresence(this.#presence.pass(nowMs, this.#limits), nowMs);
  }

  drop(host: string): void {
    this.#presence.forget(host);
    this.#monitored.delete(host);
    this.#statuses.delete(host);
    this.#facts.delete(host);
    this.#seen.delete(host);
    const { counted = 0 } = this.#restarts.get(host) ?? {};
    if (counted > 0) this.#store.notes.write("restarts", String(this.#restartsOfForgotten + counted));
    this.#restarts.delete(host);
    this.#store.remove(host);
    this.#reported(host);
  }

  /** Stores the hosts that changed. */
  write(nowMs: number): void {
    for (const host of this.#presence.hosts) {
      const presence = this.#presence.get(host);
      if (presence === undefined) continue;
      const watched = this.#monitored.get(host) ?? NOT_MONITORED;
      const restarts = this.#restarts.get(host);
      const record = {
        presence,
        watched,
        status: this.#storedStatuses.get(host) ?? null,
        ...(restarts === undefined ? {} : { restarts }),
      };
      this.#store.write(host, record, this.#seen.get(host) ?? nowMs);
    }
  }

  /** Reads the hosts from storage again. The log has to report its links again. */
  load(): void {
    const stored = this.#store.load();
    this.#presence = new PresenceTracker([...stored].map(([host, { record }]) => [host, record.presence] as const));
    this.#monitored = new Map([...stored].map(([host, { record }]) => [host, record.watched]));
    this.#statuses = new Map();
    this.#restarts = new Map();
    for (const [host, { record, seenMs }] of stored) {
      if (record.restarts !== undefined) this.#restarts.set(host, record.restarts);
      if (record.status !== null) this.#statuses.set(host, boundedText(record.status));
      this.#seen.set(host, Math.max(seenMs, this.#seen.get(host) ?? 0));
    }
    this.#storedStatuses = new Map(this.#statuses);
    const settings = this.#store.notes.read("settings");
    // Settings of an older version may lack newer fields, which then have their defaults.
    this.#settings = readableOr(
      "settings of monitors",
      settings,
      (text) => MonitorSettings.parse(JSON.parse(text)),
      DEFAULT_MONITOR_SETTINGS,
    );
    this.#lastReport = undefined;
  }

  /** Restarts of supervised processes, as they are on the disk: also those of hosts that were forgotten. */
  get restarts(): number {
    return [...this.#restarts.values()].reduce((sum, { counted }) => sum + counted, this.#restartsOfForgotten);
  }

  get #restartsOfForgotten(): number {
    return Number(this.#store.notes.read("restarts") ?? "0");
  }

  get #limits(): PresenceLimits {
    const { agent_grace_seconds, agent_silent_after } = this.#settings;
    return { graceMs: agent_grace_seconds * 1_000, silentAfter: agent_silent_after };
  }

  #takeAnswer(host: string, text: string, dreams: DreamsSeen, nowMs: number): void {
    // The link of an unknown host has closed since: there is no host to store the answer for.
    if (this.#presence.get(host) === undefined) return;
    this.#emitPresence(this.#presence.answered(host, nowMs), nowMs);
    this.#seen.set(host, nowMs);
    const answer = readAnswer(JSON.parse(text));
    if (answer.status !== undefined) {
      this.#statuses.set(host, JSON.stringify(boundedReport(answer.status)));
      const restarts = countRestarts(this.#restarts.get(host), processesOf(answer.status));
      if (restarts !== undefined) this.#restarts.set(host, restarts);
      this.#reported(host);
    }
    this.#facts.set(host, boundedReport(answer.facts));
    const before = this.#monitored.get(host) ?? NOT_MONITORED;
    const isNew = (key: string) => this.#store.markModuleReported(key);
    const { after, signals } = watchHost(host, before, answer, this.#settings, dreams, isNew, nowMs);
    this.#monitored.set(host, after);
    for (const { signal, facts } of signals)
      this.#emit({ signal, source: "ganglion/monitors", facts: { ...facts }, timestampMs: nowMs });
  }

  #emitPresence(changes: readonly PresenceChange[], nowMs: number): void {
    for (const { host, state, reason, sinceMs } of changes) {
      const seenMs = this.#seen.get(host);
      this.#emit({
        signal: state === "up" ? "Q_AGENT_UP" : "Q_AGENT_DOWN",
        source: "ganglion/agents",
        facts: {
          host,
          since: formatTimestamp(sinceMs),
          reason,
          last_seen: seenMs === undefined ? null : formatTimestamp(seenMs),
        },
        timestampMs: nowMs,
      });
    }
  }
}

/** An earlier version kept longer texts. */
const boundedText = (status: string) =>
  status.length <= MAX_REPORT_CHARS ? status : JSON.stringify(boundedReport(readHostObject(status)));
const isHere = ({ state, lostMs }: Presence) => state === "up" || lostMs === null;
