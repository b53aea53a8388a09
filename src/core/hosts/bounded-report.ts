/**
 * Characters of a report that are kept for a host. The reports of all hosts are held in memory and answered by the page.
 */
export const MAX_REPORT_CHARS = 64 * 1024;

type Report = Readonly<Record<string, unknown>>;

/** What is kept of a report of a host: the report, or, where it is too long, its version and a word on its size. */
export function boundedReport(report: Report, maxChars = MAX_REPORT_CHARS): Report {
  const chars = JSON.stringify(report).length;
  if (chars <= maxChars) return report;
  const { version } = report;
  const too_large = `the host reports ${chars} characters, and ${maxChars} are kept: report fewer sources, agents or workers`;
  return typeof version === "string" ? { version: version.slice(0, 256), too_large } : { too_large };
}
