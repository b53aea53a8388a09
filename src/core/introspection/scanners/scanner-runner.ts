import type { Party } from "../../collections/fair-queue.ts";
import { doubled } from "../../numbers/doubled.ts";
import type { Sample } from "../window/sample.ts";
import type { WindowListener } from "../window/window.ts";
import { FairFindings, type LeftOut } from "./fair-findings.ts";
import type { FindingWithCause, Scanner, ScannerKind, ScannerSettings } from "./scanner.ts";

/** Setting of one scanner. */
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

/** A failed evaluation of a scanner, with the number of failures in a row. */
export interface ScannerFailure {
  readonly scanner: string;
  readonly error: string;
  readonly failures: number;
  /** Time of the next attempt; in the past: the next evaluation. */
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
  /** Ids of scanners that failed before and succeeded this time. */
  readonly recovered: readonly string[];
}

export interface ScannerRunnerOptions {
  /** Limits of one evaluation of a scanner. */
  readonly budget?: { readonly findings?: number; readonly ms?: number };
  /**
   * Milliseconds. Where the runtime stops its clock while code runs, as Cloudflare does, no time can be measured: there only
   * the number of findings is limited here, and the runtime limits the CPU time.
   */
  readonly clock?: () => number;
  /** Called where findings do not count because their senders have too many of them. */
  readonly crowdedOut?: (party: Party, findings: number, limit: number) => void;
}

/** Three failures in a row quarantine a scanner for a minute, then two, four, … an hour at most. */
export const QUARANTINE_AFTER = 3;
const QUARANTINE_MS = 60_000;
const QUARANTINE_LIMIT_MS = 3_600_000;
/** Findings of one scanner that count: see fair-findings.ts. */
const MAX_FINDINGS = 1_000;
/** Time of one evaluation at most. */
const MAX_MS = 30_000;

interface ScannerSlot extends ScannerSetting {
  readonly kind: ScannerKind;
  enabled: boolean;
  settings: ScannerSettings;
  /** `undefined` after a failure, or while switched off. A new instance gets the whole window before the next evaluation. */
  scanner: Scanner | undefined;
  failures: number;
  lastError: string | undefined;
  retryAtMs: number;
  evaluatedAtMs: number | undefined;
  broken: string | undefined;
  findings: readonly FindingWithCause[];
  /** Of the last evaluation. */
  leftOut: LeftOut;
}

/**
 * Runs the scanners, isolated from each other. A scanner that throws or exceeds its limits is dropped; a new instance
 * gets the samples of the window before the next evaluation. Until then the findings of its last successful evaluation
 * stay valid, so that a bug in a scanner does not resolve its gaps.
 */
export class ScannerRunner implements WindowListener {
  readonly #slots: ScannerSlot[];
  readonly #maxFindings: number;
  readonly #maxMs: number;
  readonly #clock: () => number;
  readonly #crowdedOut: (party: Party, findings: number, limit: number) => void;

