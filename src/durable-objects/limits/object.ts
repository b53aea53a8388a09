import type { Use } from "../../core/limits/amounts.ts";
import type * as api from "../../core/limits/api.ts";
import type { BudgetFinding, BudgetPage, SpendingBudget } from "../../core/limits/budgets/api.ts";
import type { BudgetSettings } from "../../core/limits/budgets/settings.ts";
import type { ClosedLimits } from "../../core/limits/closed-limits.ts";
import { askOf, isRefusal, lengthMs, subjectOf, usedOf } from "../../core/limits/request.ts";
import { type LimitSettings, MAX_LIMITS } from "../../core/limits/settings.ts";
import { newState } from "../../core/limits/state.ts";
import { limitFinding, refusedAnswer } from "../../core/limits/view.ts";
import { limitSamples } from "../../core/metrics/samples.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import { DirectoryMark, unlisted } from "../shell/directory-mark.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { RETRY_MS } from "../shell/outbox-relay.ts";
import { OwnSignals } from "../shell/own-signals.ts";
import type { Schema } from "../shell/schema.ts";
import { BudgetDesk } from "./budget-desk.ts";
import { ClosedPushes } from "./closed-pushes.ts";
import { limitsErasure } from "./erasure.ts";
import { LimitChanges } from "./limit-changes.ts";
import { LimitStore } from "./limit-store.ts";
import type { LimitsBindings } from "./ports.ts";
import { WaitingReservations } from "./waiting-reservations.ts";

/** The alarm is at most so far ahead, so that a clock that was set back keeps nothing closed. */
const AHEAD_MS = 3_600_000;

/** The reservation is of another limit. */
export interface OtherLimit {
  readonly limit: string;
}

/**
 * The limits of an ecosystem: what may be asked of each provider, by whom it is held, and what is closed until when; and the
 * budgets of its agents, tasks and chains, which count the same reservations.
 *
 * Each call is one transaction: what is granted, and that it is. Queues with tasks that name limits are sent what is closed;
 * who has not got the last table is stored with it, so a crash before the sending repeats it.
 */
export class Limits extends EcosystemObject<LimitsBindings> {
  static override readonly schema: Schema = {
    of: "Limits",
    steps: [],
    copy: {
      // The directory of another deployment does not know yet that the ecosystem has limits.
      without: unlisted,
    },
    erasure: limitsErasure,
  };
  readonly #store: LimitStore;
  readonly #signals: OwnSignals;
  readonly #budgets: BudgetDesk;
  readonly #changes: LimitChanges;
  readonly #pushes: ClosedPushes;
  readonly #mark: DirectoryMark<"limiting">;
  readonly #waiting = new WaitingReservations((name, request) => this.#tryReserve(name, request));
  /** An alarm is at work, and sets the next one at its end; the runtime repeats one whose object was lost. */
  #acting = false;

