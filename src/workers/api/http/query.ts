import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { fieldErrors } from "../../../core/problem/field-errors.ts";
import { QUEUE_NAME, QUEUE_RULE, TASK_ID, TASK_ID_RULE } from "../../../core/queue/task-input.ts";
import { LIMITS } from "../../../core/signals/limits.ts";
import { ECOSYSTEM_NAME, ECOSYSTEM_RULE, IDENTIFIER } from "../../../core/signals/signal.ts";
import { parseTimestamp } from "../../../core/signals/timestamp.ts";
import { invalid } from "./refusal.ts";

/** An empty parameter (`?source=`) is an absent one. */
const blankIsAbsent = (value: unknown) => (value === "" ? undefined : value);

const once = z.string({ error: "give this parameter once" });

/** A whole number; `fallback` is the default. */
export function wholeNumber(min: number, max: number, fallback: number, description: string) {
  return z
    .preprocess(blankIsAbsent, once.optional())
    .transform((text, context) => {
      const value = text === undefined ? fallback : /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
      if (value >= min && value <= max) return value;
      context.addIssue({ code: "custom", message: `give a whole number from ${min} to ${max}` });
      return z.NEVER;
    })
    .openapi({
      type: "integer",
      minimum: min,
      maximum: max,
      default: fallback,
      description,
      param: { required: false },
    });
}

/** A sequence number of the log. */
export function sequence(description: string) {
  return z
    .preprocess(blankIsAbsent, once.optional())
    .transform((text, context) => {
      if (text === undefined) return undefined;
      if (/^\d{1,15}$/.test(text)) return Number(text);
      context.addIssue({ code: "custom", message: "give a sequence number, 0 or more" });
      return z.NEVER;
    })
    .openapi({ type: "integer", minimum: 0, description, param: { required: false } });
}

/** A time, parsed to milliseconds since the epoch. */
export function time(description: string) {
  return z
    .preprocess(blankIsAbsent, once.optional())
    .transform((text, context) => {
      if (text === undefined) return undefined;
      const ms = parseTimestamp(/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);
      if (ms !== undefined) return ms;
      context.addIssue({
        code: "custom",
        message: "give RFC 3339 (2026-01-31T12:00:00.000Z, a + written as %2B) or seconds since the epoch",
      });
      return z.NEVER;
    })
    .openapi({ type: "string", format: "date-time", description, param: { required: false } });
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values, description: string) {
  const [fallback] = values;
  return z
    .preprocess(blankIsAbsent, z.enum(values, { error: `give one of ${values.join(", ")}` }).optional())
    .transform((value): Values[number] => value ?? fallback)
    .openapi({ type: "string", enum: [...values], default: fallback, description, param: { required: false } });
}

/** One of several values, or none. */
export function choice<const Values extends readonly [string, ...string[]]>(values: Values, description: string) {
  return z
    .preprocess(blankIsAbsent, z.enum(values, { error: `give one of ${values.join(", ")}` }).optional())
    .openapi({ type: "string", enum: [...values], description, param: { required: false } });
}

export function words(description: string) {
  return z
    .preprocess(blankIsAbsent, once.max(LIMITS.identifierLength).optional())
    .openapi({ type: "string", maxLength: LIMITS.identifierLength, description, param: { required: false } });
}

/** `next` of an earlier page. Each list has its own form of it; only its characters are checked here. */
export const pageCursor = z
  .preprocess(blankIsAbsent, once.regex(/^[\w.:@~=-]{1,256}$/, "give `next` of an earlier page").optional())
  .openapi({ type: "string", description: "`next` of the page before", param: { required: false } });

const PATTERN = /^!?[A-Za-z0-9_.:*-]{1,128}$/;
const MAX_PATTERNS = 64;

/** Signal patterns, repeated or with commas between them. */
export const patterns = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .transform((given, context) => {
    const list = [given ?? []].flat().flatMap((text) => text.split(",").filter((pattern) => pattern !== ""));
    if (list.length > MAX_PATTERNS) {
      context.addIssue({ code: "custom", message: `give ${MAX_PATTERNS} patterns at most` });
    }
    if (!list.every((pattern) => PATTERN.test(pattern))) {
      context.addIssue({
        code: "custom",
        message: "a pattern is a signal's name in which * stands for any characters, such as Q_*; a leading ! excludes",
      });
    }
    return list;
  })
  .openapi({
    type: "array",
    items: { type: "string", example: "Q_*" },
    description:
      "Names in which `*` stands for any characters; a leading `!` excludes. Repeat the parameter or use commas.",
    param: { required: false, style: "form", explode: true },
  });

// Schemas of src/core are not used here: `.openapi` exists only on schemas that were made after the import above extended
// Zod, and the order of imports decides whether src/core was loaded later.
export const EcosystemPath = z.object({
  eco: z
    .string()
    .regex(ECOSYSTEM_NAME, ECOSYSTEM_RULE)
    .openapi({ param: { description: "The ecosystem" }, example: "default" }),
});

export const QueuePath = EcosystemPath.extend({
  q: z
    .string()
    .regex(QUEUE_NAME, QUEUE_RULE)
    .openapi({ param: { description: "The queue; its first task creates it" }, example: "work" }),
});
export const TaskPath = QueuePath.extend({
  id: z
    .string()
    .regex(TASK_ID, TASK_ID_RULE)
    .openapi({ param: { description: "The task's id, percent-encoded" }, example: "build-17" }),
});

export const hostName = z
  .string({ error: "give the name of the host that links: ?host=" })
  .regex(
    IDENTIFIER,
    "a host's name starts with a letter or digit and holds letters, digits and . _ : @ ~ - (256 characters at most)",
  )
  .openapi({ description: "Name of the host that links", example: "gpu-01" });

/** The last host of the page before. */
export const hostBefore = z
  .preprocess(blankIsAbsent, hostName.optional())
  .openapi({ type: "string", description: "`next` of the previous page", param: { required: false } });

/** Refuses a request whose path or query is not valid. */
export function refuseInvalid(
  result: { target: string } & ({ success: true } | { success: false; error: z.ZodError }),
  _c: Context,
): undefined {
  if (result.success) return;
  const at = result.target === "param" ? "/path" : `/${result.target}`;
  const errors = fieldErrors(result.error.issues, at, undefined, { field: "parameter" });
  throw invalid(result.target === "param" ? "invalid-path" : "invalid-query", "The request is not valid", errors);
}
