import * as z from "zod";

const MB = 1024 * 1024;

/** Memory that Cloudflare gives an isolate, which holds the code and every object of the deployment that lives in it. */
const ISOLATE_MB = 128;

/**
 * Bytes that the state of an object may take in the memory of its isolate, by the kind of state, in an isolate of 128 MB.
 * Beyond them something is refused, or gives way, before the isolate is in danger. Estimated from the sizes of texts and a
 * fixed amount for each item: V8 does not say what an item takes.
 */
const HEAP_BYTES = {
  /** Tasks of a queue that are in memory, the places of the others, and payloads. */
  tasks: 56 * MB,
  /** Observations in the window. */
  observations: 48 * MB,
  /** What the rules keep, expectations included. */
  rule_state: 48 * MB,
  /** Ids of callers, by which a repeated signal is recognised. */
  ids: 36 * MB,
  /** How far the log has the signals of every producer. */
  producers: 40 * MB,
  /** All of these together, of all objects of an isolate: beyond it no queue takes tasks. */
  isolate: 100 * MB,
} as const;

export type HeapKind = Exclude<keyof typeof HEAP_BYTES, "isolate">;
export type HeapBytes = Readonly<Record<keyof typeof HEAP_BYTES, number>>;

/**
 * The budgets of a deployment.
 *
 * @param isolateMb - memory of an isolate, as the variable `HEAP_MB` gives it; absent: 128
 * @param invalid - told of a text that is no number of megabytes from 32 on: 128 holds
 */
export function heapBytes(isolateMb: string | undefined, invalid: (text: string) => void = () => undefined): HeapBytes {
  const asked = isolateMb === undefined || isolateMb === "" ? ISOLATE_MB : Number(isolateMb);
  const valid = Number.isFinite(asked) && asked >= 32;
  if (!valid) invalid(isolateMb ?? "");
  const share = valid ? asked / ISOLATE_MB : 1;
  const { tasks, observations, rule_state, ids, producers, isolate } = HEAP_BYTES;
  return {
    tasks: Math.floor(tasks * share),
    observations: Math.floor(observations * share),
    rule_state: Math.floor(rule_state * share),
    ids: Math.floor(ids * share),
    producers: Math.floor(producers * share),
    isolate: Math.floor(isolate * share),
  };
}

/** What one kind of state takes. */
export const HeapUse = z.object({
  kind: z.string().meta({ description: "The kind of state", example: "tasks" }),
  used_bytes: z.int().meta({ description: "Bytes of memory that the state takes, about" }),
  limit_bytes: z.int().meta({ description: "Bytes beyond which something is refused or gives way" }),
  refused: z.int().meta({ description: "How often something was refused or gave way for that, since the object woke" }),
});
export type HeapUse = Readonly<z.infer<typeof HeapUse>>;

/** How much an object holds. */
export const ObjectSize = z.object({
  database_bytes: z.int().meta({ description: "Bytes of storage that the object takes; Cloudflare allows 10 GB" }),
  heap: z.array(HeapUse).readonly().meta({ description: "Its state in memory, by kind, against its budget" }),
});
export type ObjectSize = Readonly<z.infer<typeof ObjectSize>>;

/** One kind of state of an object, against its budget. */
export class HeapAccount {
  readonly kind: HeapKind;
  readonly limitBytes: number;
  readonly #used: () => number;
  #refused = 0;

  constructor(kind: HeapKind, limitBytes: number, used: () => number) {
    this.kind = kind;
    this.limitBytes = limitBytes;
    this.#used = used;
  }

  /** Something was refused, or gave way, because the budget is used up. */
  refused(times = 1): void {
    this.#refused += times;
  }

  /** Whether the budget is used up; what was to come is then counted as refused. */
  get full(): boolean {
    const full = this.usedBytes >= this.limitBytes;
    if (full) this.#refused++;
    return full;
  }

  get usedBytes(): number {
    return Math.max(0, Math.round(this.#used()));
  }

  get use(): HeapUse {
    const { kind, usedBytes, limitBytes } = this;
    return { kind, used_bytes: usedBytes, limit_bytes: limitBytes, refused: this.#refused };
  }
}
