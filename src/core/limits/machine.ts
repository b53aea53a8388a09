import { NO_USE, PER_MINUTE, RATES, type Use } from "./amounts.ts";
import type { Share } from "./api.ts";
import { NO_BUDGETS, type Spending } from "./budgets/spending.ts";
import { advanced, closedMs, LONGEST_MS, PROBE_MS, partOf, shareAt } from "./closing.ts";
import { dayAt, midnightAfter, openDay } from "./days.ts";
import { addAt, giveBack, usedAt } from "./minute.ts";
import type { Ask, Closed, Refused, SettledAs, Subject } from "./outcomes.ts";
import { subjectOf } from "./request.ts";
import { type LimitSettings, MAX_HELD } from "./settings.ts";
import type { LimitState, Reservation } from "./state.ts";
import { whenItFits } from "./when.ts";

/** Reservations of one limit, as the machine needs them. */
export interface Ledger {
  read(id: string): Reservation | undefined;
  write(reservation: Reservation): void;
  /** Those that are held and expire by then, in no order. */
  expiring(ownMs: number): readonly Reservation[];
}

/**
 * One limit: what may still be asked of a provider, and who holds how much of it. Does no I/O and has no clock.
 *
 * A reservation is granted where it fits beside all that was granted before; it is then *held* until it is settled or
 * expires. What was granted and not used comes back to where it was taken from; what was used beyond it is charged when it is
 * known. Closed means closed for all: nothing is granted before its end, and then one at a time until a provider has taken
 * one.
 */
export class LimitMachine {
  readonly #name: string;
  readonly #settings: LimitSettings;
  readonly #state: LimitState;
  readonly #ledger: Ledger;
  readonly #spending: Spending;

  /**
   * @param state - is changed by what follows
   * @param spending - the budgets that count the same reservations
   */
  constructor(
    name: string,
    settings: LimitSettings,
    state: LimitState,
    ledger: Ledger,
    spending: Spending = NO_BUDGETS,
  ) {
    this.#name = name;
    this.#settings = settings;
    this.#state = state;
    this.#ledger = ledger;
    this.#spending = spending;
  }

  /** Lets time pass; to be called before each of the others. A clock that was set back lets none pass. */
  advance(nowMs: number): void {
    const state = this.#state;
    if (nowMs > state.clockMs) state.ownMs += nowMs - state.clockMs;
    state.clockMs = nowMs;
    for (const reservation of this.#ledger.expiring(state.ownMs)) {
      // Whoever had a share may have made calls of it until the end: they count for the minute, and money comes back.
      const lost = reservation.calls === undefined ? NO_USE : { ...reservation.use, nanos: 0 };
      this.#release(reservation, lost, NO_USE);
      this.#ledger.write({ ...reservation, state: "expired" });
    }
    state.closing = advanced(state.closing, state.ownMs);
  }

  /**
   * @param id - new
   * @param share - where it is given to several calls
   */
  reserve(id: string, ask: Ask, subject: Subject = {}, share?: Share): Refused | undefined {
    // A budget that is spent says so at once, also where the minute is given out.
    const calls = share?.calls ?? 1;
    const spent = this.#canEver(ask, calls) ? this.#spending.look(ask, subject) : undefined;
    const refused = spent ?? this.look(ask, calls);
    if (refused !== undefined) return refused;
    const state = this.#state;
    const { zone } = this.#settings;
    const day = dayAt(state.clockMs, zone);
    const use = { ...NO_USE, ...ask };
    for (const rate of RATES) addAt(state[rate], state.ownMs, use[rate]);
    openDay(state.days, day).held += use.nanos;
    state.held += calls;
    if (state.closing?.phase === "probing") state.closing.untilMs = state.ownMs + PROBE_MS;
    const expiresMs = state.ownMs + this.#secondsOf(share) * 1_000;
    const charges = this.#spending.hold(use, subject);
    const reservation = {
      id,
      limit: this.#name,
      atMs: state.ownMs,
      expiresMs,
      day,
      use,
      ...subject,
      ...(share && { calls, ...(share.host !== undefined && { host: share.host }) }),
    };
    this.#ledger.write({ ...reservation, state: "held", ...(charges.length === 0 ? {} : { charges }) });
    return undefined;
  }

