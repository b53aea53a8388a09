import type { Party } from "../collections/fair-queue.ts";
import type { Limit } from "../quotas/excess-ledger.ts";
import type { Maintenance } from "./api.ts";
import { type GapChanges, GapTracker } from "./gaps/gap-tracker.ts";
import { isExempt, NO_MAINTENANCE, SETTLE_MS, type Span } from "./maintenance.ts";
import type { ScannerKind } from "./scanners/scanner.ts";
import {
  type ScannerFailure,
  ScannerRunner,
  type ScannerRunnerOptions,
  type ScannerSetting,
} from "./scanners/scanner-runner.ts";
import type { Sample } from "./window/sample.ts";
import { ObservationWindow } from "./window/window.ts";
import { DEFAULT_OBSERVATION_SETTINGS, type ObservationSettings, windowLimits } from "./window/window-settings.ts";

export interface Look {
  readonly changes: GapChanges;
  readonly failures: readonly ScannerFailure[];
  /** Ids of scanners that failed before and succeeded this time. */
  readonly recovered: readonly string[];
}

export interface IntrospectionOptions extends Omit<ScannerRunnerOptions, "crowdedOut"> {
  /** Called for every observation that enters (1) or leaves (-1) the window. */
  readonly moved?: (seq: number, change: 1 | -1) => void;
  /** What the observations in the window may take in memory, in bytes. */
  readonly windowBytes?: number;
  /** Called where items give way because their sender has more of them than anybody else. */
  readonly excess?: (limit: Limit, party: Party, count: number) => void;
}

const WINDOW_SETTING = "window_capacity of PATCH /v1/{ecosystem}/observations/settings";
/** The limit is in bytes of memory. */
export const MEMORY_QUOTA = "memory of observations";
const MEMORY_SETTING = "HEAP_MB, see docs/operations.md: shorten the window, or send smaller observations";
const FINDINGS_SETTING = "fixed: the findings of one scanner";

/** Interval of evaluations without new samples, while the window is not empty: old samples leave it. */
const IDLE_LOOK_MS = 15_000;

/**
 * Window, scanners and gap tracker of one ecosystem, wired together, without storage and without a clock. The same
 * observations at the same times give the same gaps.
 */
export class Introspection {
  readonly gaps = new GapTracker();
  readonly scanners: ScannerRunner;
  #settings = DEFAULT_OBSERVATION_SETTINGS;
  #window: ObservationWindow;
  /** Sequence numbers of samples in the window that scanners do not get, because of maintenance. */
  readonly #exempt = new Set<number>();
  #spans: Span[] = [];
  #maintenance: Maintenance = NO_MAINTENANCE;

  readonly #options: IntrospectionOptions;

  constructor(kinds: readonly ScannerKind[], options: IntrospectionOptions = {}) {
    this.#options = options;
    const crowdedOut = (party: Party, count: number, limit: number) =>
      options.excess?.({ quota: "findings", limit, setting: FINDINGS_SETTING }, party, count);
    this.scanners = new ScannerRunner(kinds, { ...options, crowdedOut });
    this.#window = this.#openWindow();
  }

  get window(): ObservationWindow {
    return this.#window;
  }

  get settings(): ObservationSettings {
    return this.#settings;
  }

  get maintenance(): Maintenance {
    return this.#maintenance;
  }

  /** Maintenance periods that still overlap the window. */
  get spans(): readonly Span[] {
    return this.#spans;
  }

  take(sample: Sample, nowMs: number): void {
    this.#window.add(sample, nowMs);
  }

  /** @returns the changes to store and then to give to `gaps.apply`; `undefined` during maintenance, when scanners rest */
  look(nowMs: number): Look | undefined {
    this.#window.advance(nowMs);
    if (this.#maintenance.enabled) return undefined;
    const { findings, failures, recovered } = this.scanners.evaluate(nowMs, () => this.#evidence());
    const resumedMs = this.#spans.at(-1)?.toMs ?? Number.NEGATIVE_INFINITY;
    return { changes: this.gaps.plan(findings, nowMs, nowMs >= resumedMs + SETTLE_MS), failures, recovered };
  }

  /** Time of the next evaluation if no sample comes; `undefined`: none is needed. */
  nextLookMs(nowMs: number): number | undefined {
    if (this.#maintenance.enabled) return this.#window.size > 0 ? nowMs + IDLE_LOOK_MS : undefined;
    if (this.#window.size === 0 && this.gaps.open.length === 0) return undefined;
    return Math.min(nowMs + IDLE_LOOK_MS, this.gaps.nextAtMs() ?? Number.POSITIVE_INFINITY);
  }

  setScanner(id: string, setting: ScannerSetting): void {
    this.scanners.set(id, setting, this.#evidence());
  }

  /** Samples that no longer fit leave the window at once. A longer window fills as time passes. */
  set(settings: ObservationSettings, nowMs: number): void {
    const inside = this.#window.all();
    for (const sample of inside) this.#listener.forget(sample);
    this.#settings = settings;
    this.gaps.settings = settings;
    this.#window = this.#openWindow();
    for (const sample of inside.toSorted((a, b) => a.seq - b.seq)) this.#window.add(sample, nowMs);
  }

  /** @param spans - periods restored from storage; default: the known ones, the current one begun or ended at `nowMs` */
  setMaintenance(maintenance: Maintenance, nowMs: number, spans?: readonly Span[]): void {
    if (spans !== undefined) this.#spans = [...spans];
    else if (maintenance.enabled && !this.#maintenance.enabled) this.#spans.push({ fromMs: nowMs, toMs: null });
    else if (!maintenance.enabled && this.#maintenance.enabled)
      this.#spans = this.#spans.map((span) => ({ ...span, toMs: span.toMs ?? nowMs }));
    const oldestMs = nowMs - this.#settings.window_seconds * 1_000 - SETTLE_MS;
    this.#spans = this.#spans.filter(({ toMs }) => toMs === null || toMs >= oldestMs);
    this.#maintenance = maintenance;
  }

  readonly #listener = {
    observe: (sample: Sample) => {
      this.#options.moved?.(sample.seq, 1);
      if (isExempt(sample.tsMs, this.#spans)) this.#exempt.add(sample.seq);
      else this.scanners.observe(sample);
    },
    forget: (sample: Sample) => {
      this.#options.moved?.(sample.seq, -1);
      if (!this.#exempt.delete(sample.seq)) this.scanners.forget(sample);
    },
  };

  #openWindow(): ObservationWindow {
    const { windowBytes, excess } = this.#options;
    const limits = { ...windowLimits(this.#settings), ...(windowBytes === undefined ? {} : { bytes: windowBytes }) };
    return new ObservationWindow(limits, this.#listener, ({ party }, by) => {
      if (by === "bytes") excess?.({ quota: MEMORY_QUOTA, limit: windowBytes ?? 0, setting: MEMORY_SETTING }, party, 1);
      else excess?.({ quota: "observations", limit: limits.capacity, setting: WINDOW_SETTING }, party, 1);
    });
  }

  /** Samples for the scanners, in the order of the log. */
  #evidence(): Sample[] {
    return this.#window
      .all()
      .filter(({ seq }) => !this.#exempt.has(seq))
      .sort((a, b) => a.seq - b.seq);
  }
}
