import type { LinkReport } from "./api.ts";

/** By host: where each monitor continues, by its name. */
export type GatherAfter = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** The result of asking all hosts. */
export interface HostAnswers {
  /** The open links after the round. */
  readonly report: LinkReport;
  /** Answers as JSON texts, by host. */
  readonly answers: ReadonlyMap<string, string>;
  /** Hosts whose link stayed open and that did not answer in time. */
  readonly silent: readonly string[];
  /** Last sequence number of the log when all hosts had answered. Later signals came after their facts. */
  readonly headSeq: number;
}
