/** The endpoint to which operations go. Where an ecosystem has none of this name, the decision says so. */
export const ALERTS_ENDPOINT = "alerts";

/** The built-in rules by what they are for, so that people switch all of a kind together. */
export const RULE_PACKS: Readonly<Record<string, readonly string[]>> = {
  "self-improvement": ["promotions-to-dream", "gap-to-investigation", "investigation"],
  operations: [
    "queue-alerts",
    "host-down",
    "disk-full",
    "agent-given-up",
    "rollout-alerts",
    "late-expectation",
    "dead-letters-growing",
    "session-waiting",
    "session-frozen",
  ],
};
