import type { AgentPage, AgentView, LinkReport, MonitorRun } from "../../core/hosts/api.ts";
import type { FleetPage } from "../../core/hosts/fleet.ts";
import { fleetHost, processesOf } from "../../core/hosts/fleet-host.ts";
import { MONITORS } from "../../core/hosts/monitors/facts.ts";
import { MonitorSettings } from "../../core/hosts/monitors/monitor-settings.ts";
import type { ProcessLife, ProcessName } from "../../core/hosts/process-life.ts";
import { hostSamples } from "../../core/metrics/samples.ts";
import type { FieldError } from "../../core/problem/field-error.ts";
import { fieldErrors } from "../../core/problem/field-errors.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { logLine } from "../shell/log-line.ts";
import { NotedNumbers } from "../shell/noted-numbers.ts";
import { Outbox } from "../shell/outbox.ts";
import { OutboxRelay, RETRY_MS } from "../shell/outbox-relay.ts";
import type { Draft } from "../shell/outgoing-signal.ts";
import { objectNamed } from "../shell/ports.ts";
import type { Schema } from "../shell/schema.ts";
import { Turns } from "../shell/turns.ts";
import { DreamWatch } from "./dream-watch.ts";
import { HostStore } from "./host-store.ts";
import { KnownHosts } from "./known-hosts.ts";
import { OwedWakes } from "./owed-wakes.ts";
import type { HostsBindings, HostsLog } from "./ports.ts";

/** Hosts, and characters, in one page of hosts. */
const MAX_AGENTS = 1_000;
const MAX_PAGE_CHARS = 8 * 1024 * 1024;

export type MonitorSettingsChange =
  | { readonly ok: true; readonly after: MonitorSettings }
  | { readonly ok: false; readonly errors: FieldError[] };

/**
 * The hosts of one ecosystem: their presence, what they run, and the findings of their monitors.
 *
 * State and the signals that follow from it are written in one transaction. The signals leave through an outbox with
 * numbers, so each is in the log once, whatever crashes. The log knows which links are open: it reports changes, and is
 * asked again each minute and before a host becomes down. So a lost report and a restart of the edge correct themselves.
 */
export class AgentRegistry extends EcosystemObject<HostsBindings> {
  static override readonly schema: Schema = { of: "AgentRegistry", steps: [] };
  readonly #store: HostStore;
  readonly #numbers: NotedNumbers;
  readonly #outbox: Outbox;
  readonly #relay: OutboxRelay;
  readonly #hosts: KnownHosts;
  readonly #wakes: OwedWakes;
  readonly #dreams = new DreamWatch();
  readonly #turns = new Turns();
  /** Names of the signals emitted in the transaction that is running. */
  #emitted: string[] = [];

  constructor(ctx: DurableObjectState, env: HostsBindings) {
    super(ctx, env);
    const { ecosystem, sql, alarms } = this;
    this.#store = new HostStore(sql);
    this.#numbers = new NotedNumbers(this.#store.notes, (epoch) => `ganglion.agents.${epoch}`);
    this.#outbox = new Outbox(sql, this.#numbers);
    const emit = (draft: Draft) => {
      this.#outbox.emit(draft);
      this.#emitted.push(draft.signal);
    };
    this.#hosts = new KnownHosts(this.#store, emit, (host) => this.#wakes.reported(host));
    const processes = (host: string) => {
      const view = this.#hosts.view(host);
      return view === undefined ? undefined : processesOf(view.runs);
    };
    this.#wakes = new OwedWakes({ env, ecosystem, sql, processesOf: processes });
    this.reports.of(() => {
      const views = this.#hosts.names.slice(0, MAX_AGENTS).flatMap((host) => this.#hosts.view(host) ?? []);
      return { samples: hostSamples(views.map(fleetHost), this.#hosts.restarts), folded: 0 };
    });
    this.#relay = new OutboxRelay({
      env,
      outbox: this.#outbox,
      ecosystem,
      name: "agents",
      wakeBy: (atMs) => alarms.wakeBy(atMs),
    });
  }

