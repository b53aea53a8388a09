import type { ErasureRules } from "../shell/erasure-rules.ts";

/** The settings stay. Spans that wait for the receiver do not say from which signals they follow: all of them go. */
export const telemetryErasure: ErasureRules = {
  kept: ["kept", "sources"],
  rows: { batches: { change: () => null } },
};
