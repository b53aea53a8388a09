import type { Policy, PolicyVersion, RuleChange } from "../../core/policy/api.ts";
import { BUILT_IN_RULES } from "../../core/policy/built-in-rules.ts";
import { type Plan, type PlannedChange, planChanges, planPack } from "../../core/policy/plan-changes.ts";
import type { Rule } from "../../core/policy/rule.ts";
import { RuleStore, type StoredChange } from "./rule-store.ts";

const PACK: ReadonlyMap<string, Rule> = new Map(BUILT_IN_RULES.map((rule) => [rule.id, rule]));

/** From where in the log, and by what time, changes count. */
export interface Place {
  readonly seq: number;
  /** By the log's clock; 0: at no particular time. */
  readonly atMs: number;
  /** When they were written, by our own clock. */
  readonly changedMs: number;
}

/** The rules in force, those that were, and, while the log is being read again, those that are still to come. */
export class RuleVersions {
  readonly #store: RuleStore;
  #current = new Map<string, Policy>();
  /** Changes that counted from a place which has not been reached again, in order. */
  #ahead: StoredChange[] = [];
  #replayed = new Map<string, Rule>();

  constructor(sql: SqlStorage) {
    this.#store = new RuleStore(sql);
    this.reload();
  }

  /** What people see: the newest, whatever is being derived again. */
  get current(): ReadonlyMap<string, Policy> {
    return this.#current;
  }

  /** What decides on the next signal. */
  get inForce(): readonly Rule[] {
    return this.#ahead.length === 0 ? [...this.#current.values()] : [...this.#replayed.values()];
  }

  /** All rules that decide on some signal from here on. */
  get coming(): readonly Rule[] {
    return [...this.inForce, ...this.#ahead.flatMap(({ rule }) => (rule === null ? [] : [rule]))];
  }

  reload(): void {
    this.#current = new Map(this.#store.current().map((policy) => [policy.id, policy]));
    this.#ahead = [];
  }

  /** Goes back to the rules as they were at a place, because the log is read again from there. */
  rewind(seq: number): void {
    const history = this.#store.history();
    this.#replayed = new Map();
    for (const change of history.filter((past) => past.seq <= seq)) this.#apply(change);
    this.#ahead = history.filter((change) => change.seq > seq);
  }

  /** The next changes that count for a signal at `seq`, those of one time together. */
  nextBefore(seq: number): Place | undefined {
    const [next] = this.#ahead;
    return next !== undefined && next.seq < seq
      ? { seq: next.seq, atMs: next.atMs, changedMs: next.changedMs }
      : undefined;
  }

  /** Puts them in force. */
  step(place: Place): void {
    for (let [next] = this.#ahead; next?.seq === place.seq && next.atMs === place.atMs; [next] = this.#ahead) {
      this.#apply(next);
      this.#ahead.shift();
    }
  }

  plan(wanted: readonly RuleChange[]): Plan {
    return planChanges(this.#current, wanted, PACK);
  }

  /** What makes the rules those of this release's pack, where people left them alone. */
  planPack(): PlannedChange[] {
    return planPack(this.#current, PACK);
  }

  /** Belongs into a transaction. @returns the versions that came of it */
  write(changes: readonly PlannedChange[], place: Place, by: string | null, nowMs: number): StoredChange[] {
    return changes.map(({ id, rule, built_in, modified }) => {
      const version = this.#store.lastVersion(id) + 1;
      const change: StoredChange = {
        ...{ id, version, seq: place.seq, atMs: place.atMs, by, changedMs: nowMs },
        rule: rule === null ? null : { ...rule, version },
      };
      this.#store.write(change, { built_in, modified });
      return change;
    });
  }

  versions(id: string, limit: number): PolicyVersion[] {
    return this.#store.versions(id, limit);
  }

  #apply({ id, rule }: StoredChange): void {
    if (rule === null) this.#replayed.delete(id);
    else this.#replayed.set(id, rule);
  }
}
