import type { IntelligenceHealth } from "./api.ts";
import { roundedOr } from "./arm.ts";
import { type Evidence, KEPT_MS } from "./evidence.ts";
import { WINDOW_MS } from "./judge.ts";

/** Targets of the figures; what is beyond one is an alert. */
const TARGETS = {
  successPercent: 95,
  fallbackPercent: 5,
  p95Ms: 100,
  connectionErrorPercent: 1,
  mismatches: 0,
} as const;

/** The figures of the dashboard: of the requests to live hosts that all askers reported in the last hour. */
export function healthOf(evidence: Evidence, nowMs: number): IntelligenceHealth {
  const hour = evidence.over(KEPT_MS, nowMs).live.figures();
  const lately = evidence.over(WINDOW_MS, nowMs).live.figures();
  const { connection_error_percent: failed } = hour;
  return {
    requests: hour.requests,
    success_percent: hour.success_percent,
    fallback_percent: hour.fallback_percent,
    p50_ms: hour.p50_ms,
    p95_ms: hour.p95_ms,
    p99_ms: hour.p99_ms,
    patterns_per_request: hour.patterns_per_request,
    confidence: hour.confidence,
    connection_health_percent: failed === null ? null : roundedOr(100 - failed),
    last_five_minutes: {
      requests: lately.requests,
      success_percent: lately.success_percent,
      fallback_percent: lately.fallback_percent,
      p95_ms: lately.p95_ms,
      connection_error_percent: lately.connection_error_percent,
      timeouts: lately.timeouts,
      mismatches: lately.mismatches,
      critical: lately.mismatches + lately.corrupted,
    },
    alerts: alertsOf(lately),
  };
}

type Alert = IntelligenceHealth["alerts"][number];
type Figures = Pick<
  IntelligenceHealth["last_five_minutes"],
  "success_percent" | "fallback_percent" | "p95_ms" | "connection_error_percent" | "mismatches"
>;

function alertsOf(figures: Figures): Alert[] {
  const above = (alert: Alert["alert"], value: number | null, limit: number): Alert[] =>
    value !== null && value > limit
      ? [{ alert, severity: alert === "mismatch" ? "critical" : "warning", value, limit }]
      : [];
  const { success_percent: success } = figures;
  return [
    ...above("mismatch", figures.mismatches, TARGETS.mismatches),
    ...(success !== null && success < TARGETS.successPercent
      ? [{ alert: "success" as const, severity: "warning" as const, value: success, limit: TARGETS.successPercent }]
      : []),
    ...above("fallback", figures.fallback_percent, TARGETS.fallbackPercent),
    ...above("latency", figures.p95_ms, TARGETS.p95Ms),
    ...above("connection", figures.connection_error_percent, TARGETS.connectionErrorPercent),
  ];
}

/** How often the figures become a signal, in milliseconds. */
export const HEALTH_SIGNAL_MS = 60_000;

/** Facts of the signal of the figures. A figure that there is not is left out: a rule compares numbers. */
export function healthFacts({ last_five_minutes: lately, connection_health_percent }: IntelligenceHealth) {
  const figures = { ...lately, connection_health_percent };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== null));
}
