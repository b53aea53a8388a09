/** What can fail and be kept as a dead letter. */
export const DEAD_LETTER_KINDS = ["signal", "task", "intent", "webhook", "reaction"] as const;
export type DeadLetterKind = (typeof DEAD_LETTER_KINDS)[number];
