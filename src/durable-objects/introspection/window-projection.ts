import type { HeapAccount } from "../../core/billing/heap-budget.ts";
import type { LabelledCounts } from "../../core/collections/labelled-counts.ts";
import type { Gap } from "../../core/introspection/api.ts";
import { GAP_SOURCE, gapFacts, gapOf } from "../../core/introspection/gaps/gap-signal.ts";
import type { GapChange } from "../../core/introspection/gaps/gap-tracker.ts";
import { Introspection, type Look, MEMORY_QUOTA } from "../../core/introspection/introspection.ts";
import { ALL_SCANNERS } from "../../core/introspection/scanners/all-scanners.ts";
import { QUARANTINE_AFTER } from "../../core/introspection/scanners/scanner-runner.ts";
import { sampleOf } from "../../core/introspection/window/sample.ts";
import type { Excess } from "../../core/quotas/excess.ts";
import { ExcessLedger } from "../../core/quotas/excess-ledger.ts";
import type { SenderRange } from "../../core/signals/log/senders.ts";
import type { Signal } from "../../core/signals/signal.ts";
import { lineName, lineSeq, readSignalLine } from "../../core/signals/signal-line.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import { traceOf } from "../../core/signals/trace.ts";
import type { Decisions } from "../shell/decisions.ts";
import type { ObjectHeap } from "../shell/isolate-heap.ts";
import type { ProjectedState } from "../shell/projected-state.ts";
import type { Projection } from "../shell/projection.ts";
import { EvaluationTimer } from "./evaluation-timer.ts";
import type { HistoryStore } from "./history-store.ts";
import type { ObservationStore } from "./observation-store.ts";
import { restoreSettings } from "./restore.ts";
import type { SettingsStore } from "./settings-store.ts";

const REMEMBER_GAPS_MS = 30 * 86_400_000;
/** Observations that wait for the end of their minute; above that they are written into the history at once. */
const MAX_KEPT = 100_000;

/** Characters of a scanner's error in a question. */
const MAX_ERROR = 1_000;

const SERIES_SETTING = "fixed: series of a metric and a reporter that wait for the end of their minute";

export interface WindowProjectionOptions {
  readonly projection: Projection;
  readonly store: ObservationStore;
  readonly settings: SettingsStore;
  readonly history: HistoryStore;
  readonly wakeBy: (atMs: number) => void;
  readonly heap: ObjectHeap;
  /** For metrics, written with the transaction in which they are changed. */
  readonly counts: () => LabelledCounts;
}

type Emit = Pick<Decisions, "emit">;

/** The observation window, the scanners that watch it, the gaps that they find, and the history of the observations. */
export class WindowProjection implements ProjectedState {
  readonly #options: WindowProjectionOptions;
  #introspection = new Introspection([]);
  readonly #excess = new ExcessLedger();
  readonly #account: HeapAccount;
  readonly #evaluations = new EvaluationTimer((nowMs) => this.evaluate(nowMs));

  constructor(options: WindowProjectionOptions) {
    this.#options = options;
    this.#account = options.heap.account("observations", () => this.#introspection.window.bytes);
    options.history.onCrowdedOut((party, limit) =>
      this.#excess.note({ quota: "history series", limit, setting: SERIES_SETTING }, party, Date.now()),
    );
    this.load();
  }

  get introspection(): Introspection {
    return this.#introspection;
  }

  /** Who sends more than a fair share of the observations, lately. */
  excess(nowMs: number): Excess[] {
    return this.#excess.list(nowMs);
  }

  take(signal: Signal, _decisions: unknown, sender: string, chars: number): void {
    if (signal.signal === "OBSERVATION") {
      const nowMs = Date.now();
      const sample = sampleOf(signal, sender, chars);
      this.#introspection.take(sample, nowMs);
      this.#options.history.take(sample, nowMs);
    } else if (this.#options.projection.isReplaying(signal.seq) && signal.source === GAP_SOURCE) {
      // Only in a rebuild: live, the tracker is ahead of its own signals, and an old one would open a resolved gap.
      this.#learn(gapOf(signal));
    }
  }

  /** An observation is stored even where it could not be understood: reading all of them again takes it in, once. */
  reprocessPart(signal: Signal, _part: string | null, _decisions: unknown, sender: string): void {
    if (signal.signal === "OBSERVATION") sampleOf(signal, sender); // throws where it still cannot be understood
    this.load();
  }

  store(lines: readonly string[], senders: readonly SenderRange[]): void {
    const observations = lines.filter((line) => lineName(line) === "OBSERVATION");
    const last = observations.at(-1);
    if (last === undefined) return;
    const nowMs = Date.now();
    this.#options.store.add(observations, lineSeq(last), nowMs, senders);
    this.#tidy(nowMs);
  }

  clear(): void {
    this.#options.store.clear();
  }

