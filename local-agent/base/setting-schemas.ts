import * as z from "zod";

/** A number within limits. One message serves all errors, because all have the same fix. */
export const limitedNumber = (from: number, to: number, message: string) =>
  z.number(message).min(from, message).max(to, message);

export const PathSetting = z.string().min(1, "give a path");

export const EnabledSetting = z.boolean("give true or false").default(true);
