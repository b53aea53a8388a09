import type * as api from "../../core/limits/api.ts";
import type { ClosedLimits } from "../../core/limits/closed-limits.ts";
import { LimitMachine } from "../../core/limits/machine.ts";
import { askOf, isRefusal, lengthMs, subjectOf, usedOf } from "../../core/limits/request.ts";
import { type LimitSettings, MAX_LIMITS } from "../../core/limits/settings.ts";
import { newState } from "../../core/limits/state.ts";
import { limitView, refusedAnswer } from "../../core/limits/view.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { NotedNumbers } from "../shell/noted-numbers.ts";
import { Outbox } from "../shell/outbox.ts";
import { OutboxRelay, RETRY_MS } from "../shell/outbox-relay.ts";
import type { Schema } from "../shell/schema.ts";
import { ClosedPushes } from "./closed-pushes.ts";
import { dueMs, noteClosing } from "./closing-notes.ts";
import { limitsErasure } from "./erasure.ts";
import { LimitStore, type StoredLimit } from "./limit-store.ts";
import { LimitingMark } from "./limiting-mark.ts";
import type { LimitsBindings } from "./ports.ts";
import { WaitingReservations } from "./waiting-reservations.ts";

/** The alarm is at most so far ahead, so that a clock that was set back keeps nothing closed. */
const AHEAD_MS = 3_600_000;

/** The reservation is of another limit. */
export interface OtherLimit {
  readonly limit: string;
}

