import * as z from "zod";
import { wallTime } from "../times/zone.ts";

/** Limits of an ecosystem, at most. */
export const MAX_LIMITS = 200;
/** Reservations of one limit that are not settled, at most. */
export const MAX_HELD = 10_000;

const PerMinute = z.int().min(1).max(1_000_000_000).optional();

export const LimitZone = z
  .string()
  .min(1)
  .max(64)
  .refine(isZone, { message: "give the name of a time zone, such as Europe/Berlin" })
  .default("UTC");

/** A limit as people write it. What is not named is not limited. */
export const LimitInput = z.strictObject({
  description: z.string().max(500).optional(),
  requests_per_minute: PerMinute.meta({ description: "Requests in any minute" }),
  input_tokens_per_minute: PerMinute.meta({ description: "Tokens sent in any minute" }),
  output_tokens_per_minute: PerMinute.meta({ description: "Tokens received in any minute" }),
  concurrency: z.int().min(1).max(MAX_HELD).optional().meta({ description: "Reservations that are not settled" }),
  usd_per_day: z.number().positive().max(1_000_000).optional().meta({ description: "US dollars in a day" }),
  zone: LimitZone.meta({ description: "IANA time zone in which days begin", example: "Europe/Berlin" }),
  reservation_seconds: z.int().min(1).max(86_400).default(600).meta({
    description: "A reservation that is not settled within this time expires, and its amounts come back",
  }),
  ramp_seconds: z.int().min(0).max(3_600).default(60).meta({
    description: "After it was closed, the limit grows from a tenth to its whole within this time",
  }),
  when_away: z.enum(["open", "closed"]).default("open").meta({
    description: "What clients do that cannot reach the edge: go on without a reservation, or wait",
  }),
});
export type LimitInput = z.input<typeof LimitInput>;
export type LimitSettings = z.output<typeof LimitInput>;

export function isZone(zone: string): boolean {
  try {
    wallTime(0, zone);
    return true;
  } catch {
    // Intl throws a RangeError for a zone that it does not know: that is the answer.
    return false;
  }
}
