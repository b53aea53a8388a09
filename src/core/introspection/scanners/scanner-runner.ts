import { doubled } from "../../numbers/doubled.ts";
import type { Sample } from "../window/sample.ts";
import type { WindowListener } from "../window/window.ts";
import type { FindingWithCause, Scanner, ScannerKind, ScannerSettings } from "./scanner.ts";

/** How a scanner is set. */
export interface ScannerSetting {
  readonly enabled: boolean;
  readonly settings: ScannerSettings;
}

export interface ScannerHealth extends ScannerSetting {
  readonly kind: ScannerKind;
  readonly state: "healthy" | "failing" | "quarantined";
  readonly failures: number;
  readonly lastError: string | undefined;
  readonly evaluatedAtMs: number | undefined;
  /** When a quarantined scanner is tried again. */
  readonly retryAtMs: number | undefined;
}

/** A scanner that failed, and how often in a row. */
export interface ScannerFailure {
  readonly scanner: string;
  readonly error: string;
  readonly failures: number;
  /** When it is tried again; in the past: with the next evaluation. */
  readonly retryAtMs: number;
}

export interface StoredHealth {
  readonly failures: number;
  readonly lastError: string;
  readonly retryAtMs: number;
}

export interface Evaluation {
  readonly findings: readonly FindingWithCause[];
  readonly failures: readonly ScannerFailure[];
  /** Ids of scanners that had failed and did not this time. */
  readonly recovered: readonly string[];
}

export interface ScannerRunnerOptions {
  /** What a scanner may take for one evaluation. */
  readonly budget?: { readonly findings?: number; readonly ms?: number };
  /**
   * Milliseconds. Where the runtime stops its clock while code runs, as Cloudflare's does, nothing can be measured and only the
   * count holds a scanner back, and the runtime's own limit behind it.
   */
  readonly clock?: () => number;
}

/** Three failures in a row put a scanner aside for a minute, then two, four, … an hour at most. */
const QUARANTINE_AFTER = 3;
const QUARANTINE_MS = 60_000;
const QUARANTINE_LIMIT_MS = 3_600_000;
/** More gaps than this from one scanner help nobody. */
const MAX_FINDINGS = 1_000;
/** R17. */
const MAX_MS = 30_000;

interface Seat extends ScannerSetting {
  readonly kind: ScannerKind;
  enabled: boolean;
  settings: ScannerSettings;
  /** `undefined`: it failed, or is switched off; it is opened anew and shown the window before it is asked again. */
  scanner: Scanner | undefined;
  failures: number;
  lastError: string | undefined;
  retryAtMs: number;
  evaluatedAtMs: number | undefined;
  broken: string | undefined;
  findings: readonly FindingWithCause[];
}

/**
 * The scanners side by side. One that throws or overruns its budget takes nobody with it (R17): it is put away, opened
 * anew with the window's samples for the next evaluation, and its findings of the last good evaluation stand, so that
 * a bug in a scanner does not resolve its gaps.
 */
export class ScannerRunner implements WindowListener {
  readonly #seats: Seat[];
  readonly #maxFindings: number;
  readonly #maxMs: number;
  readonly #clock: () => number;

