import type { Gap } from "../../core/introspection/gaps/gap.ts";
import { GAP_SOURCE, gapFacts, gapOf } from "../../core/introspection/gaps/gap-signal.ts";
import type { GapChange } from "../../core/introspection/gaps/gap-tracker.ts";
import type { HistoryPage, HistoryQuery } from "../../core/introspection/history/query.ts";
import { Introspection, type Look } from "../../core/introspection/introspection.ts";
import type { Maintenance, MaintenanceChange } from "../../core/introspection/maintenance.ts";
import { ALL_SCANNERS } from "../../core/introspection/scanners/all-scanners.ts";
import type { ScannerHealth } from "../../core/introspection/scanners/scanner-runner.ts";
import type { ScannerStatus } from "../../core/introspection/scanners/scanner-status.ts";
import type { ObservationsPage } from "../../core/introspection/window/observation.ts";
import { observationOf, sampleOf } from "../../core/introspection/window/sample.ts";
import type { ObservationSettings } from "../../core/introspection/window/window-settings.ts";
import type { Signal } from "../../core/signals/signal.ts";
import { lineName, lineSeq } from "../../core/signals/signal-line.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import { traceOf } from "../../core/signals/trace.ts";
import type { Environment } from "../../workers/environment.ts";
import { type Outgoing, Projection } from "../shell/projection.ts";
import { type Author, changeMaintenance, changeScanner, changeSettings, type SettingsChange } from "./changes.ts";
import { HistoryStore } from "./history-store.ts";
import { ObservationStore } from "./observation-store.ts";
import { restoreSettings } from "./restore.ts";
import { SettingsStore } from "./settings-store.ts";

/** New evidence is looked at this long after it came, together with what came meanwhile. */
const DEBOUNCE_MS = 100;
const REMEMBER_GAPS_MS = 30 * 86_400_000;
/** Observations that wait for the end of their minute; above that they are written into the history at once. */
const MAX_KEPT = 100_000;

export interface ObservationsQuery {
  readonly seconds: number;
  readonly reporter?: string;
  readonly limit: number;
}

type Emit = Pick<Outgoing, "emit">;

