import * as z from "zod";
import { GapSettings } from "../gaps/gap-settings.ts";
import type { WindowLimits } from "./window.ts";

/** Everything about observations that an ecosystem may set, apart from its scanners. */
export const ObservationSettings = GapSettings.extend({
  window_seconds: z.int().min(10).max(3_600).default(300).describe("Length of the window"),
  window_capacity: z
    .int()
    .min(100)
    .max(200_000)
    .default(10_000)
    .describe("Observations in the window at most; beyond that the oldest leave early"),
});
export type ObservationSettings = z.infer<typeof ObservationSettings>;

export const DEFAULT_OBSERVATION_SETTINGS: ObservationSettings = ObservationSettings.parse({});

export function windowLimits({ window_seconds, window_capacity }: ObservationSettings): WindowLimits {
  return { windowMs: window_seconds * 1_000, capacity: window_capacity };
}
