import type * as api from "../../core/limits/api.ts";
import type { BudgetMachine } from "../../core/limits/budgets/budget-machine.ts";
import type { BudgetSettings } from "../../core/limits/budgets/settings.ts";
import type { ClosedLimits } from "../../core/limits/closed-limits.ts";
import { LimitMachine } from "../../core/limits/machine.ts";
import { limitView } from "../../core/limits/view.ts";
import type { OwnSignals } from "../shell/own-signals.ts";
import type { BudgetDesk } from "./budget-desk.ts";
import { dueMs, noteClosing } from "./closing-notes.ts";
import type { LimitStore, StoredLimit } from "./limit-store.ts";

interface LimitChangesOptions {
  readonly store: LimitStore;
  readonly budgets: BudgetDesk;
  readonly signals: OwnSignals;
  readonly transaction: <Result>(change: () => Result, reload: () => void) => Result;
  /** To be called after each change. */
  readonly changed: () => void;
}

/**
 * Changes limits and budgets, each change in one transaction: what was granted, what was counted, the signals that tell of
 * it, and that queues have to know.
 */
export class LimitChanges {
  readonly #options: LimitChangesOptions;

  constructor(options: LimitChangesOptions) {
    this.#options = options;
  }

  get closedTable(): ClosedLimits {
    const { store, budgets, signals } = this.#options;
    return store.closedTable(signals.numbers.epoch, budgets.spent(Date.now()));
  }

  /** As it is now. What time alone has changed is not stored: the next change does that. */
  view({ name, settings, state }: StoredLimit): api.Limit {
    const ledger = { ...this.#options.store.ledger(name), write: () => undefined };
    const machine = new LimitMachine(name, settings, state, ledger);
    machine.advance(Date.now());
    return limitView(name, settings, state, machine.closed, this.#options.store.shares(name, state.ownMs));
  }

  /** Changes a limit that is there. @returns `undefined`: it is not there */
  change<Answer>(name: string, work: (machine: LimitMachine, nowMs: number) => Answer): Answer | undefined {
    const stored = this.#options.store.read(name);
    return stored === undefined ? undefined : this.transact(stored, work);
  }

  transact<Answer>(stored: StoredLimit, work: (machine: LimitMachine, nowMs: number) => Answer): Answer {
    const { store, budgets, signals } = this.#options;
    const { name, settings, state } = stored;
    return this.#run((nowMs) => {
      const spending = budgets.machine(nowMs);
      const machine = new LimitMachine(name, settings, state, store.ledger(name), spending);
      machine.advance(nowMs);
      const answer = work(machine, nowMs);
      if (noteClosing(stored, machine.closed, nowMs, (draft) => signals.emit(draft))) this.#another();
      this.#tell(spending, nowMs);
      store.write(stored, dueMs(stored, store, nowMs));
      return answer;
    });
  }

  /** Makes a budget, or changes it. @returns `full`: there are too many */
  putBudget(name: string, settings: BudgetSettings): Readonly<{ full: number }> | undefined {
    return this.#run((nowMs) => {
      const answer = this.#options.budgets.put(name, settings, nowMs);
      if ("full" in answer) return answer;
      this.#tell(answer, nowMs);
      // What was counted by other settings may have parked tasks.
      this.#another();
      return undefined;
    });
  }

  /** @returns whether there was one */
  removeBudget(name: string): boolean {
    return this.#run(() => {
      const removed = this.#options.budgets.remove(name);
      if (removed) this.#another();
      return removed;
    });
  }

  remove({ name, closed }: StoredLimit): void {
    this.#run(() => {
      if (closed !== null) this.#another();
      this.#options.store.delete(name);
    });
  }

  #tell(machine: BudgetMachine, nowMs: number): void {
    const { budgets, signals } = this.#options;
    if (machine.told.length > 0 && budgets.tell(machine, nowMs, (draft) => signals.emit(draft))) this.#another();
  }

  /** The table of what is closed is another one; it names the epoch. */
  #another(): void {
    this.#options.store.countVersion();
    this.#options.signals.numbers.writeEpoch();
  }

  #run<Answer>(work: (nowMs: number) => Answer): Answer {
    const { signals, transaction, changed } = this.#options;
    const nowMs = Date.now();
    const answer = transaction(
      () => {
        const given = work(nowMs);
        signals.write();
        return given;
      },
      () => signals.reload(),
    );
    changed();
    return answer;
  }
}
