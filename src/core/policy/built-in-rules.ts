import type { Rule } from "./rule.ts";

/** The rules that every ecosystem starts with (R23), in the form in which users write theirs. */
export const BUILT_IN_RULES: readonly Rule[] = [
  {
    id: "promotions-to-dream",
    version: 1,
    description: "Unacknowledged promotions start a dream cycle, one at a time",
    enabled: true,
    when: ["Q_PROMOTIONS_DETECTED"],
    where: "facts.promotion_count > 0",
    while_in_flight: { key: '"dream"', until: ["Q_DREAM_COMPLETE"], at_most_ms: 2 * 3_600_000 },
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
  },
  {
    id: "gap-to-investigation",
    version: 1,
    description: "A capability gap is investigated, once for as long as it stays open",
    enabled: true,
    when: ["CAPABILITY_GAP"],
    while_in_flight: {
      key: "facts.gap_name",
      until: ["CAPABILITY_GAP_RESOLVED"],
      until_key: "facts.gap_name",
      at_most_ms: 24 * 3_600_000,
    },
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
          },
        },
      },
    ],
  },
];
