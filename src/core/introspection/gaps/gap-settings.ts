import * as z from "zod";
import { doubled } from "../../numbers/doubled.ts";

/** How gaps live (R16). */
export const GapSettings = z.strictObject({
  flap_seconds: z
    .int()
    .min(0)
    .max(3_600)
    .default(60)
    .describe("A gap that comes back this soon after it was resolved is the same gap, reopened"),
  calm_seconds: z
    .int()
    .min(0)
    .max(3_600)
    .default(30)
    .describe("A gap that was reopened stays open until it was quiet for so long; doubled with every further time"),
  reminder_seconds: z.int().min(0).max(604_800).default(0).describe("An open gap is sent again this often; 0: never"),
});
export type GapSettings = z.infer<typeof GapSettings>;

export const DEFAULT_GAP_SETTINGS: GapSettings = GapSettings.parse({});

/** Longest calm that is asked for. */
const MAX_CALM_MS = 600_000;

/** @returns how long a gap must be quiet before it is resolved, in milliseconds; 0 for one that was never reopened */
export function calmMs(reopened: number, { calm_seconds }: GapSettings): number {
  if (reopened === 0) return 0;
  return doubled(calm_seconds * 1_000, MAX_CALM_MS, reopened - 1);
}
