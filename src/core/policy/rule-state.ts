import { Heap } from "../queue/heap.ts";
import { endOf, type StateBodies, type StateChange, type StateKind, type StateRow } from "./state.ts";

/** Rows of one kind that one rule may keep. Beyond it the oldest goes: no stream of inventive keys fills the memory. */
const KEPT: Readonly<Record<StateKind, number>> = {
  flight: 20_000,
  once: 20_000,
  count: 20_000,
  memory: 20_000,
  rate: 1,
  // Compared one by one with a new text.
  text: 2_000,
  expected: 100_000,
  answer: 20_000,
};

const KINDS = Object.keys(KEPT) as StateKind[];

interface Held {
  row: StateRow;
  /** Stands in the heap, under its present end or an earlier one. */
  queued: boolean;
}

/**
 * What all rules keep, in memory and as a journal of changes for the store. What is over is let go of as time passes;
 * a look-up costs the same however much there is.
 */
export class RuleState {
  readonly #held = new Map<string, Map<string, Held>>();
  readonly #ends = new Heap<Held>();
  readonly #due = new Heap<Held>();
  #journal = new Map<string, StateChange>();

  restore(rows: Iterable<StateRow>): void {
    this.#held.clear();
    this.#ends.retain(() => false);
    this.#due.retain(() => false);
    this.#journal.clear();
    // The oldest first, as they came: which of them goes when there are too many must not depend on a restart.
    for (const row of [...rows].sort((a, b) => endOf(a) - endOf(b))) this.#hold(row);
  }

  get rows(): StateRow[] {
    return [...this.#held.values()].flatMap((group) => [...group.values()].map(({ row }) => row));
  }

  get<Kind extends StateKind>(kind: Kind, rule: string, key: string): StateBodies[Kind] | undefined {
    return this.#held.get(groupOf(kind, rule))?.get(key)?.row.body as StateBodies[Kind] | undefined;
  }

  /** Newest last. */
  *of<Kind extends StateKind>(kind: Kind, rule: string): Generator<[key: string, body: StateBodies[Kind]]> {
    for (const [key, { row }] of this.#held.get(groupOf(kind, rule)) ?? []) {
      yield [key, row.body as StateBodies[Kind]];
    }
  }

  /** @throws Error when nothing more can be expected by this rule: an expectation is not forgotten in silence */
  set(row: StateRow): void {
    const group = this.#held.get(groupOf(row.kind, row.rule));
    if (group !== undefined && group.size >= KEPT[row.kind] && !group.has(row.key)) {
      if (row.kind === "expected") throw new Error(`the rule waits for ${KEPT.expected} signals already`);
      const [oldest] = group.keys();
      if (oldest !== undefined) this.delete(row.kind, row.rule, oldest);
    }
    this.#hold(row);
    this.#journal.set(placeOf(row), row);
  }

  delete(kind: StateKind, rule: string, key: string): void {
    const group = this.#held.get(groupOf(kind, rule));
    if (group === undefined || !group.delete(key)) return;
    if (group.size === 0) this.#held.delete(groupOf(kind, rule));
    this.#journal.set(placeOf({ kind, rule, key }), { kind, rule, key, body: null });
  }

  deleteAll(kind: StateKind, rule: string): void {
    for (const key of [...(this.#held.get(groupOf(kind, rule))?.keys() ?? [])]) this.delete(kind, rule, key);
  }

  /** Lets go of all that a rule keeps, or of some kinds of it. */
  forget(rule: string, kinds: readonly StateKind[] = KINDS): void {
    for (const kind of kinds) this.deleteAll(kind, rule);
  }

  /** Lets go of what is over. @returns what was expected and is now too late, in the order of its time */
  expire(nowMs: number, limit: number): Extract<StateRow, { kind: "expected" }>[] {
    for (let end = this.#ends.firstKey; end !== undefined && end <= nowMs; end = this.#ends.firstKey) {
      const held = this.#ends.pop();
      if (held !== undefined && this.#isOver(held, nowMs, this.#ends)) {
        this.delete(held.row.kind, held.row.rule, held.row.key);
      }
    }
    const late: Extract<StateRow, { kind: "expected" }>[] = [];
    let last: number | undefined;
    for (let end = this.nextDueMs; end !== undefined && end <= nowMs; end = this.nextDueMs) {
      // Those of one millisecond go together: a time then says which have been told.
      if (late.length >= limit && end !== last) break;
      last = end;
      const held = this.#due.pop();
      if (held === undefined || held.row.kind !== "expected") continue;
      late.push(held.row);
      this.delete("expected", held.row.rule, held.row.key);
    }
    // The heap gives those of one time in any order.
    return late.sort((a, b) => a.body.dueMs - b.body.dueMs || compare(placeOf(a), placeOf(b)));
  }

  /** When the next thing expected will be too late. */
  get nextDueMs(): number | undefined {
    for (let first = this.#due.first; first !== undefined; first = this.#due.first) {
      if (this.#isHeld(first)) return this.#due.firstKey;
      this.#due.pop();
    }
    return undefined;
  }

  /** What has changed since it was last asked; of each row the last. */
  takeChanges(): StateChange[] {
    if (this.#journal.size === 0) return [];
    const changes = [...this.#journal.values()];
    this.#journal = new Map();
    return changes;
  }

  #hold(row: StateRow): void {
    const name = groupOf(row.kind, row.rule);
    let group = this.#held.get(name);
    if (group === undefined) {
      group = new Map();
      this.#held.set(name, group);
    }
    const known = group.get(row.key);
    if (row.kind === "expected") {
      const held = { row, queued: true };
      group.set(row.key, held);
      this.#due.push(endOf(row), held);
      // Most of what is expected comes: without this, what has come would stay in the heap until its time.
      if (this.#due.size > 1_024 && this.#due.size > 4 * group.size) this.#due.retain((entry) => this.#isHeld(entry));
      return;
    }
    const held = known ?? { row, queued: false };
    held.row = row;
    group.set(row.key, held);
    if (!held.queued) this.#ends.push(endOf(row), held);
    held.queued = true;
  }

  /** Whether a row that has left the heap is over; one that lasts longer by now goes back. */
  #isOver(held: Held, nowMs: number, heap: Heap<Held>): boolean {
    held.queued = false;
    if (!this.#isHeld(held)) return false;
    const end = endOf(held.row);
    if (end <= nowMs) return true;
    heap.push(end, held);
    held.queued = true;
    return false;
  }

  #isHeld(held: Held): boolean {
    return this.#held.get(groupOf(held.row.kind, held.row.rule))?.get(held.row.key) === held;
  }
}

const groupOf = (kind: StateKind, rule: string) => `${kind} ${rule}`;
const placeOf = ({ kind, rule, key }: Pick<StateChange, "kind" | "rule" | "key">) => `${kind} ${rule} ${key}`;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
