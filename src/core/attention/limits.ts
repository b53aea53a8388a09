import type { LimitFinding } from "../limits/api.ts";
import type { EcosystemState } from "./ecosystem-state.ts";
import { type Finding, look } from "./finding.ts";

/** What needs somebody of limits that are closed. */
export function limitFindings({ limits, ecosystem }: EcosystemState): Finding[] {
  return (limits ?? []).map((found) => findingOf(found, ecosystem));
}

function findingOf({ limit, until, since, reason, signal }: LimitFinding, ecosystem: string): Finding {
  return {
    id: `limit_closed/${limit}`,
    kind: "limit_closed",
    severity: "warning",
    subject: limit,
    what: `the limit ${limit} is closed until ${until}`,
    why: reason,
    since,
    consequence: "nobody is granted anything of it, and tasks that name it are parked until then",
    next_step: `ganglion limits show ${limit}`,
    action: look("Show the limit", ecosystem, `/limits/${encodeURIComponent(limit)}`),
    chain: signal,
    explainedBy: [],
  };
}
