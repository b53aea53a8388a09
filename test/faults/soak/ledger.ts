import type { Signal } from "../../../src/core/signals/signal.ts";
import type { Amounts } from "./amounts.ts";

/** Kinds of things of which the log says that they are there, or over. */
export type Kind =
  | "signals"
  | "intents"
  | "reactions"
  | "failed reactions"
  | "tasks"
  | "worked"
  | "failed work"
  | "dropped"
  | "failed dropped";

/** What the log says of what was sent, by kind and id. */
export class Ledger {
  readonly #counts = new Map<Kind, Map<string, number>>();
  readonly #expected: ReadonlyMap<Kind, ReadonlySet<string>>;
  /** Expected and not there yet. */
  #missing: number;
  /** Reasons for which reactions were given up. */
  readonly givenUp: string[] = [];
  readonly bus: number[] = [];
  /** Signals in all, and whether their places are without a hole and their ids without a repetition. */
  #length = 0;
  readonly #ids = new Set<string>();
  readonly #disorder: string[] = [];
  #lastSpoke = 0;

  /** @param more - ids of intents that faults have dropped */
  constructor(amounts: Amounts, more: readonly string[]) {
    const ids = (count: number, name: string) => Array.from({ length: count }, (_, n) => `${name}${n + 1}`);
    this.#expected = new Map<Kind, ReadonlySet<string>>([
      ["signals", new Set(ids(amounts.signals, ""))],
      ["intents", new Set([...ids(amounts.intents, "intent-"), ...more])],
      ["reactions", new Set(ids(amounts.asked, ""))],
      ["failed reactions", new Set(ids(amounts.spoiled, ""))],
      ["tasks", new Set(ids(amounts.tasks, ""))],
      ["worked", new Set(ids(amounts.worked, "work-"))],
      ["failed work", new Set(ids(amounts.spoiled, "spoiled-"))],
      ["dropped", new Set(ids(amounts.dropped, "d"))],
      ["failed dropped", new Set(ids(amounts.spoiled, "spoiled-"))],
    ]);
    this.#missing = [...this.#expected.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get length(): number {
    return this.#length;
  }

  /** Everything that was sent is there, or over. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /** @param signal - the next of the log */
  take(signal: Signal): void {
    this.#length++;
    if (signal.seq !== this.#length) this.#disorder.push(`place ${this.#length} holds number ${signal.seq}`);
    if (this.#ids.has(signal.id)) this.#disorder.push(`${signal.id} is there twice`);
    this.#ids.add(signal.id);
    this.count(signal);
    const { facts } = signal;
    if (signal.signal === "Q_SOAK_BUS") this.bus.push(Number(facts.n));
    if (signal.signal === "Q_REACTION_FAILED" && facts.reaction !== "spoiled")
      this.givenUp.push(`${facts.reaction}: ${facts.error}`);
    if (signal.signal === "Q_SOAK_SPOKE") {
      if (Number(facts.n) !== this.#lastSpoke + 1) this.#disorder.push(`signal ${facts.n} follows ${this.#lastSpoke}`);
      this.#lastSpoke = Number(facts.n);
    }
    if (signal.signal === "Q_SOAK_SPOILED") this.#disorder.push(`${signal.id} should have been refused`);
  }

  /** Of a stream that leaves signals out. */
  count(signal: Signal): void {
    const known = kindOf(signal);
    if (known === undefined) return;
    const [kind, id] = known;
    const counts = this.#counts.get(kind) ?? new Map<string, number>();
    this.#counts.set(kind, counts);
    const before = counts.get(id) ?? 0;
    counts.set(id, before + 1);
    if (before === 0 && this.#expected.get(kind)?.has(id) === true) this.#missing--;
  }

  /** What is not as it should be: of each kind what is lost, doubled or was never sent, and what stands in disorder. */
  faults(): string[] {
    const found = [...this.#disorder];
    for (const [kind, expected] of this.#expected) {
      const counts = this.#counts.get(kind) ?? new Map<string, number>();
      for (const id of expected) if (!counts.has(id)) found.push(`${kind}: ${id} is lost`);
      for (const [id, count] of counts) {
        if (count > 1) found.push(`${kind}: ${id} is there ${count} times`);
        if (!expected.has(id)) found.push(`${kind}: ${id} was never sent`);
      }
    }
    return found;
  }

  /** How many of each kind, for people. */
  summary(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      [...this.#expected].map(([kind, { size }]) => [kind, `${this.#counts.get(kind)?.size ?? 0} of ${size}`]),
    );
  }
}

/** Signals that {@link Ledger.count} looks at. */
export const COUNTED = [
  "Q_SOAK_SPOKE",
  "Q_CURIOSITY_INVESTIGATE",
  "Q_SOAK_ANSWERED",
  "Q_REACTION_FAILED",
  "Q_SOAK_TASK_DONE",
  "Q_TASK_COMPLETE",
  "Q_TASK_FAILED",
  "Q_WORKER_TASK_COMPLETE",
  "Q_WORKER_TASK_FAILED",
] as const;

/** `undefined` for a signal that says of nothing that it is there or over. */
function kindOf({ signal, source, facts }: Signal): readonly [Kind, string] | undefined {
  switch (signal as (typeof COUNTED)[number]) {
    case "Q_SOAK_SPOKE":
      return ["signals", String(facts.n)];
    case "Q_CURIOSITY_INVESTIGATE":
      return source.startsWith("intent") ? ["intents", String(facts.question_id)] : undefined;
    case "Q_SOAK_ANSWERED":
      return ["reactions", String(facts.n)];
    case "Q_REACTION_FAILED":
      // A reaction that ran at too many kills is given up: it has ended, too.
      return [facts.reaction === "spoiled" ? "failed reactions" : "reactions", String(facts.n)];
    case "Q_SOAK_TASK_DONE":
      return ["tasks", String(facts.n)];
    case "Q_TASK_COMPLETE":
      return ["worked", String(facts.task_id)];
    case "Q_TASK_FAILED":
      return ["failed work", String(facts.task_id)];
    case "Q_WORKER_TASK_COMPLETE":
      return ["dropped", String(facts.task_id)];
    case "Q_WORKER_TASK_FAILED":
      return ["failed dropped", String(facts.task_id)];
    default:
      return undefined;
  }
}
