import type * as z from "zod";
import type { Party } from "../../collections/fair-queue.ts";
import type { Sample } from "../window/sample.ts";

/** A problem that a scanner finds in one group of samples: those of a reporter, a task type, a variant. */
export interface ScannerFinding {
  /** Unique among the gaps of all scanners: a gap with this name is raised once. */
  readonly name: string;
  readonly type: string;
  readonly category: string;
  readonly reason: string;
  /**
   * `breach`: beyond the threshold, opens a gap. `hold`: back within it, but not by the margin; keeps an open gap open
   * and opens none (hysteresis). A group that is neither is not a finding.
   */
  readonly verdict: "breach" | "hold";
  /** 0 (at the threshold) to 1 (as bad as it can be). */
  readonly severity: number;
  /** 0 to 1: how much work closing it is likely to be. */
  readonly installCost: number;
  readonly evidence: Evidence;
}

/** Evidence of a finding. Figures are rounded, so that they read well and compare equal. */
export interface Evidence {
  readonly metric: string;
  readonly value: number;
  readonly threshold: number;
  readonly unit: string;
  readonly sample_count: number;
  /** In alphabetical order; the first {@link ./sample-group.ts} names of many. */
  readonly reporters: readonly string[];
  /** Lowest and highest sequence number of the signals behind the finding. */
  readonly first_seq: number;
  readonly last_seq: number;
  /** Related measurements, and the groups that were compared. */
  readonly details?: Readonly<Record<string, number | string>>;
}

/**
 * The newest sample behind a finding: the gap's cause. `parties`: who sent the samples, where there are others than that
 * of the cause.
 */
export type FindingWithCause = ScannerFinding & { readonly cause: Sample; readonly parties?: readonly Party[] };

/**
 * Looks for one kind of problem. A scanner keeps running sums: {@link observe} and {@link forget} cost the same however
 * long the window is, {@link findings} costs the number of groups. A scanner has no clock: its findings follow from the
 * samples in the window alone, whatever samples entered and left before.
 */
export interface Scanner {
  observe(sample: Sample): void;
  /** Takes out a sample that was given to {@link observe}; called once for each. */
  forget(sample: Sample): void;
  findings(): Iterable<FindingWithCause>;
}

export type ScannerSettings = Readonly<Record<string, number>>;

/** A kind of scanner: what a file of this folder exports, and what {@link ./all-scanners.ts} lists. */
export interface ScannerKind<Settings extends ScannerSettings = ScannerSettings> {
  readonly id: string;
  readonly category: string;
  /** Every field has a default and a description. `parse({})` gives the settings to start with. */
  readonly settings: z.ZodType<Settings, { readonly [Name in keyof Settings]?: Settings[Name] | undefined }>;
  open(settings: Settings): Scanner;
}

/** Declares a kind with the type of its own settings, and hides this type, so that all kinds fit into one list. */
export function scannerKind<Settings extends ScannerSettings>(kind: ScannerKind<Settings>): ScannerKind {
  return {
    id: kind.id,
    category: kind.category,
    settings: kind.settings,
    open: (settings) => kind.open(kind.settings.parse(settings)),
  };
}