  load(): void {
    const { store, settings, history } = this.#options;
    const nowMs = Date.now();
    history.reload();
    this.#introspection = new Introspection(ALL_SCANNERS, {
      moved: (seq, change) => store.moved(seq, change),
      clock: () => Date.now(),
      windowBytes: this.#account.limitBytes,
      excess: (limit, party, count) => {
        if (limit.quota === MEMORY_QUOTA) this.#account.refused(count);
        this.#excess.note(limit, party, Date.now(), count);
      },
    });
    this.#excess.restore(settings.read("excess"));
    restoreSettings(this.#introspection, settings, nowMs);
    this.#introspection.gaps.restore(store.gaps());
    for (const { line, sender } of store.lines(nowMs)) {
      try {
        const sample = sampleOf(readSignalLine(line), sender, line.length);
        this.#introspection.take(sample, nowMs);
        history.take(sample, nowMs);
      } catch {
        // The observation became a dead letter when it came; here it is only passed over again.
      }
    }
  }

  settled(): void {
    this.#evaluations.changed();
  }

  /** Runs the scanners on the window; stores and emits the changes. */
  evaluate(nowMs: number): void {
    const { projection, store, history, wakeBy } = this.#options;
    const look = this.#introspection.look(nowMs);
    if (look !== undefined) this.#keep(look, nowMs);
    if (history.isDue(nowMs) || store.hasLeft(history.firstUnwritten)) projection.decide(() => this.#tidy(nowMs));
    const excess = this.#excess.toStore(nowMs);
    if (excess !== undefined) projection.decide(() => this.#options.settings.save("excess", excess));
    const nextMs = this.#introspection.nextLookMs(nowMs);
    if (nextMs !== undefined) wakeBy(nextMs);
  }

  #keep(look: Look, nowMs: number): void {
    const { raised, reminded, refreshed, toStore, resolved } = look.changes;
    const news = [raised, reminded, toStore, resolved, look.failures, look.recovered];
    if (news.some((list) => list.length > 0))
      this.#options.projection.decide((decisions) => this.#record(look, nowMs, decisions));
    this.#introspection.gaps.apply({ raised: [], reminded: [], refreshed, resolved: [] });
  }

  /** Writes and emits the changes in one transaction, and then applies them in memory. */
  #record({ changes, failures, recovered }: Look, nowMs: number, decisions: Emit): void {
    const { settings, store, counts } = this.#options;
    for (const change of changes.raised) {
      counts().add("ganglion_gaps_raised", [change.gap.category]);
      this.#learn({ ...change.gap, signal_id: this.#emitGap(change, nowMs, decisions) });
    }
    for (const change of changes.reminded) {
      this.#emitGap(change, nowMs, decisions);
      this.#learn(change.gap);
    }
    for (const gap of changes.toStore) this.#learn(gap);
    for (const gap of changes.resolved) {
      counts().add("ganglion_gaps_resolved", [gap.category]);
      this.#emitResolved(gap, nowMs, decisions);
      this.#learn(gap);
    }
    for (const { scanner, error, failures: times, retryAtMs } of failures) {
      settings.save(`health:${scanner}`, { failures: times, lastError: error, retryAtMs });
      // A scanner that fails is itself an observation.
      decisions.emit({
        signal: "OBSERVATION",
        source: GAP_SOURCE,
        facts: { zooid: scanner, ok: false, niche: "scanners", error, failures: times },
        timestampMs: nowMs,
      });
      // With the first failure of a quarantine, and not with those by which it goes on.
      if (times === QUARANTINE_AFTER) this.#askWhy(scanner, error.slice(0, MAX_ERROR), times, nowMs, decisions);
    }
    for (const scanner of recovered) settings.save(`health:${scanner}`, null);
    if (changes.resolved.length > 0) store.forgetGaps(formatTimestamp(nowMs - REMEMBER_GAPS_MS));
  }

  /** A scanner in quarantine sees nothing: somebody has to find out why. */
  #askWhy(scanner: string, error: string, failures: number, nowMs: number, decisions: Emit): void {
    decisions.emit({
      signal: "Q_CURIOSITY_INVESTIGATE",
      source: GAP_SOURCE,
      facts: {
        question: `Why does the scanner ${scanner} fail, and how can it be repaired? ${error}`,
        question_id: `scanner:${scanner}:${nowMs}`,
        priority: "high",
        evidence: [error],
        scanner,
        failures,
        error,
      },
      timestampMs: nowMs,
    });
  }

  /** A reminder follows from the signal that raised the gap, a new gap from the newest sample behind it. */
  #emitGap({ gap, finding: { cause } }: GapChange, nowMs: number, decisions: Emit): string {
    const reminder = gap.signal_id !== undefined;
    return decisions.emit({
      signal: "CAPABILITY_GAP",
      source: GAP_SOURCE,
      facts: gapFacts(gap),
      timestampMs: nowMs,
      cause: gap.signal_id ?? cause.id,
      trace: traceOf(gap.name + (reminder ? gap.reminded_at : gap.raised_at), cause),
      depth: cause.depth + (reminder ? 2 : 1),
    });
  }

  #emitResolved(gap: Gap, nowMs: number, decisions: Emit): void {
    const { name, signal_id, resolved_at } = gap;
    decisions.emit({
      signal: "CAPABILITY_GAP_RESOLVED",
      source: GAP_SOURCE,
      facts: gapFacts(gap),
      timestampMs: nowMs,
      ...(signal_id === undefined
        ? {}
        : { cause: signal_id, trace: traceOf(`${name}${resolved_at}`, { id: signal_id }) }),
    });
  }

  /** Writes finished minutes into the history, and drops observations that neither the window nor the history needs. */
  #tidy(nowMs: number): void {
    const { history, store } = this.#options;
    if (history.isDue(nowMs)) history.write(nowMs);
    const { window } = this.#introspection;
    // Twice the window: what is written again is then little beside what has come since the last time.
    const most = MAX_KEPT + 2 * window.size;
    if (store.size > MAX_KEPT && (store.size > most || store.hasLeft(Number.POSITIVE_INFINITY)))
      history.write(nowMs, true);
    store.drop(history.firstUnwritten);
    if (store.size <= most) return;
    const inside = new Set(window.all().map(({ seq }) => seq));
    store.compact(history.firstUnwritten, (seq) => inside.has(seq));
  }

  #learn(gap: Gap): void {
    this.#options.store.saveGap(gap);
    this.#introspection.gaps.learn(gap);
  }
}
