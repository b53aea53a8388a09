import { Heap } from "../collections/heap.ts";
import { rowBytes } from "./row-bytes.ts";
import { endOf, type StateBodies, type StateKey, type StateKind, type StateMutation, type StateRow } from "./state.ts";

/**
 * Rows of one kind that one rule may keep. Beyond that the oldest row is deleted, so that a stream of ever new keys
 * cannot fill the memory.
 */
const MAX_ROWS: Readonly<Record<StateKind, number>> = {
  flight: 20_000,
  once: 20_000,
  count: 20_000,
  memory: 20_000,
  rate: 1,
  share: 20_000,
  // Each is compared with every new text.
  text: 2_000,
  expected: 100_000,
  answer: 20_000,
  quarantine: 1,
  imported: 40_000,
};

const KINDS = Object.keys(MAX_ROWS) as StateKind[];

type ExpectedRow = Extract<StateRow, { kind: "expected" }>;

/** What the state of all rules may take in memory. */
export interface StateLimits {
  /** The same in every run: decisions follow from it. Default: anything. */
  readonly maxBytes?: number;
  /** Called where something is refused, or gives way. */
  readonly gaveWay?: () => void;
}

interface Entry {
  row: StateRow;
  /** What the row takes in memory, about. */
  bytes: number;
  /** The heap holds the entry, under its present end or an earlier one. */
  queued: boolean;
}

/**
 * State of all rules, in memory, with a journal of changes for the store. Rows that have ended are deleted as time
 * passes; a look-up costs the same however many rows there are.
 */
export class RuleState {
  readonly #groups = new Map<string, Map<string, Entry>>();
  readonly #ends = new Heap<Entry>();
  readonly #due = new Heap<Entry>();
  #journal = new Map<string, StateMutation>();
  readonly #limits: StateLimits;
  #bytes = 0;

  constructor(limits: StateLimits = {}) {
    this.#limits = limits;
  }

  /** What the rows take in memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  restore(rows: Iterable<StateRow>): void {
    this.#groups.clear();
    this.#ends.retain(() => false);
    this.#due.retain(() => false);
    this.#journal.clear();
    this.#bytes = 0;
    // The oldest first, as they were written: which row is deleted when there are too many must not depend on a restart.
    for (const row of [...rows].sort((a, b) => endOf(a) - endOf(b))) this.#insert(row);
  }

  get rows(): StateRow[] {
    return [...this.#groups.values()].flatMap((group) => [...group.values()].map(({ row }) => row));
  }

  get<Kind extends StateKind>(kind: Kind, rule: string, key: string): StateBodies[Kind] | undefined {
    return this.#groups.get(groupOf(kind, rule))?.get(key)?.row.body as StateBodies[Kind] | undefined;
  }

  /** Newest last. */
  *entries<Kind extends StateKind>(kind: Kind, rule: string): Generator<[key: string, body: StateBodies[Kind]]> {
    for (const [key, { row }] of this.#groups.get(groupOf(kind, rule)) ?? []) {
      yield [key, row.body as StateBodies[Kind]];
    }
  }

  /** Whether the row can be set without another one that gives way. */
  hasRoom({ kind, rule, key }: StateKey): boolean {
    const group = this.#groups.get(groupOf(kind, rule));
    if (group?.has(key) === true) return true;
    return (group?.size ?? 0) < MAX_ROWS[kind] && this.#bytes < (this.#limits.maxBytes ?? Number.POSITIVE_INFINITY);
  }

  /**
   * @throws Error when the rule has the maximum number of expectations, or the state of all rules takes too much memory:
   * deleting one would silently drop its time-out
   */
  set(row: StateRow): void {
    const group = this.#groups.get(groupOf(row.kind, row.rule));
    if (group !== undefined && group.size >= MAX_ROWS[row.kind] && !group.has(row.key)) {
      if (row.kind === "expected") throw new Error(`the rule waits for ${MAX_ROWS.expected} signals already`);
      const [oldest] = group.keys();
      if (oldest !== undefined) this.delete(row.kind, row.rule, oldest);
    }
    this.#makeRoomFor(row);
    this.#insert(row);
    this.#journal.set(rowKey(row), row);
  }

  delete(kind: StateKind, rule: string, key: string): void {
    const group = this.#groups.get(groupOf(kind, rule));
    const entry = group?.get(key);
    if (group === undefined || entry === undefined) return;
    group.delete(key);
    this.#bytes -= entry.bytes;
    if (group.size === 0) this.#groups.delete(groupOf(kind, rule));
    this.#journal.set(rowKey({ kind, rule, key }), { kind, rule, key, body: null });
  }