  constructor(kinds: readonly ScannerKind[], options: ScannerRunnerOptions = {}) {
    this.#maxFindings = options.budget?.findings ?? MAX_FINDINGS;
    this.#maxMs = options.budget?.ms ?? MAX_MS;
    this.#clock = options.clock ?? (() => 0);
    this.#seats = kinds.map((kind) => {
      const seat: Seat = {
        kind,
        enabled: true,
        settings: kind.settings.parse({}),
        scanner: undefined,
        failures: 0,
        lastError: undefined,
        retryAtMs: 0,
        evaluatedAtMs: undefined,
        broken: undefined,
        findings: [],
      };
      this.#open(seat, []);
      return seat;
    });
  }

  get health(): ScannerHealth[] {
    return this.#seats.map(({ kind, enabled, settings, failures, lastError, evaluatedAtMs, retryAtMs }) => ({
      kind,
      enabled,
      settings,
      state: failures >= QUARANTINE_AFTER ? "quarantined" : failures > 0 ? "failing" : "healthy",
      failures,
      lastError,
      evaluatedAtMs,
      retryAtMs: failures >= QUARANTINE_AFTER ? retryAtMs : undefined,
    }));
  }

  setting(id: string): (ScannerSetting & { readonly kind: ScannerKind }) | undefined {
    const seat = this.#seats.find(({ kind }) => kind.id === id);
    return seat && { kind: seat.kind, enabled: seat.enabled, settings: seat.settings };
  }

  /** Sets a scanner anew: it forgets its failures and is shown the window. @param samples - in the order of the log */
  set(id: string, { enabled, settings }: ScannerSetting, samples: readonly Sample[]): void {
    const seat = this.#seats.find(({ kind }) => kind.id === id);
    if (seat === undefined) throw new RangeError(`there is no scanner ${id}`);
    Object.assign(seat, { enabled, settings, failures: 0, lastError: undefined, retryAtMs: 0, broken: undefined });
    seat.findings = [];
    this.#open(seat, samples);
  }

  /** What was known of it before a restart: one that is quarantined stays so. */
  restoreHealth(id: string, { failures, lastError, retryAtMs }: StoredHealth): void {
    const seat = this.#seats.find(({ kind }) => kind.id === id);
    if (seat !== undefined)
      Object.assign(seat, { failures, lastError: failures === 0 ? undefined : lastError, retryAtMs });
  }

  observe(sample: Sample): void {
    for (const seat of this.#seats) guard(seat, (scanner) => scanner.observe(sample));
  }

  forget(sample: Sample): void {
    for (const seat of this.#seats) guard(seat, (scanner) => scanner.forget(sample));
  }

  /** @param samples - the window's, in the order of the log: for scanners that failed before */
  evaluate(nowMs: number, samples: () => readonly Sample[]): Evaluation {
    const failures: ScannerFailure[] = [];
    const recovered: string[] = [];
    for (const seat of this.#seats) {
      if (!seat.enabled || nowMs < seat.retryAtMs) continue;
      if (seat.scanner === undefined && seat.broken === undefined) this.#open(seat, samples());
      guard(seat, (scanner) => {
        seat.findings = this.#withinBudget(scanner);
      });
      seat.evaluatedAtMs = nowMs;
      if (seat.broken === undefined) {
        if (seat.failures > 0) recovered.push(seat.kind.id);
        seat.failures = 0;
        seat.lastError = undefined;
      } else failures.push(fail(seat, seat.broken, nowMs));
      seat.broken = undefined;
    }
    return { findings: this.#seats.flatMap(({ findings }) => findings), failures, recovered };
  }

  #withinBudget(scanner: Scanner): FindingWithCause[] {
    const startedMs = this.#clock();
    const findings: FindingWithCause[] = [];
    for (const finding of scanner.findings()) {
      if (findings.push(finding) > this.#maxFindings)
        throw new Error(`it found more than ${this.#maxFindings} gaps in one evaluation`);
      if (this.#clock() - startedMs > this.#maxMs) break;
    }
    if (this.#clock() - startedMs > this.#maxMs)
      throw new Error(`it took more than ${this.#maxMs / 1_000} s for one evaluation`);
    // By name: groups stand in the order of their first sample, which is another one after a restart.
    return findings.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  #open(seat: Seat, samples: readonly Sample[]): void {
    seat.scanner = undefined;
    if (!seat.enabled) return;
    try {
      const scanner = seat.kind.open(seat.settings);
      for (const sample of samples) scanner.observe(sample);
      seat.scanner = scanner;
    } catch (error) {
      seat.broken = messageOf(error);
    }
  }
}

/** A failure anywhere in a round counts once, when the round is evaluated; its sums cannot be trusted any more. */
function guard(seat: Seat, act: (scanner: Scanner) => void): void {
  if (seat.scanner === undefined) return;
  try {
    act(seat.scanner);
  } catch (error) {
    seat.broken ??= messageOf(error);
    seat.scanner = undefined;
  }
}

function fail(seat: Seat, error: string, nowMs: number): ScannerFailure {
  seat.failures++;
  seat.lastError = error;
  const rounds = seat.failures - QUARANTINE_AFTER;
  if (rounds >= 0) seat.retryAtMs = nowMs + doubled(QUARANTINE_MS, QUARANTINE_LIMIT_MS, rounds);
  return { scanner: seat.kind.id, error, failures: seat.failures, retryAtMs: seat.retryAtMs };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