/** The observation window of an ecosystem, the scanners that watch it, and the book of gaps (R8–R18), and their history (R20). */
export class ObservationCache extends Projection {
  readonly #store: ObservationStore;
  readonly #settings: SettingsStore;
  readonly #history: HistoryStore;
  #introspection = new Introspection([]);
  #evaluation: ReturnType<typeof setTimeout> | undefined;

  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env, "observations");
    this.#store = new ObservationStore(this.sql);
    this.#settings = new SettingsStore(this.sql);
    this.#history = new HistoryStore(this.sql, this.#settings);
    this.load();
  }

  observations({ seconds, reporter, limit }: ObservationsQuery): ObservationsPage {
    const nowMs = Date.now();
    const { window, settings } = this.#introspection;
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

  history(query: HistoryQuery): HistoryPage {
    return this.#history.read(query);
  }

  gaps(status: "open" | "resolved" | "all"): Gap[] {
    // What is shown must be true now, though the last look was up to fifteen seconds ago.
    this.#evaluate(Date.now());
    const { book } = this.#introspection;
    return [...(status === "resolved" ? [] : book.open), ...(status === "open" ? [] : book.resolved)];
  }

  scanners(): ScannerStatus[] {
    return this.#introspection.panel.health.map(statusOf);
  }

  /** @returns `null`: there is no such scanner */
  changeScanner(id: string, change: unknown, by: Author): SettingsChange<ScannerStatus> | null {
    const before = this.#introspection.panel.setting(id);
    if (before === undefined) return null;
    const changed = changeScanner(before.kind, before, change);
    if (!changed.ok) return changed;
    const { after } = changed;
    const [was, is] = [{ enabled: before.enabled, settings: before.settings }, after];
    if (JSON.stringify(was) !== JSON.stringify(is)) {
      this.decide((outgoing) => {
        this.#settings.save(`scanner:${id}`, after);
        this.#settings.save(`health:${id}`, null);
        this.#tell(outgoing, "Q_SCANNER_CHANGED", { scanner: id, before: was, after: is }, by);
      });
      this.#introspection.setScanner(id, after);
      this.settled();
    }
    const health = this.#introspection.panel.health.find(({ kind }) => kind.id === id);
    return health === undefined ? null : { ok: true, after: statusOf(health) };
  }

  settings(): ObservationSettings {
    return this.#introspection.settings;
  }

  changeSettings(change: unknown, by: Author): SettingsChange<ObservationSettings> {
    const before = this.#introspection.settings;
    const changed = changeSettings(before, change);
    if (!changed.ok || JSON.stringify(before) === JSON.stringify(changed.after)) return changed;
    const { after } = changed;
    this.decide((outgoing) => {
      this.#settings.save("observations", after);
      this.#tell(outgoing, "Q_OBSERVATION_SETTINGS_CHANGED", { before, after }, by);
    });
    this.#introspection.set(after, Date.now());
    this.settled();
    return changed;
  }

  maintenance(): Maintenance {
    return this.#introspection.maintenance;
  }

  changeMaintenance(change: MaintenanceChange, by: Author): Maintenance {
    const nowMs = Date.now();
    const before = this.#introspection.maintenance;
    const after = changeMaintenance(before, change, by, nowMs);
    if (JSON.stringify(before) === JSON.stringify(after)) return after;
    this.#introspection.setMaintenance(after, nowMs);
    // A transaction that fails reads everything back, the maintenance that was before too.
    this.decide((outgoing) => {
      this.#settings.save("maintenance", { state: after, spans: this.#introspection.spans });
      const { enabled, reason } = after;
      this.#tell(outgoing, "Q_MAINTENANCE_CHANGED", { enabled, reason, before }, by);
    });
    this.settled();
    return after;
  }

  protected override take(signal: Signal): void {
    if (signal.signal === "OBSERVATION") {
      const nowMs = Date.now();
      const sample = sampleOf(signal);
      this.#introspection.take(sample, nowMs);
      this.#history.take(sample, nowMs);
    } else if (this.replaying(signal.seq) && signal.source === GAP_SOURCE) {
      // Only when rebuilding: live, the book is ahead of its own signals, and an old one would open a resolved gap.
      this.#learn(gapOf(signal));
    }
  }

  /** What came is stored, even where it could not be understood: reading all of it again takes the signal in, once. */
  protected override retakePart(signal: Signal): void {
    if (signal.signal === "OBSERVATION") sampleOf(signal); // throws where it still cannot be understood
    this.load();
  }

  protected override store(lines: readonly string[]): void {
    const observations = lines.filter((line) => lineName(line) === "OBSERVATION");
    const last = observations.at(-1);
    if (last === undefined) return;
    const nowMs = Date.now();
    this.#store.add(observations, lineSeq(last), nowMs);
    this.#tidy(nowMs);
  }

  protected override clear(): void {
    this.#store.clear();
  }

  protected override load(): void {
    const nowMs = Date.now();
    this.#history.reload();
    this.#introspection = new Introspection(ALL_SCANNERS, {
      moved: (seq, change) => this.#store.moved(seq, change),
      clock: () => Date.now(),
    });
    restoreSettings(this.#introspection, this.#settings, nowMs);
    this.#introspection.book.restore(this.#store.gaps());
    for (const line of this.#store.lines(nowMs)) {
      try {
        const sample = sampleOf(JSON.parse(line) as Signal);
        this.#introspection.take(sample, nowMs);
        this.#history.take(sample, nowMs);
      } catch {
        // It was reported as a dead letter when it came; here it is only passed over again.
      }
    }
  }

  protected override settled(): void {
    this.#evaluation ??= setTimeout(() => {
      this.#evaluation = undefined;
      this.#evaluate(Date.now());
    }, DEBOUNCE_MS);
  }

  #evaluate(nowMs: number): void {
    const look = this.#introspection.look(nowMs);
    if (look !== undefined) this.#keep(look, nowMs);
    if (this.#history.isDue(nowMs) || this.#store.hasLeft(this.#history.firstUnwritten))
      this.decide(() => this.#tidy(nowMs));
    const nextMs = this.#introspection.nextLookMs(nowMs);
    if (nextMs !== undefined) this.wakeBy(nextMs);
  }

  #keep(look: Look, nowMs: number): void {
    const { raised, reminded, refreshed, worthKeeping, resolved } = look.changes;
    const news = [raised, reminded, worthKeeping, resolved, look.failures, look.recovered];
    if (news.some((list) => list.length > 0)) this.decide((outgoing) => this.#record(look, nowMs, outgoing));
    this.#introspection.book.apply({ raised: [], reminded: [], refreshed, resolved: [] });
  }

  /** Writes what changed and emits it, in one transaction; memory follows. */
  #record({ changes, failures, recovered }: Look, nowMs: number, outgoing: Emit): void {
    for (const change of changes.raised)
      this.#learn({ ...change.gap, signal_id: this.#emitGap(change, nowMs, outgoing) });
    for (const change of changes.reminded) {
      this.#emitGap(change, nowMs, outgoing);
      this.#learn(change.gap);
    }
    for (const gap of changes.worthKeeping) this.#learn(gap);
    for (const gap of changes.resolved) {
      outgoing.emit({
        signal: "CAPABILITY_GAP_RESOLVED",
        source: GAP_SOURCE,
        facts: gapFacts(gap),
        timestampMs: nowMs,
        ...(gap.signal_id === undefined
          ? {}
          : { cause: gap.signal_id, trace: traceOf(`${gap.name}${gap.resolved_at}`, { id: gap.signal_id }) }),
      });
      this.#learn(gap);
    }
    for (const { scanner, error, failures: times, retryAtMs } of failures) {
      this.#settings.save(`health:${scanner}`, { failures: times, lastError: error, retryAtMs });
      // A scanner that fails is itself an observation (R17).
      outgoing.emit({
        signal: "OBSERVATION",
        source: GAP_SOURCE,
        facts: { zooid: scanner, ok: false, niche: "scanners", error, failures: times },
        timestampMs: nowMs,
      });
    }
    for (const scanner of recovered) this.#settings.save(`health:${scanner}`, null);
    if (changes.resolved.length > 0) this.#store.forgetGaps(formatTimestamp(nowMs - REMEMBER_GAPS_MS));
  }

  /** A reminder follows from the signal that raised the gap, a new gap from the newest sample behind it. */
  #emitGap({ gap, finding: { cause } }: GapChange, nowMs: number, outgoing: Emit): string {
    const reminder = gap.signal_id !== undefined;
    return outgoing.emit({
      signal: "CAPABILITY_GAP",
      source: GAP_SOURCE,
      facts: gapFacts(gap),
      timestampMs: nowMs,
      cause: gap.signal_id ?? cause.id,
      trace: traceOf(gap.name + (reminder ? gap.reminded_at : gap.raised_at), cause),
      depth: cause.depth + (reminder ? 2 : 1),
    });
  }

  #tell(outgoing: Emit, signal: string, facts: Record<string, unknown>, by: Author): void {
    const all = { ...facts, by: by.name, by_id: by.id };
    outgoing.emit({ signal, source: GAP_SOURCE, facts: all, timestampMs: Date.now() });
  }

  /** Puts what is over into the history, and lets go of what is neither in the window nor still to be written there. */
  #tidy(nowMs: number): void {
    if (this.#history.isDue(nowMs)) this.#history.write(nowMs);
    if (this.#store.size > MAX_KEPT && this.#store.hasLeft(Number.POSITIVE_INFINITY)) this.#history.write(nowMs, true);
    this.#store.drop(this.#history.firstUnwritten);
  }

  #learn(gap: Gap): void {
    this.#store.saveGap(gap);
    this.#introspection.book.learn(gap);
  }
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
