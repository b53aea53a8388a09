import { MAX_LABEL_VALUES, OTHER } from "../collections/labelled-counts.ts";
import { BucketCounts, type Buckets } from "../numbers/bucket-counts.ts";
import { FAMILIES, type Family, familyNamed } from "./families.ts";
import type { Sample } from "./report.ts";

/** A sample with its labels, by name. */
export interface LabelledSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | Buckets;
}

const NOTHING = { labels: [], families: [] };

/**
 * Samples of many objects, put together: those of the same labels are one. Whatever an object reports, a label has
 * {@link MAX_LABEL_VALUES} values at most; the rest stands under `other`.
 */
export class SampleSet {
  readonly #leftOut: { readonly labels: readonly string[]; readonly families: readonly string[] };
  readonly #families = new Map<Family, Map<string, LabelledSample>>();
  readonly #values = new Map<string, Set<string>>();

  /** @param leftOut - families, and labels whose samples are then one */
  constructor(leftOut: { readonly labels: readonly string[]; readonly families: readonly string[] } = NOTHING) {
    this.#leftOut = leftOut;
  }

  /** A family that does not exist, as a later version may have reported, is left out. */
  add(name: string, labels: Readonly<Record<string, string>>, value: number | Buckets): void {
    const family = familyNamed(name);
    if (family === undefined || this.#leftOut.families.includes(name)) return;
    if ((family.type === "histogram") !== (typeof value === "object")) return;
    const placed = Object.fromEntries(
      family.labels.flatMap((label) => {
        const text = labels[label];
        if (text === undefined || text === "" || this.#leftOut.labels.includes(label)) return [];
        return [[label, this.#hasPlace(`${name} ${label}`, text) ? text : OTHER]];
      }),
    );
    const samples = this.#families.get(family) ?? new Map<string, LabelledSample>();
    this.#families.set(family, samples);
    const key = JSON.stringify(placed);
    const before = samples.get(key);
    samples.set(key, { labels: placed, value: before === undefined ? value : folded(family, before.value, value) });
  }

  /** Families in the order of the table, also those without a sample. */
  *families(): Generator<[Family, readonly LabelledSample[]]> {
    for (const family of FAMILIES) {
      if (this.#leftOut.families.includes(family.name)) continue;
      yield [family, [...(this.#families.get(family)?.values() ?? [])]];
    }
  }

  /** The counters, and what else only ever grows, as an object would report them. */
  growing(): Sample[] {
    return [...this.families()].flatMap(([{ name, type, labels: names }, samples]) =>
      type === "counter" || type === "histogram"
        ? samples.map(({ labels, value }): Sample => [name, names.map((label) => labels[label] ?? ""), value])
        : [],
    );
  }

  #hasPlace(label: string, value: string): boolean {
    const known = this.#values.get(label) ?? new Set();
    this.#values.set(label, known);
    if (known.has(value) || value === OTHER) return true;
    if (known.size >= MAX_LABEL_VALUES) return false;
    known.add(value);
    return true;
  }
}

function folded({ fold, buckets = [] }: Family, before: number | Buckets, value: number | Buckets): number | Buckets {
  if (typeof before === "number" && typeof value === "number")
    return fold === "max" ? Math.max(before, value) : before + value;
  const sum = new BucketCounts(buckets);
  for (const one of [before, value]) if (typeof one === "object") sum.merge(one);
  return sum.toJSON();
}
