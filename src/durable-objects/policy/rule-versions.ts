import type { Author } from "../../core/access/author.ts";
import type { Policy, PolicyVersion, RuleEdit } from "../../core/policy/api.ts";
import { BUILT_IN_RULES } from "../../core/policy/built-in-rules.ts";
import { type Plan, type PlannedVersion, planBuiltInRules, planEdits } from "../../core/policy/plan-edits.ts";
import type { Rule } from "../../core/policy/rule.ts";
import { RuleStore, type StoredVersion } from "./rule-store.ts";

const BUILT_IN: ReadonlyMap<string, Rule> = new Map(BUILT_IN_RULES.map((rule) => [rule.id, rule]));

/** Position of the log from which versions are in force. */
export interface Place {
  readonly seq: number;
  /** Log time; 0: no particular time. */
  readonly atMs: number;
  /** When the versions were written, by the object's clock. */
  readonly changedMs: number;
}

/** The rules in force, their earlier versions, and, during a rebuild, the versions ahead. */
export class RuleVersions {
  readonly #store: RuleStore;
  #current = new Map<string, Policy>();
  /** Versions from positions that a rebuild has not reached, in order. */
  #ahead: StoredVersion[] = [];
  #replayed = new Map<string, Rule>();

  constructor(sql: SqlStorage) {
    this.#store = new RuleStore(sql);
    this.reload();
  }

  /** The newest rules, which people see also during a rebuild. */
  get current(): ReadonlyMap<string, Policy> {
    return this.#current;
  }

  /** The rules that decide on the next signal. */
  get inForce(): readonly Rule[] {
    return this.#ahead.length === 0 ? [...this.#current.values()] : [...this.#replayed.values()];
  }

  /** All rules that decide on some later signal. */
  get coming(): readonly Rule[] {
    return [...this.inForce, ...this.#ahead.flatMap(({ rule }) => (rule === null ? [] : [rule]))];
  }

  reload(): void {
    this.#current = new Map(this.#store.current().map((policy) => [policy.id, policy]));
    this.#ahead = [];
  }

  /** Goes back to the rules of a sequence number, because a rebuild begins there. */
  rewind(seq: number): void {
    const history = this.#store.history();
    this.#replayed = new Map();
    for (const past of history.filter((one) => one.seq <= seq)) this.#apply(past);
    this.#ahead = history.filter((one) => one.seq > seq);
  }

  /** Position of the next versions that are in force for the signal `seq`; versions of one time come together. */
  nextBefore(seq: number): Place | undefined {
    const [next] = this.#ahead;
    return next !== undefined && next.seq < seq
      ? { seq: next.seq, atMs: next.atMs, changedMs: next.changedMs }
      : undefined;
  }

  /** Puts the versions of this position in force. */
  step(place: Place): void {
    for (let [next] = this.#ahead; next?.seq === place.seq && next.atMs === place.atMs; [next] = this.#ahead) {
      this.#apply(next);
      this.#ahead.shift();
    }
  }

  plan(edits: readonly RuleEdit[], by: Author): Plan {
    return planEdits(this.#current, edits, BUILT_IN, by.id);
  }

  /** Plans the built-in rules of this release that were not changed in this ecosystem. */
  planBuiltInRules(): PlannedVersion[] {
    return planBuiltInRules(this.#current, BUILT_IN);
  }

  /** Call it in a transaction. @returns the new versions */
  write(planned: readonly PlannedVersion[], place: Place, by: Author | null, nowMs: number): StoredVersion[] {
    return planned.map(({ id, rule, built_in, modified }) => {
      const version = this.#store.lastVersion(id) + 1;
      const stored: StoredVersion = {
        id,
        version,
        seq: place.seq,
        atMs: place.atMs,
        by: by?.name ?? null,
        ...(by === null ? {} : { byId: by.id }),
        changedMs: nowMs,
        rule: rule === null ? null : { ...rule, version },
      };
      this.#store.write(stored, { built_in, modified });
      return stored;
    });
  }

  versions(id: string, limit: number): PolicyVersion[] {
    return this.#store.versions(id, limit);
  }

  #apply({ id, rule }: StoredVersion): void {
    if (rule === null) this.#replayed.delete(id);
    else this.#replayed.set(id, rule);
  }
}
