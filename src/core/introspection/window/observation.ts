import type { Facts } from "../../signals/signal.ts";

/** One measurement of one reporter, as `GET /observations` shows it (R8). */
export interface Observation {
  /** Event time, RFC 3339 in UTC. */
  readonly ts: string;
  /** Who reports. */
  readonly zooid_name: string;
  readonly niche: string | null;
  readonly ok: boolean;
  /** Time to resolve, in milliseconds. */
  readonly ttr_ms: number | null;
  readonly incident_id: string | null;
  readonly facts: Facts;
}

export interface ObservationsPage {
  readonly observations: readonly Observation[];
  /** Length of the window that was asked for, in seconds. */
  readonly window_seconds: number;
  /** Observations in that window, whatever `limit` let through. */
  readonly size: number;
  readonly oldest: string | null;
  readonly newest: string | null;
}
