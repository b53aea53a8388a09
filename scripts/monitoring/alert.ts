/** A series of a unit test, in the notation of promtool: `0x10`, `1+1x60`. */
type Series = Readonly<Record<string, string>>;

export interface AlertSpec {
  readonly name: string;
  readonly expr: string;
  /** How long it must be so. */
  readonly for?: string;
  readonly severity: "critical" | "warning" | "info" | "none";
  /** What has happened, with the labels of the series. */
  readonly summary: string;
  /** Series with which it fires after `after`, with these labels beside the severity. */
  readonly fires: {
    readonly series: Series;
    readonly after: string;
    readonly labels: Readonly<Record<string, string>>;
    /** The summary then. */
    readonly says: string;
  };
  /** Series with which it never does. */
  readonly stays?: { readonly series: Series; readonly after: string };
}