  deleteAll(kind: StateKind, rule: string): void {
    for (const key of [...(this.#groups.get(groupOf(kind, rule))?.keys() ?? [])]) this.delete(kind, rule, key);
  }

  apply(mutation: StateMutation): void {
    if (mutation.body === null) this.delete(mutation.kind, mutation.rule, mutation.key);
    else this.set(mutation);
  }

  /** Deletes all state of a rule, or some kinds of it. */
  forget(rule: string, kinds: readonly StateKind[] = KINDS): void {
    for (const kind of kinds) this.deleteAll(kind, rule);
  }

  /** Deletes the rows that have ended. @returns the expectations whose time is over, in the order of that time */
  expire(nowMs: number, limit: number): ExpectedRow[] {
    for (let end = this.#ends.firstKey; end !== undefined && end <= nowMs; end = this.#ends.firstKey) {
      const entry = this.#ends.pop();
      if (entry !== undefined && this.#hasEnded(entry, nowMs)) {
        this.delete(entry.row.kind, entry.row.rule, entry.row.key);
      }
    }
    const overdue: ExpectedRow[] = [];
    let last: number | undefined;
    for (let end = this.nextDueMs; end !== undefined && end <= nowMs; end = this.nextDueMs) {
      // Expectations of one millisecond are handled together: a time alone then identifies those that were handled.
      if (overdue.length >= limit && end !== last) break;
      last = end;
      const entry = this.#due.pop();
      if (entry === undefined || entry.row.kind !== "expected") continue;
      overdue.push(entry.row);
      this.delete("expected", entry.row.rule, entry.row.key);
    }
    // The heap returns rows of one time in any order.
    return overdue.sort((a, b) => a.body.dueMs - b.body.dueMs || compare(rowKey(a), rowKey(b)));
  }

  /** When the next expectation will be too late. */
  get nextDueMs(): number | undefined {
    for (let first = this.#due.first; first !== undefined; first = this.#due.first) {
      if (this.#isCurrent(first)) return this.#due.firstKey;
      this.#due.pop();
    }
    return undefined;
  }

  /** The changes since the last call; of each row the last one. */
  takeMutations(): StateMutation[] {
    if (this.#journal.size === 0) return [];
    const mutations = [...this.#journal.values()];
    this.#journal = new Map();
    return mutations;
  }

  #insert(row: StateRow): void {
    const name = groupOf(row.kind, row.rule);
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new Map();
      this.#groups.set(name, group);
    }
    const known = group.get(row.key);
    if (row.kind === "expected") {
      const entry = { row, queued: true, bytes: rowBytes(row) };
      this.#bytes += entry.bytes - (known?.bytes ?? 0);
      group.set(row.key, entry);
      this.#due.push(endOf(row), entry);
      // Most expected signals come: without this, expectations that were met would stay in the heap until their time.
      if (this.#due.size > 1_024 && this.#due.size > 4 * group.size) this.#due.retain((one) => this.#isCurrent(one));
      return;
    }
    const entry = known ?? { row, queued: false, bytes: 0 };
    const bytes = rowBytes(row);
    this.#bytes += bytes - entry.bytes;
    entry.row = row;
    entry.bytes = bytes;
    group.set(row.key, entry);
    if (!entry.queued) this.#ends.push(endOf(row), entry);
    entry.queued = true;
  }

  /** Expectations are refused; of any other kind the oldest of the rule give way. */
  #makeRoomFor({ kind, rule, key, body }: StateRow): void {
    const { maxBytes = Number.POSITIVE_INFINITY, gaveWay = () => undefined } = this.#limits;
    if (this.#bytes < maxBytes) return;
    const group = this.#groups.get(groupOf(kind, rule));
    if (group?.has(key) === true) return;
    gaveWay();
    if (kind === "expected")
      throw new Error(
        `the rules take ${maxBytes} bytes of memory already: nothing more is expected until others are met`,
      );
    let left = rowBytes({ kind, rule, key, body } as StateRow);
    for (const [oldest, { bytes }] of group ?? []) {
      if (left <= 0) return;
      left -= bytes;
      this.delete(kind, rule, oldest);
    }
  }

  /** Whether a row that has left the heap of ends has ended; a row that was prolonged meanwhile goes back into the heap. */
  #hasEnded(entry: Entry, nowMs: number): boolean {
    entry.queued = false;
    if (!this.#isCurrent(entry)) return false;
    const end = endOf(entry.row);
    if (end <= nowMs) return true;
    this.#ends.push(end, entry);
    entry.queued = true;
    return false;
  }

  #isCurrent(entry: Entry): boolean {
    return this.#groups.get(groupOf(entry.row.kind, entry.row.rule))?.get(entry.row.key) === entry;
  }
}

const groupOf = (kind: StateKind, rule: string) => `${kind} ${rule}`;
const rowKey = ({ kind, rule, key }: StateKey) => `${kind} ${rule} ${key}`;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
