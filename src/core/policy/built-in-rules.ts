import { Rule } from "./rule.ts";
import { ALERTS_ENDPOINT } from "./rule-packs.ts";

/** What the rules have in common that send a signal to people. */
const ALERT = {
  version: 1,
  rate: { n: 1_000, per: "1m" },
  then: [{ webhook: { endpoint: ALERTS_ENDPOINT } }],
};

/**
 * The rules that every ecosystem starts with, in packs. A test ensures that they equal policies/<pack>.yaml. They are
 * repeated here because the Worker reads no files, and a YAML parser is larger than all of them.
 */
export const BUILT_IN_RULES: readonly Rule[] = [
  {
    id: "promotions-to-dream",
    version: 1,
    description:
      "Starts a dream cycle for unacknowledged promotions, one at a time, and emits a time-out when the cycle does not end in time.",
    when: "Q_PROMOTIONS_DETECTED",
    where: "facts.promotion_count > 0",
    while_in_flight: { until: ["Q_DREAM_COMPLETE", "Q_DREAM_FAILED"], at_most: "2h" },
    then: [
      {
        emit: {
          signal: "Q_DREAM_TRIGGER",
          facts: {
            reason: '"unacknowledged_promotions_detected"',
            topic: "null",
            promotion_count: "facts.promotion_count",
          },
        },
      },
    ],
    expect: {
      signal: ["Q_DREAM_COMPLETE", "Q_DREAM_FAILED"],
      within: "2h",
      else: [
        {
          emit: {
            signal: "Q_DREAM_TIMEOUT",
            facts: { reason: '"no_completion_in_time"', promotion_count: "facts.promotion_count" },
          },
        },
      ],
    },
  },
  {
    id: "gap-to-investigation",
    version: 1,
    description: "Investigates a capability gap once while the gap is open, and again when it reopens.",
    when: "CAPABILITY_GAP",
    while_in_flight: {
      by: "facts.gap_name",
      until: "CAPABILITY_GAP_RESOLVED",
      until_by: "facts.gap_name",
      at_most: "1d",
    },
    share: { n: 100, per: "1h" },
    rate: { n: 1_000, per: "1m" },
    then: [
      {
        emit: {
          signal: "Q_CURIOSITY_INVESTIGATE",
          facts: {
            question: '"What causes the gap " + facts.gap_name + ", and how can it be closed? " + facts.gap_reason',
            question_id: '"gap:" + id',
            priority: 'facts.alignment_score >= 0.9 ? "critical" : facts.alignment_score >= 0.7 ? "high" : "normal"',
            evidence: "[string(facts.gap_reason)]",
            gap_name: "facts.gap_name",
            gap_category: "facts.gap_category",
            reinvestigate: "has(facts.reopened)",
          },
        },
      },
    ],
  },
  {
    id: "investigation",
    version: 1,
    description:
      "Sends a question to the queue of the investigators and expects an answer; a near-duplicate of an earlier question is not sent.",
    when: "Q_CURIOSITY_INVESTIGATE",
    near_duplicate: {
      text: "facts.question",
      threshold: 0.7,
      within: "7d",
      by: 'has(facts.gap_name) ? "gap:" + facts.gap_name : facts.?intent_type.orValue("")',
      name: "facts.question_id",
      override:
        'facts.?reinvestigate.orValue(false) == true || string(facts.?intent_type.orValue("")).startsWith("reinvestigate")',
      else: [
        {
          emit: {
            signal: "Q_INVESTIGATION_DUPLICATE",
            facts: {
              question_id: "facts.question_id",
              duplicate_of: "duplicate.of",
              similarity: "duplicate.similarity",
            },
          },
        },
      ],
    },
    share: { n: 100, per: "1h" },
    rate: { n: 1_000, per: "1m" },
    then: [
      {
        enqueue: {
          queue: "investigations",
          recipient: '"investigator"',
          type: "investigate",
          priority: '{"critical": 1, "high": 3, "normal": 5, "low": 8}[string(facts.?priority.orValue("normal"))]',
        },
      },
    ],
    expect: {
      signal: ["Q_INVESTIGATION_COMPLETE", "Q_INVESTIGATION_FAILED"],
      by: "facts.question_id",
      within: "10m",
      lookback: "1m",
      else: [
        {
          emit: {
            signal: "Q_INVESTIGATION_TIMEOUT",
            facts: { question_id: "facts.question_id", question: "facts.question" },
          },
        },
      ],
    },
  },
  {
    ...ALERT,
    id: "queue-alerts",
    description: "Sends the alerts of queues to the webhook endpoint alerts, if that endpoint exists.",
    when: "Q_QUEUE_ALERT",
  },
  {
    ...ALERT,
    id: "host-down",
    description: "Tells the endpoint alerts that a host is down.",
    when: "Q_AGENT_DOWN",
  },
  {
    ...ALERT,
    id: "disk-full",
    description: "Tells the endpoint alerts that a disk of a host is nearly full, and that it is not any more.",
    when: "Q_HEALTH_ALERT",
    where: 'facts.kind == "disk"',
  },
  {
    ...ALERT,
    id: "agent-given-up",
    description: "Tells the endpoint alerts that a supervised agent is not restarted any more.",
    when: "Q_PROCESS_GAVE_UP",
  },
  {
    ...ALERT,
    id: "rollout-alerts",
    description: "Sends each rollback of live discovery to the webhook endpoint alerts, if that endpoint exists.",
    when: "Q_ROLLOUT_ROLLED_BACK",
  },
  {
    ...ALERT,
    id: "late-expectation",
    description: "Tells the endpoint alerts that a dream or an investigation did not end in time.",
    when: ["Q_DREAM_TIMEOUT", "Q_INVESTIGATION_TIMEOUT"],
  },
  {
    ...ALERT,
    id: "dead-letters-growing",
    description: "Tells the endpoint alerts that many dead letters wait: at 20, 40, 80 and so on.",
    when: "Q_DEAD_LETTERS_GROWING",
  },
  {
    ...ALERT,
    id: "session-waiting",
    description:
      "Tells the endpoint alerts that a session of an agent has waited for a person for long, and that it goes on.",
    when: ["Q_SESSION_WAITING", "Q_SESSION_RESUMED"],
    where: 'signal == "Q_SESSION_WAITING" || facts.was == "waiting"',
  },
  {
    ...ALERT,
    id: "session-frozen",
    description: "Tells the endpoint alerts that a session of an agent shows no sign of life, and that it goes on.",
    when: ["Q_SESSION_FROZEN", "Q_SESSION_RESUMED"],
    where: 'signal == "Q_SESSION_FROZEN" || facts.was == "frozen"',
  },
].map((rule) => Rule.parse(rule));
