import { globMatches } from "../../signals/pattern.ts";
import { NO_USE, nanosOf, type Use } from "../amounts.ts";
import { dayAt, midnightAfter } from "../days.ts";
import type { Ask, Refused, Subject } from "../outcomes.ts";
import { ownerText } from "../signals.ts";
import type { Charge } from "../state.ts";
import { type BudgetLevel, type Counter, LEVELS, OTHERS } from "./counter.ts";
import type { BudgetSettings } from "./settings.ts";
import type { Spending } from "./spending.ts";

export interface NamedBudget {
  readonly name: string;
  readonly settings: BudgetSettings;
}

/** The counters of the budgets, as the machine needs them. */
export interface CounterLedger {
  read(charge: Charge): Counter | undefined;
  /** Whether one more counter has room; may forget some that are over for it. */
  hasRoom(budget: string): boolean;
  write(counter: Counter): void;
}

/** From here on somebody is told. */
const NOTICE = 2 / 3;
/** A reservation that finds no room ends a budget of which less than this is left. */
const LAST = 0.95;

/**
 * The budgets of an ecosystem: what each agent, task or chain, or all together, may use in a day or for life. Does no I/O and
 * has no clock. Counts what reservations hold and settlements say, so that a budget never grants more than it has: it is
 * overshot by what calls use beyond their reservations alone.
 */
export class BudgetMachine implements Spending {
  /** Counters whose level has changed since the machine was made. */
  readonly told: Counter[] = [];
  readonly #budgets: readonly NamedBudget[];
  readonly #ledger: CounterLedger;
  readonly #nowMs: number;

  constructor(budgets: readonly NamedBudget[], ledger: CounterLedger, nowMs: number) {
    this.#budgets = budgets;
    this.#ledger = ledger;
    this.#nowMs = nowMs;
  }

  look(ask: Ask, subject: Subject): Refused | undefined {
    let worst: Refused | undefined;
    for (const budget of this.#of(subject)) {
      const refused = this.#lookAt(budget, ask);
      if (refused !== undefined && (worst === undefined || isWorse(refused, worst))) worst = refused;
    }
    return worst;
  }

