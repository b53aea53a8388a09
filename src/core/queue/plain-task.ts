import { LIMITS } from "../signals/limits.ts";
import { IDENTIFIER, TRACEPARENT } from "../signals/signal.ts";
import { ANYONE, LEAST_URGENT, MOST_URGENT } from "./task.ts";

/**
 * Checks of the fields that tasks and calls have in common, for values that are what they should be in the usual way. A value
 * that none of them takes may be good all the same: the schema decides, and finds the words. The schemas take a microsecond
 * for each field, and these some nanoseconds.
 */

/** Fields without those that are seldom used and need more than a look. */
export interface PlainCommon {
  readonly recipient: string;
  readonly type: string;
  readonly payload: unknown;
  readonly sender?: string | null | undefined;
  readonly priority?: number | undefined;
  readonly cause?: string | null | undefined;
  readonly trace?: string | null | undefined;
  readonly depth?: number | null | undefined;
}

type Unchecked<Fields> = { readonly [Name in keyof Fields]?: unknown };

const absent = (value: unknown) => value === undefined || value === null;
const isIdentifier = (value: unknown) => typeof value === "string" && IDENTIFIER.test(value);

/** Whether a value is a whole number of a range, which lies within those that a double holds exactly. */
export const isWhole = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

/** @param type - of the task, which a call names otherwise */
export const hasPlainCommon = (fields: Unchecked<Omit<PlainCommon, "type">>, type: unknown): boolean =>
  (fields.recipient === ANYONE || isIdentifier(fields.recipient)) &&
  isIdentifier(type) &&
  fields.payload !== undefined &&
  (absent(fields.sender) || isSender(fields.sender)) &&
  (fields.priority === undefined || isWhole(fields.priority, MOST_URGENT, LEAST_URGENT)) &&
  (absent(fields.cause) || isIdentifier(fields.cause)) &&
  (absent(fields.trace) || (typeof fields.trace === "string" && TRACEPARENT.test(fields.trace))) &&
  (absent(fields.depth) || isWhole(fields.depth, 1, 1_000));

const isSender = (value: unknown) =>
  typeof value === "string" && value.length > 0 && value.length <= LIMITS.identifierLength;

/** Whether all members of a value are among these; a list, and what is no object, has none of them. */
export function isObjectOf(value: unknown, names: ReadonlySet<string>): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const name in value) if (!names.has(name)) return false;
  return true;
}
