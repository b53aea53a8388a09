import {
  IntelligenceHealth,
  type OutcomeInput,
  type RolloutChange,
  RolloutState,
  RolloutView,
} from "../core/intelligence/rollout/api.ts";
import type { Call } from "./http/exchange.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** Calls about the roll-out of live discovery, and about the figures of those who ask. */
export function rolloutCalls({ call, inside }: Calls) {
  const path = inside("/intelligence/rollout");
  return {
    show: () => call(RolloutView, { path }),
    /** Ends a rollback, too. */
    set: (change: RolloutChange) => call(RolloutState, { method: "PUT", path, body: change }),
    rollBack: (note?: string) =>
      call(RolloutState, { method: "POST", path: `${path}/rollback`, body: note === undefined ? {} : { note } }),
    /** @returns the state by which the asker decides from now on */
    report: (report: OutcomeInput, options: Pick<Call, "signal" | "timeoutMs"> = {}) =>
      call(RolloutState, { method: "POST", path: inside("/intelligence/outcomes"), body: report, ...options }),
    health: () => call(IntelligenceHealth, { path: inside("/intelligence/health") }),
  };
}
