/** Setting and health of a scanner. */
export interface ScannerStatus {
  readonly id: string;
  readonly category: string;
  readonly enabled: boolean;
  readonly settings: Readonly<Record<string, number | boolean | string>>;
  readonly state: "healthy" | "failing" | "quarantined";
  /** Failures in a row. */
  readonly failures: number;
  readonly last_error?: string;
  /** Time of the last evaluation, RFC 3339 in UTC. */
  readonly evaluated_at?: string;
  /** When a quarantined scanner is evaluated again. */
  readonly retry_at?: string;
}
