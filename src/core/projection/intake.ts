import type { SenderRange } from "../signals/log/senders.ts";
import type { ProjectionBatch } from "./batch.ts";

/** What a projection does with a batch, given its cursor. */
export type Intake =
  | { readonly step: "skip" }
  /** Signals before the batch are missing, or the batch does not carry its lines: read `(cursor, through]` from the log. */
  | { readonly step: "read"; readonly through: number }
  /** Take the lines after the cursor, then set the cursor to `through`. */
  | {
      readonly step: "take";
      readonly lines: readonly string[];
      readonly through: number;
      readonly senders: readonly SenderRange[];
    };

/**
 * Makes exact use of a queue that loses, doubles and reorders messages. A batch that ends at or below the cursor was taken
 * before. A batch that begins beyond the cursor leaves a gap, which is read from the log; signals that a later message
 * carries may lie in that gap, and that message is then skipped as taken before.
 */
export function planIntake(cursor: number, batch: ProjectionBatch, seqOf: (line: string) => number): Intake {
  if (batch.through <= cursor) return { step: "skip" };
  if (batch.after > cursor || batch.lines === undefined) return { step: "read", through: batch.through };
  const lines = batch.lines.filter((line) => seqOf(line) > cursor);
  return { step: "take", lines, through: batch.through, senders: batch.senders ?? [] };
}
