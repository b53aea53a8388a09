import type { PresenceReason } from "./presence-tracker.ts";

export interface AgentAlert {
  readonly subject: string;
  readonly since: string;
  /** What was measured when it began. */
  readonly value: number;
  readonly limit: number;
}

/** A host as people see it. Times are RFC 3339. */
export interface AgentView {
  readonly host: string;
  readonly state: "up" | "down";
  readonly since: string;
  readonly reason: PresenceReason;
  readonly last_seen: string;
  /** Open links: none while it is away, several for a moment while one takes the place of another. */
  readonly links: number;
  readonly version: string | null;
  /** Its sources, processes and workers, in its own words; `null` until it has said so. */
  readonly runs: Readonly<Record<string, unknown>> | null;
  readonly alerts: readonly AgentAlert[];
  /** Monitors that failed at the last look, and why. */
  readonly failing: Readonly<Record<string, string>>;
  /** Facts of the last answer, while they are remembered. */
  readonly facts: Readonly<Record<string, unknown>> | null;
}

/** What a look at all hosts came to. */
export interface MonitorRun {
  /** Hosts that answered. */
  readonly answered: readonly string[];
  /** Hosts that are linked and did not. */
  readonly silent: readonly string[];
  /** Signals that followed. */
  readonly told: readonly string[];
}
