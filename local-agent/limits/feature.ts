import { HOST_LIMITS, HOST_RESERVE, HOST_SETTLE } from "../../src/core/limits/host/api.ts";
import type { Feature } from "../feature/feature.ts";
import { LimitShares } from "./limit-shares.ts";
import type { LimitsFeatureOptions } from "./settings.ts";

/** Answers processes of this host that reserve a part of a limit, out of shares that the host holds. */
export const LIMITS_FEATURE: Feature<LimitsFeatureOptions> = {
  name: "limits",
  restartOn: ["limits"],
  assemble({ options, register, link, log }) {
    if (options.limits?.share === false) return undefined;
    const shares = new LimitShares({ ...options, link, log });
    register.command(HOST_RESERVE, (payload, { signal }) => shares.reserve(payload, signal));
    register.command(HOST_SETTLE, (payload) => shares.settle(payload));
    register.command(HOST_LIMITS, () => shares.status);
    register.status(() => shares.status);
    register.counter({
      name: "ganglion_limit_reservations",
      help: "Reservations of this host's processes: out of a share, alone at the edge, without an edge, or refused",
      labels: ["outcome"],
      read: () => Object.entries(shares.counts).map(([outcome, value]) => ({ outcome, value })),
    });
    register.gauge({
      name: "ganglion_limit_calls_held",
      help: "Calls of this host's processes that hold a part of a share, by limit",
      labels: ["limit"],
      read: () => shares.status.held.map(({ limit, calls }) => ({ limit, value: calls })),
    });
    register.gauge({
      name: "ganglion_limit_settlements_unsent",
      help: "Settlements of limits that the edge has not taken yet",
      read: () => shares.status.unsent,
    });
    return { services: [shares] };
  },
};
