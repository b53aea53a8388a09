/** Why a rule did, or did not, act on a signal (R31). */
export interface Decision {
  readonly id: string;
  readonly rule: string;
  readonly rule_version: number;
  /** The signal that was decided on. */
  readonly signal: { readonly seq: number; readonly id: string; readonly signal: string };
  /** When the log took that signal, or the last moment for what was expected: the time by which the rule decided. */
  readonly decided_at: string;
  readonly outcome: "fired" | "suppressed" | "failed";
  /** Something expected did not come in time; absent: the rule decided on the signal. */
  readonly by?: "time";
  /** What held it back, or what went wrong. */
  readonly reason?: string;
  /** The values that the rule read. */
  readonly values: Record<string, unknown>;
  /** Ids of what it caused, in the order of the rule: signals, tasks, deliveries. */
  readonly effects: readonly string[];
  /** Which of them are tasks, and in which queue. */
  readonly tasks?: readonly { readonly task_id: string; readonly queue: string }[];
  readonly asked?: AskedOf;
  /** Which of them are calls of webhooks. */
  readonly deliveries?: readonly { readonly delivery_id: string; readonly endpoint: string }[];
}

/** A question to a language model, and how it was settled (R32). */
export interface AskedOf {
  readonly model: string;
  readonly prompt: string;
  readonly choices: readonly string[];
  /** `fallback`: there was no answer that could be used; `why` says so. */
  readonly state: "asked" | "answered" | "fallback";
  readonly choice?: string;
  readonly why?: string;
  /** What the model said about its choice; it is for people to read. */
  readonly reason?: string;
  readonly detail?: string;
  readonly cost_usd?: number;
  readonly tokens_in?: number;
  readonly tokens_out?: number;
  readonly duration_ms?: number;
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
