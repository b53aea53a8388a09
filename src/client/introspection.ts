import {
  Gaps,
  HistoryPage,
  Maintenance,
  type MaintenanceChange,
  ObservationSettingsView,
  ObservationsPage,
  ScannerStatus,
  Scanners,
} from "../core/introspection/api.ts";
import { GapEvidence } from "../core/introspection/gaps/gap-evidence.ts";
import type { CallEdge } from "./http/request.ts";

export interface HistoryQuery {
  /** Such as `cpu_percent`, `ttr_ms`, or `ok`, whose mean is the success rate. */
  readonly metric: string;
  readonly reporter?: string;
  /** RFC 3339 or seconds since the epoch. */
  readonly since?: string | number;
  readonly until?: string | number;
  /** Seconds. */
  readonly step?: number;
}

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** Calls about observations, gaps, scanners and maintenance. */
export function introspectionCalls({ call, inside }: Calls) {
  return {
    observations: (query: { seconds?: number; zooid?: string; limit?: number } = {}) =>
      call(ObservationsPage, { path: inside("/observations"), query }),
    history: ({ metric, reporter, since, until, step }: HistoryQuery) =>
      call(HistoryPage, {
        path: inside("/observations/history"),
        query: { metric, reporter, since, until, step },
      }),
    observationSettings: () => call(ObservationSettingsView, { path: inside("/observations/settings") }),
    /** Settings that are not named stay as they are. */
    changeObservationSettings: (change: Partial<ObservationSettingsView>) =>
      call(ObservationSettingsView, { method: "PATCH", path: inside("/observations/settings"), body: change }),
    gaps: async (status: "open" | "resolved" | "all" = "open", name?: string) =>
      (await call(Gaps, { path: inside("/gaps"), query: { status, name } })).gaps,
    /** What a gap rests on, sample by sample, with both thresholds. */
    gapEvidence: (fingerprint: string) =>
      call(GapEvidence, { path: inside(`/gaps/${encodeURIComponent(fingerprint)}/evidence`) }),
    scanners: async () => (await call(Scanners, { path: inside("/scanners") })).scanners,
    /** Settings that are not named stay as they are. */
    changeScanner: (id: string, change: { enabled?: boolean; settings?: Record<string, unknown> }) =>
      call(ScannerStatus, { method: "PATCH", path: inside(`/scanners/${encodeURIComponent(id)}`), body: change }),
    maintenance: () => call(Maintenance, { path: inside("/maintenance") }),
    setMaintenance: (change: MaintenanceChange) =>
      call(Maintenance, { method: "PUT", path: inside("/maintenance"), body: change }),
  };
}
