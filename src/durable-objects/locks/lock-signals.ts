import type { FoundLockCycle } from "../../core/locks/api.ts";
import { FoundCycles } from "../../core/locks/found-cycles.ts";
import { LATE_MS } from "../../core/locks/limits.ts";
import { cycleSignal, freedSignal, lateSignal, SignalAllowance } from "../../core/locks/lock-signal.ts";
import type { CycleStep, LockEvents } from "../../core/locks/outcomes.ts";
import type { OwnSignals } from "../shell/own-signals.ts";

/** What is told of locks by signals, a bounded number of them; and the cycles of waits that were found lately. */
export class LockSignals {
  readonly #signals: Pick<OwnSignals, "emit">;
  readonly #allowance = new SignalAllowance();
  readonly #cycles = new FoundCycles();

  constructor(signals: Pick<OwnSignals, "emit">) {
    this.#signals = signals;
  }

  /** In the transaction of the change. */
  emit({ granted, freed }: LockEvents, nowMs: number): void {
    for (const one of freed) this.#tell(freedSignal(one), nowMs);
    for (const one of granted) if (nowMs - one.waiter.sinceMs >= LATE_MS) this.#tell(lateSignal(one, nowMs), nowMs);
  }

  /** In the transaction of the change. */
  found(cycle: readonly CycleStep[], nowMs: number): void {
    const id = this.#cycles.isNew(cycle, nowMs) ? this.#tell(cycleSignal(cycle), nowMs) : undefined;
    this.#cycles.add(cycle, id, nowMs);
  }

  cycles(nowMs: number): FoundLockCycle[] {
    return this.#cycles.views(nowMs);
  }

  #tell(
    signal: ReturnType<typeof freedSignal | typeof lateSignal | typeof cycleSignal>,
    nowMs: number,
  ): string | undefined {
    const leftOut = this.#allowance.take(nowMs);
    if (leftOut === undefined) return undefined;
    const facts = { ...signal.facts, ...(leftOut === 0 ? {} : { left_out: leftOut }) };
    return this.#signals.emit({ ...signal, facts, timestampMs: nowMs });
  }
}
