import type { OpenLink } from "./presence-tracker.ts";

/** Which links are open. A report with a lower version of the same instance is older. */
export interface LinkReport {
  /** One for each life of the log in memory. */
  readonly instance: string;
  readonly version: number;
  readonly links: readonly OpenLink[];
}

/** By host: where each monitor is to go on, by its name. */
export type GatherAfter = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** What came of asking every host. */
export interface HostAnswers {
  /** As of the end. */
  readonly report: LinkReport;
  /** JSON texts, by host. */
  readonly answers: ReadonlyMap<string, string>;
  /** Hosts whose link stayed open, and who said nothing in time. */
  readonly silent: readonly string[];
  /** How far the log reached when all had answered: what comes behind it came after what they have seen. */
  readonly headSeq: number;
}