/**
 * The limits of an ecosystem: what may be asked of each provider, by whom it is held, and what is closed until when.
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
      without: (table, row) => (table === "notes" && row.name === "listed" ? { ...row, value: "0" } : undefined),
    },
    erasure: limitsErasure,
  };
  readonly #store: LimitStore;
  readonly #numbers: NotedNumbers;
  readonly #outbox: Outbox;
  readonly #relay: OutboxRelay;
  readonly #pushes: ClosedPushes;
  readonly #mark: LimitingMark;
  readonly #waiting = new WaitingReservations((name, request) => this.#tryReserve(name, request));
  /** An alarm is at work, and sets the next one at its end; the runtime repeats one whose object was lost. */
  #acting = false;

  constructor(ctx: DurableObjectState, env: LimitsBindings) {
    super(ctx, env);
    const { ecosystem, sql, alarms } = this;
    this.#store = new LimitStore(sql);
    this.#numbers = new NotedNumbers(this.#store.notes, (epoch) => `ganglion.limits.${epoch}`);
    this.#outbox = new Outbox(sql, this.#numbers);
    const table = () => this.#store.closedTable(this.#numbers.epoch);
    this.#pushes = new ClosedPushes({ env, ecosystem, store: this.#store, table });
    const wakeBy = (atMs: number) => alarms.wakeBy(atMs);
    this.#mark = new LimitingMark({ env, ecosystem, notes: this.#store.notes, wakeBy });
    this.#relay = new OutboxRelay({ env, outbox: this.#outbox, ecosystem, name: "limits", wakeBy });
  }

  list(): api.LimitPage {
    return { limits: this.#store.all.map((stored) => this.#view(stored)) };
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
    this.#transact(stored, () => undefined);
    this.#waiting.serve();
    await this.#mark.update(this.#store.count > 0);
    return this.#view(stored);
  }

  /** @returns whether there was one. What was reserved of it is forgotten */
  async remove(name: string): Promise<boolean> {
    const stored = this.#store.read(name);
    if (stored === undefined) return false;
    this.transaction(
      () => {
        if (stored.closed !== null) this.#store.countVersion();
        this.#store.delete(name);
      },
      () => undefined,
    );
    this.#waiting.serve();
    this.#wake();
    await this.#mark.update(this.#store.count > 0);
    return true;
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
    const answer = this.#change(name, (machine, nowMs) => {
      const state = machine.settle(
        reservation,
        (reserved, model) => usedOf(request, reserved, model),
        !isRefusal(request),
      );
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
    this.#change(name, (machine, nowMs) => machine.close(request.reason, lengthMs(request, nowMs)));
    return this.#shown(name);
  }

  /** Opens the limit at once, and wholly. @returns `null`: there is no such limit */
  open(name: string): api.Limit | null {
    this.#change(name, (machine) => machine.open());
    this.#waiting.serve();
    return this.#shown(name);
  }

  /** A queue has tasks that name limits: it is sent from now on what is closed. */
  watch(queue: string): ClosedLimits {
    this.transaction(
      () => {
        this.#store.watch(queue);
        // The table names the epoch, and the next one must name the same.
        this.#numbers.writeEpoch();
      },
      () => this.#numbers.reload(),
    );
    return this.#store.closedTable(this.#numbers.epoch);
  }

  /** The limits that are closed. */
  attention(): api.LimitFinding[] {
    return this.#store.all.flatMap(({ name, closed }) =>
      closed === null
        ? []
        : [
            {
              limit: name,
              until: formatTimestamp(closed.untilMs),
              since: formatTimestamp(closed.sinceMs),
              reason: closed.reason,
              signal: closed.signal,
            },
          ],
    );
  }

  override async alarm(): Promise<void> {
    this.#acting = true;
    try {
      for (const stored of this.#store.due(Date.now())) this.#transact(stored, () => undefined);
      this.#waiting.serve();
      await this.#mark.update(this.#store.count > 0);
      this.#outbox.takeFilled();
      const [sent] = await Promise.all([this.#pushes.run(), this.#relay.run()]);
      if (!sent) this.alarms.wakeBy(Date.now() + RETRY_MS);
    } finally {
      this.#acting = false;
      this.#wake();
    }
  }

  #tryReserve(name: string, request: api.ReserveRequest): api.ReserveAnswer | null {
    const id = `r-${crypto.randomUUID()}`;
    const answer = this.#change(name, (machine): api.ReserveAnswer => {
      const refused = machine.reserve(id, askOf(request), subjectOf(request));
      const answer =
        refused === undefined
          ? { granted: true, reservation: id, expires_at: formatTimestamp(machine.expiresMs) }
          : refusedAnswer(refused);
      return { ...answer, when_away: machine.whenAway };
    });
    return answer ?? null;
  }

  #shown(name: string): api.Limit | null {
    const stored = this.#store.read(name);
    return stored === undefined ? null : this.#view(stored);
  }

  /** As it is now. What time alone has changed is not stored: the next change does that. */
  #view({ name, settings, state }: StoredLimit): api.Limit {
    const ledger = { ...this.#store.ledger(name), write: () => undefined };
    const machine = new LimitMachine(name, settings, state, ledger);
    machine.advance(Date.now());
    return limitView(name, settings, state, machine.closed);
  }

  /** Changes a limit that is there. @returns `undefined`: it is not there */
  #change<Answer>(name: string, work: (machine: LimitMachine, nowMs: number) => Answer): Answer | undefined {
    const stored = this.#store.read(name);
    return stored === undefined ? undefined : this.#transact(stored, work);
  }

  #transact<Answer>(stored: StoredLimit, work: (machine: LimitMachine, nowMs: number) => Answer): Answer {
    const { name, settings, state } = stored;
    const nowMs = Date.now();
    const machine = new LimitMachine(name, settings, state, this.#store.ledger(name));
    const answer = this.transaction(
      () => {
        machine.advance(nowMs);
        const given = work(machine, nowMs);
        const { closed } = machine;
        const changed = noteClosing(stored, closed, nowMs, (draft) => this.#outbox.emit(draft));
        if (changed) {
          this.#store.countVersion();
          // The table of closed limits names the epoch.
          this.#numbers.writeEpoch();
        }
        this.#store.write(stored, dueMs(stored, this.#store, nowMs));
        this.#numbers.write();
        return given;
      },
      () => {
        this.#numbers.reload();
        this.#outbox.forgetFilled();
      },
    );
    this.#wake();
    return answer;
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
    if (!this.#outbox.takeFilled()) return;
    this.#relay.soon();
    this.ctx.waitUntil(this.#relay.run());
  }
}
