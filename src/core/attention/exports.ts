import type { EcosystemState } from "./ecosystem-state.ts";
import type { Finding } from "./finding.ts";

/** An export that fails for longer, in milliseconds, will not go on by itself soon. */
const FAILING_MS = 600_000;

/** What needs somebody of the export of finished work. */
export function exportFindings({ exporting, ecosystem, nowMs }: EcosystemState): Finding[] {
  const since = exporting?.failing_since;
  if (exporting === undefined || since === undefined || nowMs - Date.parse(since) < FAILING_MS) return [];
  const { last_error, waiting, dropped } = exporting;
  const lost = dropped === 0 ? "" : `; ${dropped} are lost`;
  return [
    {
      id: "export_failing",
      kind: "export_failing",
      severity: "warning",
      subject: "export",
      what: "the export of finished work fails",
      why: last_error ?? "the receiver takes nothing",
      since,
      consequence: `${waiting} spans wait${lost}; the oldest are given up when too many wait`,
      next_step: "ganglion export test",
      action: {
        label: "Send one marked span to the receiver",
        method: "POST",
        path: `/v1/${encodeURIComponent(ecosystem)}/telemetry/export/test`,
      },
      chain: null,
      explainedBy: [],
    },
  ];
}
