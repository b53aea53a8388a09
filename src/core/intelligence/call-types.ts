/** Types of calls in the queue of the responders, beside the topic of the requests. */
export const CALL_TYPES = {
  /** Whether somebody who could answer is there. */
  health: "code-analysis-health",
  /** One host's part of an answer of all hosts. */
  part: "code-analysis-part",
} as const;

/** The queue of the responders, unless the settings name another one. */
export const INTELLIGENCE_QUEUE = "intelligence";
