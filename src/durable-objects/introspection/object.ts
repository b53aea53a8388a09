import type { Author } from "../../core/access/author.ts";
import type {
  Gap,
  HistoryPage,
  IntrospectionAttention,
  Maintenance,
  MaintenanceChange,
  ObservationsPage,
  ScannerStatus,
} from "../../core/introspection/api.ts";
import { type GapEvidence, gapEvidence } from "../../core/introspection/gaps/gap-evidence.ts";
import { GAP_SOURCE } from "../../core/introspection/gaps/gap-signal.ts";
import type { HistoryQuery } from "../../core/introspection/history/query.ts";
import type { ScannerHealth } from "../../core/introspection/scanners/scanner-runner.ts";
import { type LastOfHost, lastOfHosts } from "../../core/introspection/window/host-samples.ts";
import { observationOf } from "../../core/introspection/window/sample.ts";
import type { ObservationSettings } from "../../core/introspection/window/window-settings.ts";
import { windowSamples } from "../../core/metrics/samples.ts";
import type { Excess } from "../../core/quotas/excess.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { Decisions } from "../shell/decisions.ts";
import { logEpoch } from "../shell/migrations/2-log-epoch.ts";
import { projectionCounts } from "../shell/migrations/3-counts.ts";
import type { ProjectionEnvironment } from "../shell/projection-environment.ts";
import { ProjectionObject } from "../shell/projection-object.ts";
import type { Schema } from "../shell/schema.ts";
import { changeMaintenance, changeScanner, changeSettings, type SettingsChange } from "./changes.ts";
import { windowErasure } from "./erasure.ts";
import { HistoryStore } from "./history-store.ts";
import { ObservationStore } from "./observation-store.ts";
import { SettingsStore } from "./settings-store.ts";
import { WindowProjection } from "./window-projection.ts";

export interface ObservationsQuery {
  readonly seconds: number;
  readonly reporter?: string;
  readonly limit: number;
}

/** Bindings that the window uses. */
export interface IntrospectionBindings extends ProjectionEnvironment {}

/** The observation window of an ecosystem, the scanners that watch it, its gaps, and their history. */
export class ObservationCache extends ProjectionObject<IntrospectionBindings> {
  static override readonly schema: Schema = {
    of: "ObservationCache",
    steps: [logEpoch, projectionCounts],
    erasure: windowErasure,
  };
  readonly #settings: SettingsStore;
  readonly #history: HistoryStore;
  readonly #window: WindowProjection;

