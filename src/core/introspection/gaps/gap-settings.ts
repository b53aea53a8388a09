import * as z from "zod";
import { doubled } from "../../numbers/doubled.ts";

/** Settings that damp gaps which flap, and that repeat gaps which stay open. */
export const GapSettings = z.strictObject({
  flap_seconds: z
    .int()
    .min(0)
    .max(3_600)
    .default(60)
    .describe("A gap found again within this time after its end is reopened instead of raised anew"),
  calm_seconds: z
    .int()
    .min(0)
    .max(3_600)
    .default(30)
    .describe("A reopened gap is resolved after this long without evidence; doubled each time it reopens"),
  reminder_seconds: z
    .int()
    .min(0)
    .max(604_800)
    .default(0)
    .describe("An open gap is emitted again after each such interval; 0: never"),
});
export type GapSettings = z.infer<typeof GapSettings>;

export const DEFAULT_GAP_SETTINGS: GapSettings = GapSettings.parse({});

/** Upper limit of the doubled calm time. */
const MAX_CALM_MS = 600_000;

/** @returns how long a gap must be quiet before it is resolved, in milliseconds; 0 for one that was never reopened */
export function calmMs(reopened: number, { calm_seconds }: GapSettings): number {
  if (reopened === 0) return 0;
  return doubled(calm_seconds * 1_000, MAX_CALM_MS, reopened - 1);
}
