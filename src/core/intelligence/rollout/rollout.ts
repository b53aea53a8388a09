import * as z from "zod";
import { formatTimestamp } from "../../signals/timestamp.ts";
import {
  ARMS,
  type Breach,
  type OutcomeReport,
  type Rollback,
  type RolloutChange,
  RolloutState,
  type RolloutView,
} from "./api.ts";
import { compareArms, MIN_COMPARED } from "./compare-arms.ts";
import { Evidence, KEPT_MS, type SliceKey, SUPERSEDED } from "./evidence.ts";
import { breachesOf, MIN_REQUESTS, ROLLBACK_LIMITS, WINDOW_MS } from "./judge.ts";

/** What is stored of the roll-out, beside its evidence. */
export const StoredRollout = z.object({
  state: RolloutState,
  /** Version at which the share last rose from 0: what was decided by an earlier one is not judged any more. */
  epoch: z.int(),
});
export type StoredRollout = z.infer<typeof StoredRollout>;

const NOTHING_SET: StoredRollout = {
  state: { share: 100, version: 0, since: null, by: null, note: null, rolled_back: null },
  epoch: 0,
};

/** What became of a report: the slice that has changed, and the rollback that follows from it. */
export interface Taken {
  readonly slice: SliceKey;
  readonly rolledBack: Rollback | undefined;
}

/**
 * The roll-out of live discovery in one ecosystem: which share of the keys asks live hosts, how both arms fare, and when
 * the share goes back to 0. There it stays until somebody raises it, and what was decided before that is not judged again.
 */
export class Rollout {
  readonly evidence = new Evidence();
  #stored: StoredRollout;

  constructor(stored: StoredRollout = NOTHING_SET) {
    this.#stored = stored;
  }

  get state(): RolloutState {
    return this.#stored.state;
  }

  get stored(): StoredRollout {
    return this.#stored;
  }

  /** @returns the state before; `undefined`: another version is in force than the change names */
  set({ share, note, version }: RolloutChange, by: string, nowMs: number): RolloutState | undefined {
    const before = this.state;
    if (version !== undefined && version !== before.version) return undefined;
    const next = before.version + 1;
    const state: RolloutState = {
      share,
      version: next,
      since: formatTimestamp(nowMs),
      by,
      note: note ?? null,
      rolled_back: share > 0 ? null : before.rolled_back,
    };
    this.#stored = { state, epoch: before.share === 0 && share > 0 ? next : this.#stored.epoch };
    return before;
  }

  /** Rolls back by hand. */
  rollBack(note: string | undefined, by: string, nowMs: number): Rollback {
    const { live } = this.evidence.over(WINDOW_MS, nowMs, this.#stored.epoch);
    return this.#rollBack([], live.requests, { by, note: note ?? null }, nowMs);
  }

  /** Takes a report in, and judges the live arm. */
  take(report: OutcomeReport, nowMs: number): Taken {
    const { epoch } = this.#stored;
    const judged = report.version >= epoch;
    const slice = this.evidence.add(report, judged ? epoch : SUPERSEDED, nowMs);
    if (!judged || this.state.share === 0 || ARMS.every((arm) => report[arm] === undefined))
      return { slice, rolledBack: undefined };
    const { live } = this.evidence.over(WINDOW_MS, nowMs, epoch);
    const breaches = breachesOf(live);
    if (breaches.length === 0) return { slice, rolledBack: undefined };
    return { slice, rolledBack: this.#rollBack(breaches, live.requests, { by: null, note: null }, nowMs) };
  }

  view(nowMs: number): RolloutView {
    const { epoch, state } = this.#stored;
    const { live, library } = this.evidence.over(WINDOW_MS, nowMs, epoch);
    const compared = this.evidence.over(KEPT_MS, nowMs, epoch);
    return {
      ...state,
      limits: ROLLBACK_LIMITS,
      window_seconds: WINDOW_MS / 1_000,
      min_requests: MIN_REQUESTS,
      arms: { live: live.figures(), library: library.figures() },
      comparison: {
        seconds: KEPT_MS / 1_000,
        min_requests: MIN_COMPARED,
        metrics: compareArms(compared.live, compared.library),
      },
    };
  }

  #rollBack(
    breaches: readonly Breach[],
    requests: number,
    who: Pick<RolloutState, "by" | "note">,
    nowMs: number,
  ): Rollback {
    const { share, version } = this.state;
    const [first] = breaches;
    const at = formatTimestamp(nowMs);
    const rolledBack: Rollback = {
      rule: first?.rule ?? "by_hand",
      value: first?.value ?? null,
      limit: first?.limit ?? null,
      unit: first?.unit ?? null,
      rules: breaches,
      share_before: share,
      requests,
      at,
    };
    const state = { share: 0, version: version + 1, since: at, ...who, rolled_back: rolledBack };
    this.#stored = { ...this.#stored, state };
    return rolledBack;
  }
}
