import type { Facts } from "../../signals/signal.ts";

/** One measurement of one reporter, as `GET /observations` shows it. */
export interface Observation {
  /** Event time, RFC 3339 in UTC. */
  readonly ts: string;
  /** The reporter. */
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
  /** Length of the requested part of the window, in seconds. */
  readonly window_seconds: number;
  /** Observations in that window, including those beyond `limit`. */
  readonly size: number;
  readonly oldest: string | null;
  readonly newest: string | null;
}
