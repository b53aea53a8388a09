import * as z from "zod";
import type { FieldError } from "../problem/field-error.ts";
import { ECOSYSTEM_NAME } from "../signals/signal.ts";
import { formatTimestamp, parseTimestamp, TIME_RULE } from "../signals/timestamp.ts";
import { bindingsOf, fitsSockets, NewBindings, TOO_MANY_NAMES } from "./bindings.ts";
import { SCOPES } from "./scopes.ts";

/** The request of an administrator for a token. */
export const NewToken = z
  .strictObject({
    name: z.string().min(1).max(128),
    scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
    ecosystems: z
      .array(
        z.string().refine((name) => name === "*" || ECOSYSTEM_NAME.test(name), {
          message: "give the name of an ecosystem (a-z, 0-9 and -, 63 at most) or * for all",
        }),
      )
      .min(1)
      .max(1_000),
    /** Absent or `null`: the token never expires. */
    expires_at: z
      .union([z.string(), z.number()])
      .refine((value) => parseTimestamp(value) !== undefined, {
        message: TIME_RULE,
      })
      .nullish(),
    ...NewBindings,
  })
  .refine((token) => fitsSockets(bindingsOf(token)), { message: TOO_MANY_NAMES, path: ["hosts"] });
export type NewToken = z.infer<typeof NewToken>;

/** Refuses a token that would never be valid: its time is past. */
export function expiryErrors(token: NewToken, nowMs: number): FieldError[] {
  const ms = parseTimestamp(token.expires_at);
  if (ms === undefined || ms > nowMs) return [];
  const message = `${formatTimestamp(ms)} has passed: give a time to come, or null for a token that never expires`;
  return [{ pointer: "/expires_at", message }];
}

/** @returns the time in the form that is stored and shown; `null`: the token never expires */
export function expiryOf(token: NewToken): string | null {
  const ms = parseTimestamp(token.expires_at);
  return ms === undefined ? null : formatTimestamp(ms);
}
