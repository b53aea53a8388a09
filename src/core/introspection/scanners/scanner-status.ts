/** How a scanner is set, and how it fares (R17, R18). */
export interface ScannerStatus {
  readonly id: string;
  readonly category: string;
  readonly enabled: boolean;
  readonly settings: Readonly<Record<string, number | boolean | string>>;
  readonly state: "healthy" | "failing" | "quarantined";
  /** Failures in a row. */
  readonly failures: number;
  readonly last_error?: string;
  /** When it last looked at the window, RFC 3339 in UTC. */
  readonly evaluated_at?: string;
  /** When a quarantined scanner is tried again. */
  readonly retry_at?: string;
}