  constructor(kinds: readonly ScannerKind[], options: ScannerRunnerOptions = {}) {
    this.#maxFindings = options.budget?.findings ?? MAX_FINDINGS;
    this.#maxMs = options.budget?.ms ?? MAX_MS;
    this.#clock = options.clock ?? (() => 0);
    this.#crowdedOut = options.crowdedOut ?? (() => {});
    this.#slots = kinds.map((kind) => {
      const slot: ScannerSlot = {
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
        leftOut: new Map(),
      };
      this.#open(slot, []);
      return slot;
    });
  }

  get health(): ScannerHealth[] {
    return this.#slots.map(({ kind, enabled, settings, failures, lastError, evaluatedAtMs, retryAtMs }) => ({
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
    const slot = this.#slots.find(({ kind }) => kind.id === id);
    return slot && { kind: slot.kind, enabled: slot.enabled, settings: slot.settings };
  }

  /** Replaces a scanner and clears its failures. @param samples - of the window, in the order of the log, for the new one */
  set(id: string, { enabled, settings }: ScannerSetting, samples: readonly Sample[]): void {
    const slot = this.#slots.find(({ kind }) => kind.id === id);
    if (slot === undefined) throw new RangeError(`no scanner "${id}"`);
    Object.assign(slot, { enabled, settings, failures: 0, lastError: undefined, retryAtMs: 0, broken: undefined });
    slot.findings = [];
    this.#open(slot, samples);
  }

  /** Restores the health from before a restart: a quarantined scanner stays quarantined. */
  restoreHealth(id: string, { failures, lastError, retryAtMs }: StoredHealth): void {
    const slot = this.#slots.find(({ kind }) => kind.id === id);
    if (slot !== undefined)
      Object.assign(slot, { failures, lastError: failures === 0 ? undefined : lastError, retryAtMs });
  }

  observe(sample: Sample): void {
    for (const slot of this.#slots) runGuarded(slot, (scanner) => scanner.observe(sample));
  }

  forget(sample: Sample): void {
    for (const slot of this.#slots) runGuarded(slot, (scanner) => scanner.forget(sample));
  }

  /** @param samples - of the window, in the order of the log, for scanners that failed before */
  evaluate(nowMs: number, samples: () => readonly Sample[]): Evaluation {
    const failures: ScannerFailure[] = [];
    const recovered: string[] = [];
    for (const slot of this.#slots) {
      if (!slot.enabled || nowMs < slot.retryAtMs) continue;
      if (slot.scanner === undefined && slot.broken === undefined) this.#open(slot, samples());
      runGuarded(slot, (scanner) => {
        slot.findings = this.#withinBudget(slot, scanner);
      });
      slot.evaluatedAtMs = nowMs;
      if (slot.broken === undefined) {
        if (slot.failures > 0) recovered.push(slot.kind.id);
        slot.failures = 0;
        slot.lastError = undefined;
      } else failures.push(fail(slot, slot.broken, nowMs));
      slot.broken = undefined;
    }
    return { findings: this.#slots.flatMap(({ findings }) => findings), failures, recovered };
  }

  #withinBudget(slot: ScannerSlot, scanner: Scanner): FindingWithCause[] {
    const startedMs = this.#clock();
    const findings = new FairFindings(this.#maxFindings);
    for (const finding of scanner.findings()) {
      findings.add(finding);
      if (this.#clock() - startedMs > this.#maxMs) break;
    }
    if (this.#clock() - startedMs > this.#maxMs)
      throw new Error(`an evaluation took more than ${this.#maxMs / 1_000} s`);
    for (const [key, { party, findings: count }] of findings.leftOut) {
      const more = count - (slot.leftOut.get(key)?.findings ?? 0);
      if (more > 0) this.#crowdedOut(party, more, this.#maxFindings);
    }
    slot.leftOut = findings.leftOut;
    return findings.kept;
  }

  #open(slot: ScannerSlot, samples: readonly Sample[]): void {
    slot.scanner = undefined;
    if (!slot.enabled) return;
    try {
      const scanner = slot.kind.open(slot.settings);
      for (const sample of samples) scanner.observe(sample);
      slot.scanner = scanner;
    } catch (error) {
      slot.broken = messageOf(error);
    }
  }
}

/** Counts a failure once per evaluation. The scanner is dropped, because its running sums may be wrong. */
function runGuarded(slot: ScannerSlot, act: (scanner: Scanner) => void): void {
  if (slot.scanner === undefined) return;
  try {
    act(slot.scanner);
  } catch (error) {
    slot.broken ??= messageOf(error);
    slot.scanner = undefined;
  }
}

function fail(slot: ScannerSlot, error: string, nowMs: number): ScannerFailure {
  slot.failures++;
  slot.lastError = error;
  const rounds = slot.failures - QUARANTINE_AFTER;
  if (rounds >= 0) slot.retryAtMs = nowMs + doubled(QUARANTINE_MS, QUARANTINE_LIMIT_MS, rounds);
  return { scanner: slot.kind.id, error, failures: slot.failures, retryAtMs: slot.retryAtMs };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
