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
  /** Ids of the signals it caused. */
  readonly effects: readonly string[];
}