  constructor(ctx: DurableObjectState, env: IntrospectionBindings) {
    super(ctx, env, "observations");
    const { sql, alarms } = this;
    const store = new ObservationStore(sql);
    this.#settings = new SettingsStore(sql);
    this.#history = new HistoryStore(sql, this.#settings);
    this.#window = new WindowProjection({
      projection: this.projection,
      store,
      settings: this.#settings,
      history: this.#history,
      wakeBy: (atMs) => alarms.wakeBy(atMs),
      heap: this.heap,
      counts: this.counts,
    });
    this.projection.attach(this.#window);
    this.reports.of(() => {
      const { window, gaps, scanners } = this.#window.introspection;
      const states = scanners.health.map(({ state }) => state);
      return this.ownState(windowSamples(window.size, gaps.open, states));
    });
  }

  observations({ seconds, reporter, limit }: ObservationsQuery): ObservationsPage {
    const nowMs = Date.now();
    const { window, settings } = this.#window.introspection;
    window.advance(nowMs);
    const lastMs = Math.min(seconds, settings.window_seconds) * 1_000;
    const samples = window
      .read(nowMs, lastMs)
      .filter((sample) => reporter === undefined || sample.reporter === reporter);
    const [oldest, newest] = [samples[0], samples.at(-1)];
    return {
      observations: samples.slice(-limit).map(observationOf),
      window_seconds: lastMs / 1_000,
      size: samples.length,
      oldest: oldest === undefined ? null : formatTimestamp(oldest.tsMs),
      newest: newest === undefined ? null : formatTimestamp(newest.tsMs),
    };
  }

  /** The last sample of each of these hosts that is in the window. */
  hostSamples(hosts: readonly string[]): LastOfHost[] {
    const nowMs = Date.now();
    const { window } = this.#window.introspection;
    window.advance(nowMs);
    return lastOfHosts(window.read(nowMs), hosts);
  }

  history(query: HistoryQuery): HistoryPage {
    return this.#history.read(query);
  }

  /** @param name - only gaps of this name: others do not leave the object */
  gaps(status: "open" | "resolved" | "all", name?: string): Gap[] {
    // The answer must be true now, though the last look was up to fifteen seconds ago.
    this.#window.evaluate(Date.now());
    const tracker = this.#window.introspection.gaps;
    const found = [...(status === "resolved" ? [] : tracker.open), ...(status === "open" ? [] : tracker.resolved)];
    return name === undefined ? found : found.filter((gap) => gap.name === name);
  }

  /** How many gaps are open: thousands of them take longer to send than to count. */
  openGaps(): number {
    this.#window.evaluate(Date.now());
    return this.#window.introspection.gaps.openCount;
  }

  /** What a gap rests on; `null`: there is no gap of this fingerprint, open or lately resolved. */
  gapEvidence(fingerprint: string): GapEvidence | null {
    const nowMs = Date.now();
    this.#window.evaluate(nowMs);
    const { gaps, scanners, window, settings } = this.#window.introspection;
    const gap = [...gaps.open, ...gaps.resolved].find((one) => one.fingerprint === fingerprint);
    if (gap === undefined) return null;
    return gapEvidence(gap, window.read(nowMs), (id) => scanners.setting(id)?.settings, settings.window_seconds);
  }

  /** What of the window may need somebody, in one call. */
  attention(): IntrospectionAttention {
    this.#window.evaluate(Date.now());
    const { gaps, scanners } = this.#window.introspection;
    return { gaps: gaps.open, scanners: scanners.health.map(statusOf), cursor: this.projection.cursor };
  }

  scanners(): ScannerStatus[] {
    return this.#window.introspection.scanners.health.map(statusOf);
  }

  /** @returns `null`: there is no such scanner */
  changeScanner(id: string, change: unknown, by: Author): SettingsChange<ScannerStatus> | null {
    const before = this.#window.introspection.scanners.setting(id);
    if (before === undefined) return null;
    const changed = changeScanner(before.kind, before, change);
    if (!changed.ok) return changed;
    const { after } = changed;
    const [was, is] = [{ enabled: before.enabled, settings: before.settings }, after];
    if (JSON.stringify(was) !== JSON.stringify(is)) {
      this.projection.decide((decisions) => {
        this.#settings.save(`scanner:${id}`, after);
        this.#settings.save(`health:${id}`, null);
        emitChange(decisions, "Q_SCANNER_CHANGED", { scanner: id, before: was, after: is }, by);
      });
      this.#window.introspection.setScanner(id, after);
      this.#window.settled();
    }
    const health = this.#window.introspection.scanners.health.find(({ kind }) => kind.id === id);
    return health === undefined ? null : { ok: true, after: statusOf(health) };
  }

  /** Who sends more than a fair share of the observations. */
  excess(): Excess[] {
    return this.#window.excess(Date.now());
  }

  settings(): ObservationSettings {
    return this.#window.introspection.settings;
  }

  changeSettings(change: unknown, by: Author): SettingsChange<ObservationSettings> {
    const before = this.#window.introspection.settings;
    const changed = changeSettings(before, change);
    if (!changed.ok || JSON.stringify(before) === JSON.stringify(changed.after)) return changed;
    const { after } = changed;
    this.projection.decide((decisions) => {
      this.#settings.save("observations", after);
      emitChange(decisions, "Q_OBSERVATION_SETTINGS_CHANGED", { before, after }, by);
    });
    this.#window.introspection.set(after, Date.now());
    this.#window.settled();
    return changed;
  }

  maintenance(): Maintenance {
    return this.#window.introspection.maintenance;
  }

  changeMaintenance(change: MaintenanceChange, by: Author): Maintenance {
    const nowMs = Date.now();
    const { introspection } = this.#window;
    const before = introspection.maintenance;
    const after = changeMaintenance(before, change, by, nowMs);
    if (JSON.stringify(before) === JSON.stringify(after)) return after;
    introspection.setMaintenance(after, nowMs);
    // A transaction that fails reads everything back, the maintenance that was before too.
    this.projection.decide((decisions) => {
      this.#settings.save("maintenance", { state: after, spans: introspection.spans });
      const { enabled, reason } = after;
      emitChange(decisions, "Q_MAINTENANCE_CHANGED", { enabled, reason, before }, by);
    });
    this.#window.settled();
    return after;
  }
}

function emitChange(
  decisions: Pick<Decisions, "emit">,
  signal: string,
  facts: Record<string, unknown>,
  by: Author,
): void {
  const all = { ...facts, by: by.name, by_id: by.id };
  decisions.emit({ signal, source: GAP_SOURCE, facts: all, timestampMs: Date.now() });
}

function statusOf(health: ScannerHealth): ScannerStatus {
  const { kind, enabled, settings, state, failures, lastError, evaluatedAtMs, retryAtMs } = health;
  return {
    id: kind.id,
    category: kind.category,
    enabled,
    settings,
    state,
    failures,
    ...(lastError === undefined ? {} : { last_error: lastError }),
    ...(evaluatedAtMs === undefined ? {} : { evaluated_at: formatTimestamp(evaluatedAtMs) }),
    ...(retryAtMs === undefined ? {} : { retry_at: formatTimestamp(retryAtMs) }),
  };
}
