import type { Sample } from "../observations/sample.ts";
import type { WindowListener } from "../observations/window.ts";
import type { FindingWithCause, Scanner } from "./scanner.ts";

export interface ScannerHealth {
  readonly scanner: Scanner;
  readonly state: "healthy" | "failing" | "quarantined";
  readonly failures: number;
  readonly lastError: string | undefined;
  readonly evaluatedAtMs: number | undefined;
}

/** A scanner that failed, and how often in a row. */
export interface ScannerFailure {
  readonly scanner: string;
  readonly error: string;
  readonly failures: number;
}

/** Three failures in a row put a scanner aside for a minute, then two, four, … an hour at most. */
const QUARANTINE_AFTER = 3;
const QUARANTINE_MS = 60_000;
const QUARANTINE_LIMIT_MS = 3_600_000;

interface Seat {
  readonly scanner: Scanner;
  failures: number;
  lastError: string | undefined;
  quarantinedUntilMs: number;
  evaluatedAtMs: number | undefined;
  broken: string | undefined;
}

/**
 * The scanners side by side. One that throws takes nobody with it: its failure is reported and its findings of the
 * last good evaluation stand, so that a bug in a scanner does not resolve its gaps (R17).
 */
export class ScannerPanel implements WindowListener {
  readonly #seats: Seat[];
  readonly #lastFindings = new Map<string, readonly FindingWithCause[]>();

  constructor(scanners: readonly Scanner[]) {
    this.#seats = scanners.map((scanner) => ({
      scanner,
      failures: 0,
      lastError: undefined,
      quarantinedUntilMs: 0,
      evaluatedAtMs: undefined,
      broken: undefined,
    }));
  }

  get health(): ScannerHealth[] {
    return this.#seats.map(({ scanner, failures, lastError, evaluatedAtMs }) => ({
      scanner,
      state: failures >= QUARANTINE_AFTER ? "quarantined" : failures > 0 ? "failing" : "healthy",
      failures,
      lastError,
      evaluatedAtMs,
    }));
  }

  observe(sample: Sample): void {
    for (const seat of this.#seats) guard(seat, () => seat.scanner.observe(sample));
  }

  forget(sample: Sample): void {
    for (const seat of this.#seats) guard(seat, () => seat.scanner.forget(sample));
  }

  evaluate(nowMs: number): { findings: FindingWithCause[]; failures: ScannerFailure[] } {
    const findings: FindingWithCause[] = [];
    const failures: ScannerFailure[] = [];
    for (const seat of this.#seats) {
      const { scanner } = seat;
      if (nowMs >= seat.quarantinedUntilMs) {
        guard(seat, () => this.#lastFindings.set(scanner.id, scanner.findings()));
        seat.evaluatedAtMs = nowMs;
        if (seat.broken === undefined) seat.failures = 0;
        else failures.push(this.#fail(seat, seat.broken, nowMs));
        seat.broken = undefined;
      }
      findings.push(...(this.#lastFindings.get(scanner.id) ?? []));
    }
    return { findings, failures };
  }

  #fail(seat: Seat, error: string, nowMs: number): ScannerFailure {
    seat.failures++;
    seat.lastError = error;
    const rounds = seat.failures - QUARANTINE_AFTER;
    if (rounds >= 0)
      seat.quarantinedUntilMs = nowMs + Math.min(QUARANTINE_LIMIT_MS, QUARANTINE_MS * 2 ** Math.min(rounds, 10));
    return { scanner: seat.scanner.id, error, failures: seat.failures };
  }
}

/** A failure anywhere in a round counts once, when the round is evaluated. */
function guard(seat: Seat, act: () => void): void {
  try {
    act();
  } catch (error) {
    seat.broken ??= error instanceof Error ? error.message : String(error);
  }
}
