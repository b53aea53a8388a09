/** Why a rule did, or did not, act on a signal (R31). */
export interface Decision {
  readonly id: string;
  readonly rule: string;
  readonly rule_version: number;
  /** The signal that was decided on. */
  readonly signal: { readonly seq: number; readonly id: string; readonly signal: string };
  /** When the log took that signal: the time by which the rule decided. */
  readonly decided_at: string;
  readonly outcome: "fired" | "suppressed" | "failed";
  /** What held it back, or what went wrong. */
  readonly reason?: string;
  /** The values that the rule read. */
  readonly values: Record<string, unknown>;
  /** Ids of what it caused, in the order of the rule: signals, tasks, deliveries. */
  readonly effects: readonly string[];
  /** Which of them are tasks, and in which queue. */
  readonly tasks?: readonly { readonly task_id: string; readonly queue: string }[];
  /** Which of them are calls of webhooks. */
  readonly deliveries?: readonly { readonly delivery_id: string; readonly endpoint: string }[];
}

/** Which decisions; those of the newest signals come first. */
export interface DecisionsQuery {
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly rule?: string | undefined;
  readonly outcome?: string | undefined;
  /** Only those on the signal at this place in the log. */
  readonly seq?: number | undefined;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

export interface DecisionsPage {
  readonly decisions: readonly Decision[];
  readonly next: string | null;
}
