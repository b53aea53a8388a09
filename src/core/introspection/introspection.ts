import { type GapChanges, GapTracker } from "./gaps/gap-tracker.ts";
import { isSpared, type Maintenance, NO_MAINTENANCE, SETTLE_MS, type Span } from "./maintenance.ts";
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
  /** Ids of scanners that had failed and did not this time. */
  readonly recovered: readonly string[];
}

/** While there is something in the window it is looked at this often, though nothing comes: old samples leave. */
const IDLE_LOOK_MS = 15_000;

/**
 * Window, scanners and gap book of one ecosystem, wired together, without storage and without a clock. What it says
 * follows from what it was given: the same observations at the same times make the same gaps.
 */
export class Introspection {
  readonly book = new GapTracker();
  readonly panel: ScannerRunner;
  #settings = DEFAULT_OBSERVATION_SETTINGS;
  #window: ObservationWindow;
  /** Samples in the window that no scanner was shown. */
  readonly #spared = new Set<number>();
  #spans: Span[] = [];
  #maintenance: Maintenance = NO_MAINTENANCE;

  readonly #moved: (seq: number, change: 1 | -1) => void;

  /** @param options.moved - hears of every observation that enters or leaves the window, by its place in the log */
  constructor(
    kinds: readonly ScannerKind[],
    options: ScannerRunnerOptions & { readonly moved?: (seq: number, change: 1 | -1) => void } = {},
  ) {
    this.#moved = options.moved ?? (() => {});
    this.panel = new ScannerRunner(kinds, options);
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

  /** Times of maintenance that still reach into the window. */
  get spans(): readonly Span[] {
    return this.#spans;
  }

  take(sample: Sample, nowMs: number): void {
    this.#window.add(sample, nowMs);
  }

  /** @returns `undefined` during maintenance: nothing is judged then. To be given to `book.apply` once it is stored. */
  look(nowMs: number): Look | undefined {
    this.#window.advance(nowMs);
    if (this.#maintenance.enabled) return undefined;
    const { findings, failures, recovered } = this.panel.evaluate(nowMs, () => this.#evidence());
    const resumedMs = this.#spans.at(-1)?.toMs ?? Number.NEGATIVE_INFINITY;
    return { changes: this.book.plan(findings, nowMs, nowMs >= resumedMs + SETTLE_MS), failures, recovered };
  }

  /** When to look next, though nothing comes; `undefined`: there is nothing to wait for. */
  nextLookMs(nowMs: number): number | undefined {
    if (this.#maintenance.enabled) return this.#window.size > 0 ? nowMs + IDLE_LOOK_MS : undefined;
    if (this.#window.size === 0 && this.book.open.length === 0) return undefined;
    return Math.min(nowMs + IDLE_LOOK_MS, this.book.nextAtMs() ?? Number.POSITIVE_INFINITY);
  }

  setScanner(id: string, setting: ScannerSetting): void {
    this.panel.set(id, setting, this.#evidence());
  }

  /** Lets what no longer fits leave. A longer window fills as time passes. */
  set(settings: ObservationSettings, nowMs: number): void {
    const inside = this.#window.all();
    for (const sample of inside) this.#listener.forget(sample);
    this.#settings = settings;
    this.book.settings = settings;
    this.#window = this.#openWindow();
    for (const sample of inside.toSorted((a, b) => a.seq - b.seq)) this.#window.add(sample, nowMs);
  }

  /** @param spans - when it comes back from storage; otherwise what was known goes on from `nowMs` */
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
      this.#moved(sample.seq, 1);
      if (isSpared(sample.tsMs, this.#spans)) this.#spared.add(sample.seq);
      else this.panel.observe(sample);
    },
    forget: (sample: Sample) => {
      this.#moved(sample.seq, -1);
      if (!this.#spared.delete(sample.seq)) this.panel.forget(sample);
    },
  };

  #openWindow(): ObservationWindow {
    return new ObservationWindow(windowLimits(this.#settings), this.#listener);
  }

  /** What scanners are to see, in the order of the log. */
  #evidence(): Sample[] {
    return this.#window
      .all()
      .filter(({ seq }) => !this.#spared.has(seq))
      .sort((a, b) => a.seq - b.seq);
  }
}