  hold(use: Use, subject: Subject): readonly Charge[] {
    return this.#of(subject).map(({ name, settings, charge }) => {
      const counter = this.#open(name, settings, charge);
      this.#store({
        ...counter,
        heldTokens: counter.heldTokens + tokensOf(use),
        heldNanos: counter.heldNanos + use.nanos,
      });
      return chargeOf(counter);
    });
  }

  release(charges: readonly Charge[], reserved: Use, used: Use): void {
    for (const charge of charges) {
      const settings = this.#budgets.find(({ name }) => name === charge.budget)?.settings;
      // A budget that was deleted counts nothing any more.
      if (settings === undefined) continue;
      const counter = this.#ledger.read(charge) ?? this.#made(settings, charge);
      this.#spend(settings, counter, used, reserved);
    }
  }

  charge(used: Use, subject: Subject): void {
    for (const { name, settings, charge } of this.#of(subject))
      this.#spend(settings, this.#open(name, settings, charge), used, NO_USE);
  }

  /** The level of a counter anew, by settings that have changed. */
  judge(settings: BudgetSettings, counter: Counter): void {
    this.#store(this.#judged(counter, levelOf(settings, counter)));
  }

  #spend(settings: BudgetSettings, counter: Counter, used: Use, reserved: Use): void {
    const spent = {
      ...counter,
      tokens: counter.tokens + tokensOf(used),
      nanos: counter.nanos + used.nanos,
      heldTokens: Math.max(0, counter.heldTokens - tokensOf(reserved)),
      heldNanos: Math.max(0, counter.heldNanos - reserved.nanos),
    };
    const level = levelOf(settings, spent);
    this.#store(isHigher(level, counter.level) ? this.#judged(spent, level) : spent);
  }

  #lookAt({ name, settings, charge }: Found, ask: Ask): Refused | undefined {
    const counter = this.#ledger.read(charge) ?? this.#shared(name, charge) ?? this.#made(settings, charge);
    const { untilMs } = counter;
    const base = { why: "budget", budget: name } as const;
    const whose = ownerText(settings.scope, counter.subject);
    let waits = false;
    for (const { most, spent, held, asked } of partsOf(settings, counter, ask)) {
      if (asked > most && settings.at_end === "closed")
        return { ...base, isFinal: true, reason: `it is more than the whole budget ${name}` };
      if (spent >= most || asked > most - spent) {
        if (spent >= most * LAST && counter.level !== "spent") this.#store(this.#judged(counter, "spent"));
        if (settings.at_end === "open") continue;
        const reason = `the budget ${name} of ${whose} is spent`;
        return { ...base, reason, ...(untilMs === null ? { isFinal: true } : { untilMs }) };
      }
      // What is held may come back: nobody knows when.
      if (held + spent >= most || held + spent + asked > most) waits ||= settings.at_end === "closed";
    }
    return waits ? { ...base, reason: `what is left of the budget ${name} of ${whose} is reserved` } : undefined;
  }

  /** The budgets that count a subject, each with its counter of now. */
  #of(subject: Subject): Found[] {
    return this.#budgets.flatMap(({ name, settings }) => {
      const { scope, match, per, zone } = settings;
      const named = scope === "ecosystem" ? "" : subject[scope];
      if (named === undefined || (scope !== "ecosystem" && !globMatches(match, named))) return [];
      const day = per === "life" ? 0 : dayAt(this.#nowMs, zone);
      return [{ name, settings, charge: { budget: name, subject: named, day } }];
    });
  }

  /** The counter of a subject for which there is no room. */
  #shared(budget: string, charge: Charge): Counter | undefined {
    return this.#ledger.hasRoom(budget) ? undefined : this.#ledger.read({ ...charge, subject: OTHERS });
  }

  #open(budget: string, settings: BudgetSettings, charge: Charge): Counter {
    const known = this.#ledger.read(charge);
    if (known !== undefined) return known;
    if (this.#ledger.hasRoom(budget)) return this.#made(settings, charge);
    const shared = { ...charge, subject: OTHERS };
    return this.#ledger.read(shared) ?? this.#made(settings, shared);
  }

  #made({ per, zone }: BudgetSettings, charge: Charge): Counter {
    const nowMs = this.#nowMs;
    const zero = { tokens: 0, heldTokens: 0, nanos: 0, heldNanos: 0 };
    const untilMs = per === "life" ? null : midnightAfter(nowMs, zone);
    return { ...charge, ...zero, level: "open", sinceMs: nowMs, untilMs, usedMs: nowMs, signal: null };
  }

  #judged(counter: Counter, level: BudgetLevel): Counter {
    if (level === counter.level) return counter;
    const judged = { ...counter, level, sinceMs: this.#nowMs, signal: null };
    this.told.push(judged);
    return judged;
  }

  #store(counter: Counter): void {
    this.#ledger.write({ ...counter, usedMs: this.#nowMs });
  }
}

interface Found extends NamedBudget {
  readonly charge: Charge;
}

const chargeOf = ({ budget, subject, day }: Counter): Charge => ({ budget, subject, day });
const tokensOf = ({ input_tokens = 0, output_tokens = 0 }: Partial<Use>): number => input_tokens + output_tokens;
const isHigher = (one: BudgetLevel, other: BudgetLevel) => LEVELS.indexOf(one) > LEVELS.indexOf(other);

/** What ends later, or never, stands longer in the way; what depends on others may be over at once. */
function isWorse(one: Refused, other: Refused): boolean {
  const rank = ({ isFinal, untilMs = 0 }: Refused) => (isFinal === true ? Number.POSITIVE_INFINITY : untilMs);
  return rank(one) > rank(other);
}

function* partsOf({ tokens, usd }: BudgetSettings, counter: Counter, ask: Ask) {
  if (tokens !== undefined)
    yield { most: tokens, spent: counter.tokens, held: counter.heldTokens, asked: tokensOf(ask) };
  if (usd !== undefined)
    yield { most: nanosOf(usd), spent: counter.nanos, held: counter.heldNanos, asked: ask.nanos ?? 0 };
}

function levelOf(settings: BudgetSettings, counter: Counter): BudgetLevel {
  const shares = [...partsOf(settings, counter, {})].map(({ most, spent }) => spent / most);
  const share = Math.max(0, ...shares);
  return share >= 1 ? "spent" : share >= NOTICE ? "noticed" : "open";
}
