import type { HealthReading } from "./facts.ts";
import type { Band, HealthKind, HealthLimits } from "./monitor-settings.ts";

/** The alert state of one subject, as it is stored. A subject without an alert or a pending change has none. */
export interface HealthState {
  /** Number of readings in a row that support the other state. */
  readonly against: number;
  /** The open alert. */
  readonly raised: { readonly sinceMs: number; readonly value: number; readonly limit: number } | null;
}

export interface HealthChange {
  readonly kind: string;
  /** The kind and the instance: `disk:/var`. */
  readonly subject: string;
  readonly state: "raised" | "resolved";
  /** `null`: the subject is no longer measured. */
  readonly value: number | null;
  readonly limit: number;
  readonly sinceMs: number;
}

export const subjectOf = ({ kind, instance }: Pick<HealthReading, "kind" | "instance">) =>
  instance === undefined ? kind : `${kind}:${instance}`;

/**
 * Compares one round of readings of a host with the limits. An alert begins above one limit and ends below another,
 * either only after `readingsInRow` readings in a row. Each beginning and each end is one change.
 *
 * @param before - the states that the previous round returned
 * @param unmeasured - subjects, or kinds, that the host has and could not measure: their states stay as they are
 */
export function updateHealth(
  before: Readonly<Record<string, HealthState>>,
  readings: readonly HealthReading[],
  limits: HealthLimits,
  readingsInRow: number,
  nowMs: number,
  unmeasured: ReadonlySet<string> = new Set(),
): { after: Record<string, HealthState>; changes: HealthChange[] } {
  const after: Record<string, HealthState> = {};
  const changes: HealthChange[] = [];
  const values = new Map(readings.map((reading) => [subjectOf(reading), reading]));
  for (const subject of new Set([...Object.keys(before), ...values.keys()])) {
    const known = Object.hasOwn(before, subject) ? before[subject] : undefined;
    const { raised, against } = known ?? { raised: null, against: 0 };
    const value = values.get(subject)?.value ?? null;
    const kind = subject.split(":", 1)[0] ?? subject;
    const band = Object.hasOwn(limits, kind) ? limits[kind as HealthKind] : null;
    if (value === null && band !== null && (unmeasured.has(subject) || unmeasured.has(kind))) {
      after[subject] = { raised, against };
      continue;
    }
    const contradicts = raised === null ? value !== null && beyond(value, band) : value === null || below(value, band);
    // An alert whose limit was removed ends at once: a person decided so.
    const changesState = contradicts && (against + 1 >= readingsInRow || (raised !== null && band === null));
    if (!changesState) {
      if (raised !== null || contradicts) after[subject] = { raised, against: contradicts ? against + 1 : 0 };
    } else if (raised === null && band !== null && value !== null) {
      after[subject] = { against: 0, raised: { sinceMs: nowMs, value, limit: band.raise_above } };
      changes.push({ kind, subject, state: "raised", value, limit: band.raise_above, sinceMs: nowMs });
    } else if (raised !== null) {
      const limit = band?.resolve_below ?? raised.limit;
      changes.push({ kind, subject, state: "resolved", value, limit, sinceMs: raised.sinceMs });
    }
  }
  return { after, changes };
}

const beyond = (value: number, band: Band | null) => band !== null && value > band.raise_above;
const below = (value: number, band: Band | null) => band === null || value < band.resolve_below;
