import type { ProjectionBatch } from "./batch.ts";

/** What a projection has to do with a batch, given how far it has come. */
export type Intake =
  | { readonly step: "skip" }
  /** Something is missing before it, or it names its signals only by place: read `(cursor, through]` from the log. */
  | { readonly step: "read"; readonly through: number }
  /** Take the lines beyond the cursor, then stand at `through`. */
  | { readonly step: "take"; readonly lines: readonly string[]; readonly through: number };

/**
 * Makes a queue that loses, doubles and reorders exact (DESIGN.md, decision 4). A batch at or below the cursor is
 * old. One that begins beyond it leaves a hole, which only the log can fill; what lies in the hole may well include
 * signals that a later message carries, and those are then old in their turn.
 */
export function planIntake(cursor: number, batch: ProjectionBatch, seqOf: (line: string) => number): Intake {
  if (batch.through <= cursor) return { step: "skip" };
  if (batch.after > cursor || batch.lines === undefined) return { step: "read", through: batch.through };
  return { step: "take", lines: batch.lines.filter((line) => seqOf(line) > cursor), through: batch.through };
}
