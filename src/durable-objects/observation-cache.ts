import type { Gap } from "../core/gaps/gap.ts";
import { GapBook, type GapChanges } from "../core/gaps/gap-book.ts";
import { GAP_SOURCE, gapFacts, gapOf } from "../core/gaps/gap-signal.ts";
import { lineName, lineSeq } from "../core/log/segment.ts";
import type { ObservationsPage } from "../core/observations/observation.ts";
import { observationOf, sampleOf } from "../core/observations/sample.ts";
import { DEFAULT_WINDOW, ObservationWindow } from "../core/observations/window.ts";
import { type ScannerFailure, ScannerPanel } from "../core/scanners/panel.ts";
import { ResourceScanner } from "../core/scanners/resource-scanner.ts";
import type { ScannerStatus } from "../core/scanners/scanner-status.ts";
import type { Signal } from "../core/signals/signal.ts";
import { formatTimestamp } from "../core/signals/timestamp.ts";
import { traceOf } from "../core/signals/trace.ts";
import type { Environment } from "./environment.ts";
import { ObservationStore } from "./observation-cache/observation-store.ts";
import { type Outgoing, Projection } from "./projection/projection.ts";

/** New evidence is looked at this long after it came, together with what came meanwhile. */
const DEBOUNCE_MS = 100;
/** While there is something in the window it is looked at this often, though nothing comes: old samples leave. */
const IDLE_LOOK_MS = 15_000;
const REMEMBER_GAPS_MS = 30 * 86_400_000;

export interface ObservationsQuery {
  readonly seconds: number;
  readonly reporter?: string;
  readonly limit: number;
}

/** The observation window of an ecosystem, the scanners that watch it, and the book of gaps (R8–R17). */
export class ObservationCache extends Projection {
  readonly #store: ObservationStore;
  readonly #book = new GapBook();
  #panel = new ScannerPanel([]);
  #window = new ObservationWindow();
  #evaluation: ReturnType<typeof setTimeout> | undefined;

  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env, "observations");
    this.#store = new ObservationStore(this.sql);
    this.load();
  }

  observations({ seconds, reporter, limit }: ObservationsQuery): ObservationsPage {
    const nowMs = Date.now();
    this.#window.advance(nowMs);
    const lastMs = Math.min(seconds * 1_000, DEFAULT_WINDOW.windowMs);
    const samples = this.#window
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

  gaps(status: "open" | "resolved" | "all"): Gap[] {
    // What is shown must be true now, though the last look was up to fifteen seconds ago.
    this.#evaluate(Date.now());
    return [...(status === "resolved" ? [] : this.#book.open), ...(status === "open" ? [] : this.#book.resolved)];
  }

  scanners(): ScannerStatus[] {
    return this.#panel.health.map(({ scanner, state, lastError, evaluatedAtMs }) => ({
      id: scanner.id,
      category: scanner.category,
      enabled: true,
      settings: { ...scanner.settings },
      state,
      ...(lastError === undefined ? {} : { last_error: lastError }),
      ...(evaluatedAtMs === undefined ? {} : { evaluated_at: formatTimestamp(evaluatedAtMs) }),
    }));
  }

  protected override take(signal: Signal): void {
    if (signal.signal === "OBSERVATION") {
      this.#window.add(sampleOf(signal), Date.now());
    } else if (this.replaying(signal.seq) && signal.source === GAP_SOURCE) {
      // Only when rebuilding: live, the book is ahead of its own signals, and an old one would open a resolved gap.
      this.#learn(gapOf(signal));
    }
  }

  protected override store(lines: readonly string[]): void {
    const observations = lines.filter((line) => lineName(line) === "OBSERVATION");
    const last = observations.at(-1);
    if (last === undefined) return;
    const nowMs = Date.now();
    this.#store.add(observations, lineSeq(last), nowMs);
    this.#store.drop(nowMs - DEFAULT_WINDOW.windowMs);
  }

  protected override clear(): void {
    this.#store.clear();
  }

  protected override load(): void {
    this.#store.reload();
    this.#panel = new ScannerPanel([new ResourceScanner()]);
    this.#window = new ObservationWindow(DEFAULT_WINDOW, this.#panel);
    this.#book.clear();
    this.#book.restore(this.#store.gaps());
    const nowMs = Date.now();
    for (const line of this.#store.lines()) {
      try {
        this.#window.add(sampleOf(JSON.parse(line) as Signal), nowMs);
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
    this.#window.advance(nowMs);
    const { findings, failures } = this.#panel.evaluate(nowMs);
    const changes = this.#book.plan(findings, nowMs);
    if (changes.raised.length > 0 || changes.resolved.length > 0 || failures.length > 0) {
      this.decide((outgoing) => this.#record(changes, failures, nowMs, outgoing));
    }
    this.#book.apply({ raised: [], refreshed: changes.refreshed, resolved: [] });
    if (this.#window.size > 0 || this.#book.open.length > 0) this.wakeBy(nowMs + IDLE_LOOK_MS);
  }

  /** Writes what changed and emits it, in one transaction; memory follows. */
  #record(
    changes: GapChanges,
    failures: readonly ScannerFailure[],
    nowMs: number,
    outgoing: Pick<Outgoing, "emit">,
  ): void {
    for (const { gap, finding } of changes.raised) {
      const cause = finding?.cause;
      const id = outgoing.emit({
        signal: "CAPABILITY_GAP",
        source: GAP_SOURCE,
        facts: gapFacts(gap),
        timestampMs: nowMs,
        cause: cause?.id,
        trace: cause === undefined ? undefined : traceOf(gap.name + gap.raised_at, cause),
        depth: (cause?.depth ?? 0) + 1,
      });
      this.#learn({ ...gap, signal_id: id });
    }
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
    for (const { scanner, error, failures: times } of failures) {
      // A scanner that fails is itself an observation (R17).
      outgoing.emit({
        signal: "OBSERVATION",
        source: GAP_SOURCE,
        facts: { zooid: scanner, ok: false, niche: "scanners", error, failures: times },
        timestampMs: nowMs,
      });
    }
    if (changes.resolved.length > 0) this.#store.forgetGaps(formatTimestamp(nowMs - REMEMBER_GAPS_MS));
  }

  #learn(gap: Gap): void {
    this.#store.saveGap(gap);
    this.#book.learn(gap);
  }
}
