import {
  type BudgetFinding,
  type BudgetPage,
  SHOWN_COUNTERS,
  SHOWN_FINDINGS,
  type SpendingBudget,
} from "../../core/limits/budgets/api.ts";
import { BudgetMachine } from "../../core/limits/budgets/budget-machine.ts";
import { type Counter, OTHERS } from "../../core/limits/budgets/counter.ts";
import { type BudgetSettings, MAX_BUDGETS } from "../../core/limits/budgets/settings.ts";
import { budgetDayAt, budgetFinding, budgetView, type StoredBudget } from "../../core/limits/budgets/view.ts";
import type { ClosedLimits } from "../../core/limits/closed-limits.ts";
import { budgetSignal, ownerText } from "../../core/limits/signals.ts";
import type { Draft } from "../shell/outgoing-signal.ts";
import { BudgetStore } from "./budget-store.ts";

/** Agents in the table that queues are sent, at most. */
const MAX_SPENT = 1_000;

/** The budgets of an ecosystem: what people set, and what attention and the queues are told. */
export class BudgetDesk {
  readonly #store: BudgetStore;

  constructor(sql: SqlStorage) {
    this.#store = new BudgetStore(sql);
  }

  get count(): number {
    return this.#store.count;
  }

  /** Which names of reservations have budgets of their own. */
  get counts(): ("agent" | "task" | "chain")[] {
    const scopes = new Set(this.#store.all.map(({ settings }) => settings.scope));
    return (["agent", "task", "chain"] as const).filter((scope) => scopes.has(scope));
  }

  list(nowMs: number): BudgetPage {
    return { budgets: this.#store.all.map((stored) => this.#view(stored, nowMs)) };
  }

  show(name: string, nowMs: number, subject?: string): SpendingBudget | null {
    const stored = this.#store.read(name);
    return stored === undefined ? null : this.#view(stored, nowMs, subject);
  }

  /** @returns `full`: there are too many */
  put(name: string, settings: BudgetSettings, nowMs: number): Readonly<{ full: number }> | BudgetMachine {
    const before = this.#store.read(name);
    if (before === undefined && this.#store.count >= MAX_BUDGETS) return { full: MAX_BUDGETS };
    const createdMs = before?.createdMs ?? nowMs;
    this.#store.write({ name, settings, counters: 0, createdMs, changedMs: nowMs });
    const machine = this.machine(nowMs);
    if (before === undefined) return machine;
    // Agents are no tasks, and a day is no life: what was counted by the one says nothing about the other.
    const isOther = before.settings.scope !== settings.scope || before.settings.per !== settings.per;
    if (isOther) this.#store.forgetCounters(name);
    else
      for (const counter of this.#store.present(name, budgetDayAt(settings, nowMs))) machine.judge(settings, counter);
    return machine;
  }

  remove(name: string): boolean {
    if (this.#store.read(name) === undefined) return false;
    this.#store.delete(name);
    return true;
  }

  machine(nowMs: number): BudgetMachine {
    return new BudgetMachine(this.#store.all, this.#store.ledger(nowMs), nowMs);
  }

  /** Tells of budgets that have come to two thirds or their end. @returns whether queues have to know */
  tell({ told }: BudgetMachine, nowMs: number, emit: (draft: Draft) => string): boolean {
    let changes = false;
    for (const counter of told) {
      const settings = this.#store.read(counter.budget)?.settings;
      const [stored] = this.#store.used(counter.budget, counter.day, 1, counter.subject);
      if (settings === undefined || stored === undefined) continue;
      changes ||= parks(settings);
      if (counter.level === "open") continue;
      const signal = emit({ ...budgetSignal(settings, counter), timestampMs: nowMs });
      this.#store.writeCounter({ ...stored, signal });
    }
    return changes;
  }

  /** Whose tasks are parked, until their day ends. */
  spent(nowMs: number): ClosedLimits["spent"] {
    const byName = this.#byName();
    return this.#store.told(nowMs, MAX_SPENT).flatMap(({ budget, subject, level, untilMs }) => {
      const settings = byName.get(budget);
      if (level !== "spent" || untilMs === null || settings === undefined || !parks(settings)) return [];
      if (subject === OTHERS) return [];
      const reason = `the budget ${budget} of ${ownerText(settings.scope, subject)} is spent`;
      return [{ agent: settings.scope === "ecosystem" ? null : subject, until_ms: untilMs, reason }];
    });
  }

  attention(nowMs: number): { findings: BudgetFinding[]; more: boolean } {
    const byName = this.#byName();
    const told = this.#store.told(nowMs, SHOWN_FINDINGS + 1);
    const finding = (counter: Counter) => {
      const settings = byName.get(counter.budget);
      return settings === undefined ? [] : [budgetFinding(settings, counter)];
    };
    return { findings: told.slice(0, SHOWN_FINDINGS).flatMap(finding), more: told.length > SHOWN_FINDINGS };
  }

  #byName(): ReadonlyMap<string, BudgetSettings> {
    return new Map(this.#store.all.map(({ name, settings }) => [name, settings]));
  }

  #view(stored: StoredBudget, nowMs: number, subject?: string): SpendingBudget {
    const day = budgetDayAt(stored.settings, nowMs);
    return budgetView(stored, this.#store.used(stored.name, day, SHOWN_COUNTERS, subject));
  }
}

/** A queue knows of each task who does it, and the ecosystem; of a budget for life nobody knows when there is more. */
const parks = ({ scope, per, at_end }: BudgetSettings) =>
  (scope === "agent" || scope === "ecosystem") && per === "day" && at_end === "closed";
