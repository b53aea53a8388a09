import type * as z from "zod";
import type { Sample } from "../window/sample.ts";

/** Something a scanner has to say about one group (a reporter, a task type, a variant). */
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

/** Why anybody should believe a finding. Figures are rounded, so that they read well and compare equal. */
export interface Evidence {
  readonly metric: string;
  readonly value: number;
  readonly threshold: number;
  readonly unit: string;
  readonly sample_count: number;
  /** In alphabetical order; the first {@link ./sample-group.ts} names of many. */
  readonly reporters: readonly string[];
  /** Lowest and highest place in the log of the signals behind it. */
  readonly first_seq: number;
  readonly last_seq: number;
  /** What else was measured along with it, and who was compared with whom. */
  readonly details?: Readonly<Record<string, number | string>>;
}

/** The newest sample behind a finding: the gap's cause. */
export type FindingWithCause = ScannerFinding & { readonly cause: Sample };

/**
 * Watches one kind of trouble. It keeps running sums: {@link observe} and {@link forget} cost the same however long
 * the window is, {@link findings} costs the number of groups. It has no clock: what it says follows from the samples
 * inside alone, whatever came and went before.
 */
export interface Scanner {
  observe(sample: Sample): void;
  /** The very sample that was given to {@link observe}, once. */
  forget(sample: Sample): void;
  findings(): Iterable<FindingWithCause>;
}

export type ScannerSettings = Readonly<Record<string, number>>;

/** A kind of scanner: what a file of this room exports, and what {@link ./all-scanners.ts} lists. */
export interface ScannerKind<Settings extends ScannerSettings = ScannerSettings> {
  readonly id: string;
  readonly category: string;
  /** Every field has a default and a description. `parse({})` gives the settings to start with. */
  readonly settings: z.ZodType<Settings, { readonly [Name in keyof Settings]?: Settings[Name] | undefined }>;
  open(settings: Settings): Scanner;
}

/** A kind whose settings are told from its schema, forgotten where all kinds stand side by side. */
export function scannerKind<Settings extends ScannerSettings>(kind: ScannerKind<Settings>): ScannerKind {
  return kind as unknown as ScannerKind;
}