  /** Takes a report of the log: open links, and statuses of hosts. A report may come late or twice. */
  async report(report: LinkReport, statuses: ReadonlyMap<string, string>): Promise<void> {
    const nowMs = Date.now();
    this.#decide(() => {
      this.#hosts.takeLinks(report, nowMs);
      this.#hosts.takeStatuses(statuses, nowMs);
    }, nowMs);
  }

  /** Asks every host and emits signals for changes. Calls run one after the other, each with its own round. */
  tick(roundMs?: number): Promise<MonitorRun> {
    return this.#turns.run(() => this.#look(roundMs));
  }

  /** Hosts sorted by name, all of them or those after one: as many as one answer may carry. */
  async agents({ after, limit = MAX_AGENTS }: { after?: string; limit?: number } = {}): Promise<AgentPage> {
    await this.#knowLinks();
    const names = this.#hosts.names.filter((host) => after === undefined || host > after);
    const agents: AgentView[] = [];
    let chars = 0;
    for (const host of names) {
      const view = this.#hosts.view(host);
      if (view === undefined) continue;
      chars += JSON.stringify(view).length;
      if (agents.length >= limit || (agents.length > 0 && chars > MAX_PAGE_CHARS)) {
        return { agents, next: agents.at(-1)?.host ?? null };
      }
      agents.push(view);
    }
    return { agents, next: null };
  }

  /** Hosts by name, with what they supervise, and without their other figures. */
  async fleet(limit: number): Promise<FleetPage> {
    await this.#knowLinks();
    const { names } = this.#hosts;
    const views = names.slice(0, limit).map((host) => this.#hosts.view(host));
    return { hosts: views.flatMap((view) => (view === undefined ? [] : [fleetHost(view)])), total: names.length };
  }

  /** A message came for an agent that runs on these hosts, as far as they have reported: it is woken when it sleeps, and has mail. */
  async wakeWhenAsleep(agent: string, message: string, hosts: readonly string[]): Promise<void> {
    await this.#knowLinks();
    // Its host may have reported since the sender of the message looked.
    this.#decide(() => this.#wakes.add(hosts, agent, message), Date.now());
  }

  /** Whether processes run, in the order in which they are asked after. */
  async processLives(asked: readonly ProcessName[]): Promise<ProcessLife[]> {
    await this.#knowLinks();
    return this.#hosts.processLives(asked);
  }

  async agent(host: string): Promise<AgentView | null> {
    await this.#knowLinks();
    return this.#hosts.view(host) ?? null;
  }

  /** Forgets a host that is down. */
  forget(host: string): "forgotten" | "unknown" | "here" {
    const here = this.#hosts.isHere(host);
    if (here === undefined) return "unknown";
    if (here) return "here";
    this.#decide(() => this.#hosts.drop(host), Date.now());
    return "forgotten";
  }

  settings(): MonitorSettings {
    return this.#hosts.settings;
  }

  /** Replaces the settings. An absent field gets its default. */
  configure(input: unknown): MonitorSettingsChange {
    const parsed = MonitorSettings.safeParse(input);
    if (!parsed.success) return { ok: false, errors: fieldErrors(parsed.error.issues, "", MonitorSettings) };
    this.#decide(() => this.#hosts.configure(parsed.data), Date.now());
    return { ok: true, after: parsed.data };
  }

  override async alarm(): Promise<void> {
    // The log is asked before a host becomes down: the report of a link that returned may have been lost. If the log does
    // not answer, this throws, and the runtime repeats the alarm.
    const report = await this.#log.links();
    const nowMs = Date.now();
    this.#decide(() => {
      this.#hosts.takeLinks(report, nowMs);
      this.#hosts.pass(nowMs);
    }, nowMs);
    await this.#handOver();
  }

  get #log(): HostsLog {
    return objectNamed(this.env.SIGNAL_LOG, this.ecosystem, this.env);
  }

  async #look(roundMs: number | undefined): Promise<MonitorRun> {
    const log = this.#log;
    const timeoutMs = this.#hosts.settings.answer_within_seconds * 1_000;
    const gathered = await log.gather([...MONITORS, "status"], timeoutMs, this.#hosts.gatherAfter, roundMs);
    const { answers, silent, headSeq } = gathered;
    const owedSince = this.#hosts.dreamsOwedSince(answers.keys(), headSeq);
    const dreams = await this.#dreams.look((query) => log.read(query), owedSince, headSeq);
    const nowMs = Date.now();
    const emitted = this.#decide(() => this.#hosts.takeAnswers(gathered, dreams, nowMs), nowMs);
    return { answered: [...answers.keys()].sort(), silent: [...silent].sort(), told: emitted };
  }

  /** Changes memory and disk together, or neither. @returns names of the signals that were emitted */
  #decide(change: () => void, nowMs: number): string[] {
    this.#emitted = [];
    this.transaction(
      () => {
        change();
        this.#hosts.write(nowMs);
        this.#numbers.write();
      },
      () => {
        this.#numbers.reload();
        this.#hosts.load();
        this.#wakes.load();
      },
    );
    // In the same turn, hence in the same write to the disk: a crash cannot lose the alarm of a change.
    const due = this.#hosts.nextDueMs;
    if (due !== undefined) this.alarms.wakeBy(due);
    if (!this.#outbox.empty || this.#watchOwed !== undefined || this.#wakes.isDue()) {
      this.alarms.wakeBy(nowMs + RETRY_MS);
      this.ctx.waitUntil(this.#handOver());
    }
    return this.#emitted;
  }

  /** Whether the directory has to ask hosts of this ecosystem each minute; `undefined`: it knows. */
  get #watchOwed(): boolean | undefined {
    const anyHere = this.#hosts.anyHere;
    return anyHere === (this.#store.notes.read("watched") === "1") ? undefined : anyHere;
  }

  /** Hands signals and the watch over; the next alarm repeats a call that failed. */
  async #handOver(): Promise<void> {
    const watch = this.#watchOwed;
    if (watch !== undefined) {
      try {
        await objectNamed(this.env.DIRECTORY, "directory", this.env).watch(this.ecosystem, watch);
        this.#store.notes.write("watched", watch ? "1" : "0");
      } catch (error) {
        // The next alarm repeats the call.
        logLine("warn", "watch-not-stored", { ecosystem: this.ecosystem, object: "hosts", error });
        this.alarms.wakeBy(Date.now() + RETRY_MS);
      }
    }
    if (this.#wakes.isDue() && !(await this.#wakes.run())) this.alarms.wakeBy(Date.now() + RETRY_MS);
    await this.#relay.run();
  }

  /** Asks the log for the open links, which are lost from memory when this object sleeps. */
  async #knowLinks(): Promise<void> {
    if (this.#hosts.knowsLinks) return;
    const report = await this.#log.links();
    const nowMs = Date.now();
    this.#decide(() => this.#hosts.takeLinks(report, nowMs), nowMs);
  }
}
