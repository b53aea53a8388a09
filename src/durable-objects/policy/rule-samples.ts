import type { Sample } from "../../core/metrics/report.ts";
import { policySamples } from "../../core/metrics/samples.ts";
import type { Policy } from "../../core/policy/api.ts";
import type { PolicyEngine } from "../../core/policy/engine.ts";

/** What the rules report of themselves. */
export function ruleSamples(rules: Iterable<Policy>, engine: PolicyEngine): Sample[] {
  const states = [...rules].map(({ id, enabled }) => {
    if (engine.quarantine(id) !== undefined) return "quarantined";
    return enabled ? "enabled" : "disabled";
  });
  return policySamples(states, engine.expected.length);
}