  /** @returns why the amounts are not granted now; `undefined`: they would be */
  look(ask: Ask, calls = 1): Refused | undefined {
    const { closing, ownMs, clockMs, days, held } = this.#state;
    const settings = this.#settings;
    const day = openDay(days, dayAt(clockMs, settings.zone));
    if (!this.#canEver(ask, calls)) return { why: "too_large", isFinal: true };
    if (closing?.phase === "closed")
      return { why: "closed", reason: closing.reason, untilMs: this.#clockAt(closing.untilMs) };
    const rampMs = settings.ramp_seconds * 1_000;
    const share = shareAt(closing, ownMs, rampMs);
    if (settings.usd_per_day !== undefined) {
      const most = settings.usd_per_day * 1e9;
      if (day.spent >= most || (ask.nanos ?? 0) > most - day.spent)
        return { why: "usd_per_day", untilMs: midnightAfter(clockMs, settings.zone) };
      // What is held may come back before midnight: nobody knows when.
      if (day.held + day.spent >= most || day.spent + day.held + (ask.nanos ?? 0) > most) return { why: "usd_per_day" };
    }
    if (held + calls > (settings.concurrency === undefined ? MAX_HELD : partOf(settings.concurrency, share)))
      return { why: "concurrency" };
    // One call tries whether the provider takes requests again, and no share.
    if (closing?.phase === "probing" && (calls > 1 || ownMs < closing.untilMs))
      return { why: "probing", untilMs: this.#clockAt(closing.untilMs) };
    for (const rate of RATES) {
      const limit = settings[PER_MINUTE[rate]];
      if (limit === undefined) continue;
      const part = partOf(limit, share);
      const used = usedAt(this.#state[rate], ownMs);
      if (used + (ask[rate] ?? 0) <= part && used < part) continue;
      const atMs = whenItFits({ state: this.#state, settings, ask });
      return { why: PER_MINUTE[rate], ...(atMs === undefined ? {} : { untilMs: this.#clockAt(atMs) }) };
    }
    return undefined;
  }

  /**
   * @param used - what was really used, of what was reserved
   * @param well - whether the provider took the request
   * @param subject - whose budgets count it, where the reservation is not known
   */
  settle(id: string, used: (reserved: Use, model?: string) => Use, well = true, subject: Subject = {}): SettledAs {
    const known = this.#ledger.read(id);
    if (known?.state === "settled") return "repeated";
    const { ownMs, clockMs, closing } = this.#state;
    const day = dayAt(clockMs, this.#settings.zone);
    const use = used(known?.state === "held" ? known.use : NO_USE, known?.model);
    if (known?.state === "held") this.#release(known, use);
    else {
      this.#charge(use, day);
      this.#spending.charge(use, known === undefined ? subject : subjectOf(known));
    }
    const settled = known ?? { id, limit: this.#name, atMs: ownMs, expiresMs: ownMs, day, use };
    this.#ledger.write({ ...settled, use, state: "settled" });
    // A request that was sent before the limit was closed says nothing of what the provider does now.
    if (well && known?.state === "held" && closing?.phase === "probing" && known.atMs >= closing.fromMs) this.#ramp();
    return known === undefined ? "unknown" : known.state === "held" ? "settled" : "expired";
  }

  /** Closes the limit for all. Where it is closed already, the later end counts. @param forMs - absent: as often as it was so */
  close(reason: string, forMs?: number): void {
    const state = this.#state;
    const { closing, ownMs, clockMs } = state;
    const isClosed = closing?.phase === "closed";
    const times = closing?.times ?? 0;
    const lengthMs = Math.min(LONGEST_MS, Math.max(0, forMs ?? closedMs(isClosed ? times - 1 : times)));
    const untilMs = ownMs + lengthMs;
    if (isClosed) {
      if (untilMs > closing.untilMs) state.closing = { ...closing, untilMs, reason };
      return;
    }
    state.closing = { phase: "closed", fromMs: ownMs, untilMs, reason, since: clockMs, times: times + 1 };
  }

  /** Opens the limit at once, and wholly: somebody knows that it may be. @returns whether it was not */
  open(): boolean {
    const was = this.#state.closing !== null;
    this.#state.closing = null;
    return was;
  }

  /** Until when nobody is granted anything, and why; `undefined`: it is open. */
  get closed(): Closed | undefined {
    const { closing, clockMs, days } = this.#state;
    const { usd_per_day, zone } = this.#settings;
    const day = dayAt(clockMs, zone);
    const spent = days.find((one) => one.day === day)?.spent ?? 0;
    const spentAll =
      usd_per_day !== undefined && spent >= usd_per_day * 1e9
        ? { reason: `the ${usd_per_day} US dollars of the day are spent`, untilMs: midnightAfter(clockMs, zone) }
        : undefined;
    if (closing?.phase !== "closed") return spentAll;
    const closed = { reason: closing.reason, untilMs: this.#clockAt(closing.untilMs) };
    return spentAll !== undefined && spentAll.untilMs > closed.untilMs ? spentAll : closed;
  }

  /** When a reservation that is granted now expires, by the clock. */
  expiresMs(share?: Share): number {
    return this.#state.clockMs + this.#secondsOf(share) * 1_000;
  }

  get whenAway(): LimitSettings["when_away"] {
    return this.#settings.when_away;
  }

  #secondsOf(share: Share | undefined): number {
    return Math.min(this.#settings.reservation_seconds, share?.seconds ?? Number.POSITIVE_INFINITY);
  }

  #clockAt(ownMs: number): number {
    return this.#state.clockMs + ownMs - this.#state.ownMs;
  }

  #canEver(ask: Ask, calls: number): boolean {
    const { usd_per_day, concurrency = MAX_HELD } = this.#settings;
    if (calls > concurrency) return false;
    if (usd_per_day !== undefined && (ask.nanos ?? 0) > usd_per_day * 1e9) return false;
    return RATES.every((rate) => (ask[rate] ?? 0) <= (this.#settings[PER_MINUTE[rate]] ?? Number.POSITIVE_INFINITY));
  }

  /** Ends a reservation: what was not used comes back, what was used beyond it is charged now. */
  #release({ atMs, day, use: reserved, charges = [], calls }: Reservation, used: Use, counted = used): void {
    const state = this.#state;
    this.#spending.release(charges, reserved, counted);
    for (const rate of RATES) {
      if (calls !== undefined) {
        // Its calls were made at any time until now: they count for a minute from now on, as the provider may count them.
        giveBack(state[rate], atMs, reserved[rate]);
        addAt(state[rate], state.ownMs, used[rate]);
        continue;
      }
      const more = used[rate] - reserved[rate];
      if (more > 0) addAt(state[rate], state.ownMs, more);
      else giveBack(state[rate], atMs, -more);
    }
    const known = state.days.find((one) => one.day === day);
    if (known === undefined) openDay(state.days, dayAt(state.clockMs, this.#settings.zone)).spent += used.nanos;
    else {
      known.held = Math.max(0, known.held - reserved.nanos);
      known.spent += used.nanos;
    }
    state.held = Math.max(0, state.held - (calls ?? 1));
  }

  #charge(use: Use, day: number): void {
    for (const rate of RATES) addAt(this.#state[rate], this.#state.ownMs, use[rate]);
    openDay(this.#state.days, day).spent += use.nanos;
  }

  /** A provider has taken a request again. */
  #ramp(): void {
    const { closing, ownMs } = this.#state;
    const rampMs = this.#settings.ramp_seconds * 1_000;
    if (closing !== null)
      this.#state.closing =
        rampMs === 0 ? null : { ...closing, phase: "ramping", fromMs: ownMs, untilMs: ownMs + rampMs };
  }
}
