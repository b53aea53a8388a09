import type { DeadLetter } from "../dead-letters/dead-letter.ts";
import type { Decision } from "../policy/decision.ts";
import type { Signal } from "../signals/signal.ts";
import type { DeliveryState } from "../webhooks/delivery.ts";
import type { ChainTask } from "./chain-tasks.ts";

/** Where a signal comes from and what it led to (R31). */
export interface Lineage {
  readonly signal: Signal;
  /** What led to it, the first cause first. */
  readonly causes: readonly Signal[];
  /** Id that the first of the chain names as its cause and that the log does not hold (any more). */
  readonly missing_cause?: string;
  /** What it led to, directly or through others, in the order of the log; `cause` says which to which. */
  readonly effects: readonly Signal[];
  /** What rules decided on any of these signals. */
  readonly decisions: readonly Decision[];
  /** Tasks that it led to: those of rules, and those whose end or whose failure says that they belong to it. */
  readonly tasks: readonly ChainTask[];
  /** Messages that rules had sent. */
  readonly deliveries: readonly ChainDelivery[];
  /** What of it could not be processed. */
  readonly dead_letters: readonly DeadLetter[];
  /** There is more: the answer was cut where it became too large, or took too long to look for. */
  readonly truncated: boolean;
}

/** How a message of the chain stands. */
export interface ChainDelivery {
  readonly delivery_id: string;
  readonly endpoint: string;
  /** Id of the signal that led to it. */
  readonly cause: string;
  readonly rule: string;
  /** `failed`: given up, see its dead letter. `unknown`: it ended long ago, or there is no such endpoint. */
  readonly state: DeliveryState | "unknown";
  readonly attempts?: number;
  readonly last_status?: number;
  readonly last_error?: string;
  readonly next_attempt_at?: string;
}

/** Lengths at which a lineage is cut. */
export const LINEAGE_LIMITS = {
  /** Causes above a signal. Ganglion's own chains end at 16; those of hosts have no such limit. */
  causes: 64,
  effects: 1_000,
  /** Stretches of the log looked through for effects, each at most 1,024 zones or 256 segments that may hold one. */
  stretches: 16,
  /** Tasks, and messages, whose state is asked for. */
  tasks: 200,
  deliveries: 1_000,
} as const;

/** What has to be known of the log. */
export interface LineageSource {
  find(id: string): Promise<Signal | undefined>;
  /** Effects of these signals and of each other behind `after`, as far as `through`; the log ends at `head`. */
  effects(
    ids: readonly string[],
    after: number,
    limit: number,
  ): Promise<{ readonly signals: readonly Signal[]; readonly through: number; readonly head: number }>;
}

export type Chain = Pick<Lineage, "signal" | "causes" | "missing_cause" | "effects" | "truncated">;

/** Follows the causes upward and the effects downward. */
export async function traceChain(signal: Signal, source: LineageSource): Promise<Chain> {
  const [upward, downward] = await Promise.all([causesOf(signal, source), effectsOf(signal, source)]);
  return { signal, ...upward, ...downward, truncated: upward.truncated || downward.truncated };
}

async function causesOf(signal: Signal, source: LineageSource) {
  const causes: Signal[] = [];
  // A caller may name any id as the cause, its own effect among them: the chain ends where it would go round.
  const seen = new Set([signal.id]);
  let cause = signal.cause;
  while (cause !== undefined && !seen.has(cause)) {
    if (causes.length >= LINEAGE_LIMITS.causes) return { causes, truncated: true };
    seen.add(cause);
    const found = await source.find(cause);
    if (found === undefined) return { causes, missing_cause: cause, truncated: false };
    causes.unshift(found);
    cause = found.cause;
  }
  return { causes, truncated: false };
}

async function effectsOf(signal: Signal, source: LineageSource) {
  const effects: Signal[] = [];
  const ids = [signal.id];
  let after = signal.seq;
  for (let stretch = 0; stretch < LINEAGE_LIMITS.stretches; stretch++) {
    const { signals, through, head } = await source.effects(ids, after, LINEAGE_LIMITS.effects - effects.length);
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
