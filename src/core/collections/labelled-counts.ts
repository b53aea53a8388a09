import * as z from "zod";

/** Values that each label tells apart; counts of further ones stand under {@link OTHER} together. */
export const MAX_LABEL_VALUES = 50;
export const OTHER = "other";

/** Counts as they are stored: each by its name and the values of its labels, in the order of the labels. */
export const StoredCounts = z.object({
  counts: z.array(z.tuple([z.string(), z.array(z.string()), z.number()])).readonly(),
  folded: z.number(),
});
export type StoredCounts = Readonly<z.infer<typeof StoredCounts>>;

/**
 * Counts by name and label that only ever grow. A value that has come once keeps its place for ever, so that no count falls
 * when more values come.
 */
export class LabelledCounts {
  readonly #counts = new Map<string, number>();
  /** Values that are told apart, by name and place of the label. */
  readonly #known = new Map<string, Set<string>>();
  #folded = 0;
  #changed = false;

  constructor(stored: StoredCounts | undefined) {
    for (const [name, values, count] of stored?.counts ?? []) this.#add(name, values, count);
    this.#folded = stored?.folded ?? 0;
  }

  /** Whether something was counted since the counts were taken for the store. */
  get changed(): boolean {
    return this.#changed;
  }

  /** How often a value was counted under {@link OTHER} for want of a place. */
  get folded(): number {
    return this.#folded;
  }

  add(name: string, values: readonly string[] = [], count = 1): void {
    this.#changed = true;
    if (this.#add(name, values, count)) this.#folded++;
  }

  /** The counts for the store, which then has them. */
  take(): StoredCounts {
    this.#changed = false;
    return { counts: this.list(), folded: this.#folded };
  }

  list(): [name: string, values: string[], count: number][] {
    return [...this.#counts].map(([key, count]) => {
      const [name = "", ...values] = key.split(SEPARATOR);
      return [name, values, count];
    });
  }

  /** @returns whether a value found no place */
  #add(name: string, values: readonly string[], count: number): boolean {
    const placed = values.map((value, place) => (this.#hasPlace(`${name}${SEPARATOR}${place}`, value) ? value : OTHER));
    const key = [name, ...placed].join(SEPARATOR);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
    return placed.some((value, place) => value !== values[place]);
  }

  #hasPlace(label: string, value: string): boolean {
    let known = this.#known.get(label);
    if (known === undefined) {
      known = new Set();
      this.#known.set(label, known);
    }
    if (known.has(value)) return true;
    if (known.size >= MAX_LABEL_VALUES || value.includes(SEPARATOR)) return false;
    known.add(value);
    return true;
  }
}

/** Stands in no name of a rule, a category or an outcome. */
const SEPARATOR = "\u0000";
