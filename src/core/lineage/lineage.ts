import type { Signal } from "../signals/signal.ts";
import type { Lineage } from "./api.ts";

/** Sizes at which a lineage is cut. */
export const LINEAGE_LIMITS = {
  /** Causes above a signal. Ganglion ends its own chains at 16; chains of hosts have no such limit. */
  causes: 64,
  effects: 1_000,
  /** Stretches of the log that are searched for effects, each at most 1,024 zones or 256 segments that may hold one. */
  stretches: 16,
  /** Tasks and deliveries whose state is looked up. */
  tasks: 200,
  deliveries: 1_000,
} as const;

/** The reads of the log that a lineage needs. */
export interface LineageSource {
  /** The cause of `effect` that has this id. */
  find(id: string, effect: Signal): Promise<Signal | undefined>;
  /** Effects of these signals, and effects of those effects, in `(after, through]`; the log ends at `head`. */
  effects(
    of: Signal,
    ids: readonly string[],
    after: number,
    limit: number,
  ): Promise<{ readonly signals: readonly Signal[]; readonly through: number; readonly head: number }>;
}

export type Chain = Pick<Lineage, "signal" | "causes" | "missing_cause" | "effects" | "truncated">;

/** Follows the causes of a signal upward and its effects downward. */
export async function traceChain(signal: Signal, source: LineageSource): Promise<Chain> {
  const [upward, downward] = await Promise.all([causesOf(signal, source), effectsOf(signal, source)]);
  return { signal, ...upward, ...downward, truncated: upward.truncated || downward.truncated };
}

/** Follows the causes of a signal upward, the first cause first. */
export async function causesOf(signal: Signal, source: Pick<LineageSource, "find">) {
  const causes: Signal[] = [];
  // A caller may name any id as the cause, even that of its own effect: the chain ends where it would repeat.
  const seen = new Set([signal.id]);
  let effect = signal;
  let cause = signal.cause;
  while (cause !== undefined && !seen.has(cause)) {
    if (causes.length >= LINEAGE_LIMITS.causes) return { causes, truncated: true };
    seen.add(cause);
    const found = await source.find(cause, effect);
    if (found === undefined) return { causes, missing_cause: cause, truncated: false };
    causes.unshift(found);
    effect = found;
    cause = found.cause;
  }
  return { causes, truncated: false };
}

async function effectsOf(signal: Signal, source: LineageSource) {
  const effects: Signal[] = [];
  const ids = [signal.id];
  let after = signal.seq;
  for (let stretch = 0; stretch < LINEAGE_LIMITS.stretches; stretch++) {
    const { signals, through, head } = await source.effects(
      signal,
      ids,
      after,
      LINEAGE_LIMITS.effects - effects.length,
    );
    for (const effect of signals) {
      effects.push(effect);
      ids.push(effect.id);
    }
    if (through >= head) return { effects, truncated: false };
    if (effects.length >= LINEAGE_LIMITS.effects) break;
    after = through;
  }
  return { effects, truncated: true };
}
