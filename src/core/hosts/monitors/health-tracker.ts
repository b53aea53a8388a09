import type { HealthReading } from "./facts.ts";
import type { Band, HealthKind, HealthLimits } from "./monitor-settings.ts";

/** One thing that is watched, as long as there is something to remember about it. */
export interface HealthState {
  /** Readings in a row that speak for the other state. */
  readonly against: number;
  /** The alert that stands. */
  readonly raised: { readonly sinceMs: number; readonly value: number; readonly limit: number } | null;
}

export interface HealthChange {
  readonly kind: string;
  /** The kind, and which of several: `disk:/var`. */
  readonly subject: string;
  readonly state: "raised" | "resolved";
  /** `null`: it is not measured any more. */
  readonly value: number | null;
  readonly limit: number;
  readonly sinceMs: number;
}

export const subjectOf = ({ kind, instance }: Pick<HealthReading, "kind" | "instance">) =>
  instance === undefined ? kind : `${kind}:${instance}`;

/**
 * Judges one round of readings of a host. An alert is told once when it begins and once when it ends: it begins above
 * one limit, ends below another, and either only after so many readings in a row.
 *
 * @param before - what the last round left; subjects that are quiet are not in it
 */
export function judgeHealth(
  before: Readonly<Record<string, HealthState>>,
  readings: readonly HealthReading[],
  limits: HealthLimits,
  readingsInRow: number,
  nowMs: number,
): { after: Record<string, HealthState>; changes: HealthChange[] } {
  const after: Record<string, HealthState> = {};
  const changes: HealthChange[] = [];
  const values = new Map(readings.map((reading) => [subjectOf(reading), reading]));
  for (const subject of new Set([...Object.keys(before), ...values.keys()])) {
    const { raised, against } = before[subject] ?? { raised: null, against: 0 };
    const value = values.get(subject)?.value ?? null;
    const kind = subject.split(":", 1)[0] ?? subject;
    const band = Object.hasOwn(limits, kind) ? limits[kind as HealthKind] : null;
    const otherwise = raised === null ? value !== null && beyond(value, band) : value === null || below(value, band);
    // A limit that was taken away ends its alert at once: somebody decided so.
    const turn = otherwise && (against + 1 >= readingsInRow || (raised !== null && band === null));
    if (!turn) {
      if (raised !== null || otherwise) after[subject] = { raised, against: otherwise ? against + 1 : 0 };
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
