/** How a task can end. */
export const OUTCOMES = ["complete", "failed", "cancelled", "expired", "dropped"] as const;
