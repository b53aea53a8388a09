import * as z from "zod";
import { LIMITS } from "./limits.ts";
import { parseTimestamp } from "./timestamp.ts";

/** `Q_<ACTION>_<STATE>`, `OBSERVATION`, `CAPABILITY_GAP`, or any other name of these characters. */
export const SIGNAL_NAME = /^[A-Za-z][A-Za-z0-9_.:-]{0,127}$/;
/** An ecosystem's name: the unit of isolation. */
export const ECOSYSTEM_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Characters that need no escaping in JSON or in a path segment. */
export const IDENTIFIER = /^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,255}$/;
/** https://www.w3.org/TR/trace-context/#traceparent-header */
export const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export type Facts = Record<string, unknown>;

export const SignalName = z.string().regex(SIGNAL_NAME, {
  message: "a name starts with a letter and holds letters, digits and _ . : - (128 at most)",
});
export const EcosystemName = z.string().regex(ECOSYSTEM_NAME, {
  message: "a name of an ecosystem holds a-z, 0-9 and -, starts with a letter or digit, 63 at most",
});
export const Identifier = z.string().regex(IDENTIFIER, {
  message: "an identifier starts with a letter or digit and holds letters, digits and . _ : @ ~ - (256 at most)",
});
const Timestamp = z.union([z.string(), z.number()]).refine((value) => parseTimestamp(value) !== undefined, {
  message: "give RFC 3339 (2026-01-31T12:00:00.000Z) or seconds since the epoch",
});

/**
 * A signal as a caller sends it. What the log itself assigns (`seq`, `received_at`, `ecosystem`, `depth`) may
 * stand in it, so that what was read can be sent again as it is; it is ignored, but for `depth` beside a `cause`. Any other
 * field is refused, because a misspelt field that is dropped in silence is a lost fact.
 */
export const SignalInput = z.strictObject({
  signal: SignalName,
  source: z.string().min(1).max(LIMITS.identifierLength),
  facts: z.record(z.string(), z.unknown()),
  timestamp: Timestamp.optional(),
  id: Identifier.optional(),
  cause: Identifier.nullish(),
  trace: z.string().regex(TRACEPARENT, { message: "give a W3C traceparent: 00-<32 hex>-<16 hex>-<2 hex>" }).nullish(),
  seq: z.unknown().optional(),
  received_at: z.unknown().optional(),
  ecosystem: z.unknown().optional(),
  depth: z.unknown().optional(),
});
export type SignalInput = z.input<typeof SignalInput>;

const time = { format: "date-time", example: "2026-01-31T12:00:00.000Z" };

/** A signal as the log gives it to readers. Times are RFC 3339 in UTC with milliseconds. */
export const Signal = z.object({
  /** Without holes. */
  seq: z.int().meta({ example: 42, description: "Sequence number in the ecosystem's log, from 1" }),
  id: z.string(),
  signal: z.string().meta({ example: "Q_DREAM_TRIGGER" }),
  source: z.string(),
  ecosystem: z.string(),
  timestamp: z.string().meta({ ...time, description: "Event time, as the sender gave it" }),
  /** Never goes back from one signal to the next. */
  received_at: z.string().meta({ ...time, description: "When the log accepted the signal" }),
  facts: z.record(z.string(), z.unknown()).meta({ additionalProperties: true }),
  cause: z.string().optional().meta({ description: "Id of the signal that led to this one" }),
  trace: z.string().optional().meta({ description: "W3C traceparent" }),
  depth: z.int().optional().meta({ description: "Length of the chain of causes above the signal, where known" }),
});
export type Signal = Readonly<z.infer<typeof Signal>>;

/** A signal that passed the border and is not in the log yet. Facts are serialised once and never parsed on the way. */
export interface NewSignal {
  /** `undefined`: the log gives it one. */
  readonly id: string | undefined;
  readonly signal: string;
  readonly source: string;
  /** `undefined`: the time at which the log takes it. */
  readonly timestampMs: number | undefined;
  readonly factsJson: string;
  readonly cause: string | undefined;
  readonly trace: string | undefined;
  readonly depth: number | undefined;
}
