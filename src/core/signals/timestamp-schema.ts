import * as z from "zod";

/** A time as Ganglion stores and shows it: RFC 3339 in UTC with milliseconds. */
export const Timestamp = z.string().meta({ format: "date-time", example: "2026-01-31T12:00:00.000Z" });
