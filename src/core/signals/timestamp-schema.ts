import * as z from "zod";
import { parseTimestamp, TIME_RULE } from "./timestamp.ts";

/** A time as Ganglion stores and shows it: RFC 3339 in UTC with milliseconds. */
export const Timestamp = z.string().meta({ format: "date-time", example: "2026-01-31T12:00:00.000Z" });

/** A time that callers give, in milliseconds since the epoch. */
export const GivenTime = z.union([z.string(), z.number()]).transform((value, context) => {
  const ms = parseTimestamp(value);
  if (ms !== undefined) return ms;
  context.addIssue({ code: "custom", message: TIME_RULE });
  return z.NEVER;
});