  constructor(ctx: DurableObjectState, env: LimitsBindings) {
    super(ctx, env);
    const { ecosystem, sql, alarms } = this;
    this.#store = new LimitStore(sql);
    const wakeBy = (atMs: number) => alarms.wakeBy(atMs);
    const common = { ctx, env, ecosystem, sql, name: "limits", notes: this.#store.notes, wakeBy };
    this.#signals = new OwnSignals(common);
    this.#mark = new DirectoryMark({ ...common, mark: "limiting" });
    this.#budgets = new BudgetDesk(sql);
    this.#changes = new LimitChanges({
      store: this.#store,
      budgets: this.#budgets,
      signals: this.#signals,
      transaction: this.transaction,
      changed: () => this.#wake(),
    });
    const table = () => this.#changes.closedTable;
    this.#pushes = new ClosedPushes({ env, ecosystem, store: this.#store, table });
    this.reports.of(() => ({ samples: limitSamples(this.#store.phases), folded: 0 }));
  }

  list(): api.LimitPage {
    return { limits: this.#store.all.map((stored) => this.#changes.view(stored)) };
  }

  show(name: string): api.Limit | null {
    return this.#shown(name);
  }

  /** Makes the limit, or changes it: what is held and used stays. @returns `full`: there are too many */
  async put(name: string, settings: LimitSettings): Promise<api.Limit | { readonly full: number }> {
    const before = this.#store.read(name);
    if (before === undefined && this.#store.count >= MAX_LIMITS) return { full: MAX_LIMITS };
    const nowMs = Date.now();
    const state = before?.state ?? newState(nowMs);
    state.changedMs = nowMs;
    const stored = { name, settings, state, closed: before?.closed ?? null };
    this.#changes.transact(stored, () => undefined);
    await this.#serve();
    return this.#changes.view(stored);
  }

  /** @returns whether there was one. What was reserved of it is forgotten */
  async remove(name: string): Promise<boolean> {
    const stored = this.#store.read(name);
    if (stored === undefined) return false;
    this.#changes.remove(stored);
    await this.#serve();
    return true;
  }

  budgets(): BudgetPage {
    return this.#budgets.list(Date.now());
  }

  /** @param subject - the agent, task or chain of which it is asked; absent: the furthest used ones */
  budget(name: string, subject?: string): SpendingBudget | null {
    return this.#budgets.show(name, Date.now(), subject);
  }

  /** Makes the budget, or changes it: what was used stays, unless it is counted by other subjects or times from now on. */
  async putBudget(name: string, settings: BudgetSettings): Promise<SpendingBudget | { readonly full: number }> {
    const full = this.#changes.putBudget(name, settings);
    await this.#serve();
    return full ?? (this.#budgets.show(name, Date.now()) as SpendingBudget);
  }

  /** @returns whether there was one */
  async removeBudget(name: string): Promise<boolean> {
    const removed = this.#changes.removeBudget(name);
    await this.#serve();
    return removed;
  }

  /** @returns `null`: there is no such limit */
  async reserve(name: string, request: api.ReserveRequest): Promise<api.ReserveAnswer | null> {
    return await this.#waiting.ask(name, request);
  }

  /** @returns `null`: there is no such limit */
  settle(name: string, request: api.SettleRequest): api.SettleAnswer | OtherLimit | null {
    const { reservation, outcome } = request;
    const limit = this.#store.limitOf(reservation);
    if (limit !== undefined && limit !== name) return { limit };
    const answer = this.#changes.change(name, (machine, nowMs) => {
      const used = (reserved: Use, model?: string) => usedOf(request, reserved, model);
      const state = machine.settle(reservation, used, !isRefusal(request), subjectOf(request));
      if (state !== "repeated" && outcome !== undefined && isRefusal(request))
        machine.close(outcome.reason ?? `the provider answered ${outcome.status}`, lengthMs(outcome, nowMs));
      const { closed } = machine;
      return { reservation, state, ...(closed && { closed_until: formatTimestamp(closed.untilMs) }) };
    });
    this.#waiting.serve();
    return answer ?? null;
  }

  /** Closes the limit for all. @returns `null`: there is no such limit */
  close(name: string, request: api.CloseRequest): api.Limit | null {
    this.#changes.change(name, (machine, nowMs) => machine.close(request.reason, lengthMs(request, nowMs)));
    return this.#shown(name);
  }

  /** Opens the limit at once, and wholly. @returns `null`: there is no such limit */
  open(name: string): api.Limit | null {
    this.#changes.change(name, (machine) => machine.open());
    this.#waiting.serve();
    return this.#shown(name);
  }

  /** A queue has tasks that name limits: it is sent from now on what is closed. */
  watch(queue: string): ClosedLimits {
    this.transaction(
      () => {
        this.#store.watch(queue);
        // The table names the epoch, and the next one must name the same.
        this.#signals.numbers.writeEpoch();
      },
      () => this.#signals.numbers.reload(),
    );
    return this.#changes.closedTable;
  }

  /** Queues with tasks that name limits, by name. */
  watchers(): string[] {
    return this.#store.watchers();
  }

  /** The limits that are closed, and the budgets that are used to two thirds or wholly. */
  attention(): { limits: api.LimitFinding[]; budgets: BudgetFinding[]; more: boolean } {
    const { findings, more } = this.#budgets.attention(Date.now());
    const limits = this.#store.all.flatMap(({ name, closed }) => (closed === null ? [] : [limitFinding(name, closed)]));
    return { limits, budgets: findings, more };
  }

  override async alarm(): Promise<void> {
    this.#acting = true;
    try {
      for (const stored of this.#store.due(Date.now())) this.#changes.transact(stored, () => undefined);
      await this.#serve();
      const [sent] = await Promise.all([this.#pushes.run(), this.#signals.run()]);
      if (!sent) this.alarms.wakeBy(Date.now() + RETRY_MS);
    } finally {
      this.#acting = false;
      this.#wake();
    }
  }

  /** Something may have come back, and there may be more or fewer of them. */
  async #serve(): Promise<void> {
    this.#waiting.serve();
    await this.#mark.update(this.#store.count > 0 || this.#budgets.count > 0);
  }

  /** A call of a public method would be counted as one from outside. */
  #shown(name: string): api.Limit | null {
    const stored = this.#store.read(name);
    return stored === undefined ? null : this.#changes.view(stored);
  }

  #tryReserve(name: string, request: api.ReserveRequest): api.ReserveAnswer | null {
    const id = `r-${crypto.randomUUID()}`;
    const answer = this.#changes.change(name, (machine): api.ReserveAnswer => {
      const refused = machine.reserve(id, askOf(request), subjectOf(request), request.share);
      const answer =
        refused === undefined
          ? { granted: true, reservation: id, expires_at: formatTimestamp(machine.expiresMs(request.share)) }
          : refusedAnswer(refused);
      const counts = request.share === undefined ? {} : { counts: this.#budgets.counts };
      return { ...answer, ...counts, when_away: machine.whenAway };
    });
    return answer ?? null;
  }

  /** In the turn of the change, hence in the same write to the disk: a crash cannot lose the alarm of a change. */
  #wake(): void {
    if (this.#acting) return;
    const nowMs = Date.now();
    const due = this.#store.nextDueMs;
    if (due !== undefined) this.alarms.wakeBy(Math.min(Math.max(due, nowMs), nowMs + AHEAD_MS));
    if (this.#store.behind().length > 0) {
      this.alarms.wakeBy(nowMs + RETRY_MS);
      this.ctx.waitUntil(this.#pushes.run());
    }
    this.#signals.handOver();
  }
}
