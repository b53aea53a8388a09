import * as z from "zod";
import { LIMITS } from "../signals/limits.ts";
import { compilePatterns } from "../signals/pattern.ts";
import { parseTimestamp, TIME_RULE } from "../signals/timestamp.ts";
import type { DeadLetter } from "./dead-letter.ts";
import { DEAD_LETTER_KINDS } from "./kinds.ts";

const Words = z.string().min(1).max(LIMITS.identifierLength);
const Time = z.union([z.string(), z.number()]).refine((value) => parseTimestamp(value) !== undefined, {
  message: TIME_RULE,
});

/** Selects dead letters. An absent field selects all. */
export const DeadLetterFilter = z.strictObject({
  kind: z.enum(DEAD_LETTER_KINDS).optional(),
  /** The component that gave up; `*` stands for any text. */
  daemon: Words.optional(),
  /** Patterns of signal names, see core/signals/pattern.ts. Selects dead letters that hold such a signal. */
  signal: z
    .array(
      z
        .string()
        .min(1)
        .max(LIMITS.nameLength + 1),
    )
    .max(64)
    .optional(),
  host: Words.optional(),
  /** Last failure at this time or later. */
  since: Time.optional(),
  /** Last failure before this time. */
  until: Time.optional(),
  /** Text in the id, the error or the failed item. Case is ignored. */
  text: Words.optional(),
});
export type DeadLetterFilter = z.infer<typeof DeadLetterFilter>;

export function compileFilter(filter: DeadLetterFilter): (deadLetter: DeadLetter) => boolean {
  const sinceMs = filter.since === undefined ? Number.NEGATIVE_INFINITY : (parseTimestamp(filter.since) ?? 0);
  const untilMs = filter.until === undefined ? Number.POSITIVE_INFINITY : (parseTimestamp(filter.until) ?? 0);
  const named = filter.signal === undefined || filter.signal.length === 0 ? undefined : compilePatterns(filter.signal);
  const daemon = filter.daemon === undefined ? undefined : compilePatterns([filter.daemon]);
  const text = filter.text?.toLowerCase();
  return (deadLetter) => {
    const failedMs = Date.parse(deadLetter.last_failed_at);
    return (
      (filter.kind === undefined || deadLetter.kind === filter.kind) &&
      (filter.host === undefined || deadLetter.host === filter.host) &&
      failedMs >= sinceMs &&
      failedMs < untilMs &&
      (daemon === undefined || daemon(deadLetter.daemon)) &&
      (named === undefined || named(signalName(deadLetter))) &&
      (text === undefined || JSON.stringify(deadLetter).toLowerCase().includes(text))
    );
  };
}

/** Name of the signal in the dead letter, or "". */
export function signalName({ signal }: Pick<DeadLetter, "signal">): string {
  const name = typeof signal === "object" && signal !== null && "signal" in signal ? signal.signal : undefined;
  return typeof name === "string" ? name : "";
}
