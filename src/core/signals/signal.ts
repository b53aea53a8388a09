import * as z from "zod";
import { LIMITS } from "./limits.ts";
import { parseTimestamp, TIME_RULE } from "./timestamp.ts";
import { Timestamp } from "./timestamp-schema.ts";

/** `Q_<ACTION>_<STATE>`, `OBSERVATION`, `CAPABILITY_GAP`, or any other name of these characters. */
export const SIGNAL_NAME = /^[A-Za-z][A-Za-z0-9_.:-]{0,127}$/;
/** An ecosystem's name: the unit of isolation. */
export const ECOSYSTEM_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Characters that need no escaping in JSON or in a path segment. */
export const IDENTIFIER = /^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,255}$/;
/** https://www.w3.org/TR/trace-context/#traceparent-header */
export const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export type Facts = Record<string, unknown>;

export const ECOSYSTEM_RULE =
  "an ecosystem's name starts with a letter or digit and holds a-z, 0-9 and - (63 characters at most)";
export const SignalName = z.string().regex(SIGNAL_NAME, {
  message: "a signal's name starts with a letter and holds letters, digits and _ . : - (128 characters at most)",
});
export const EcosystemName = z.string().regex(ECOSYSTEM_NAME, {
  message: ECOSYSTEM_RULE,
});
export const Identifier = z.string().regex(IDENTIFIER, {
  message:
    "an identifier starts with a letter or digit and holds letters, digits and . _ : @ ~ - (256 characters at most)",
});
const InputTime = z.union([z.string(), z.number()]).refine((value) => parseTimestamp(value) !== undefined, {
  message: TIME_RULE,
});

/**
 * A signal as a caller sends it. The fields that the log assigns (`seq`, `received_at`, `ecosystem`, `depth`, `via`, `hops`) are
 * allowed, so that a signal read from the log can be sent again as it is; they are ignored, but for `depth` beside a `cause`. Any other
 * field is refused, because dropping a misspelt field in silence would lose a fact.
 */
export const SignalInput = z.strictObject({
  signal: SignalName,
  source: z.string().min(1).max(LIMITS.identifierLength),
  facts: z.record(z.string(), z.unknown()),
  timestamp: InputTime.optional(),
  id: Identifier.optional(),
  cause: Identifier.nullish(),
  trace: z.string().regex(TRACEPARENT, { message: "give a W3C traceparent: 00-<32 hex>-<16 hex>-<2 hex>" }).nullish(),
  seq: z.unknown().optional(),
  received_at: z.unknown().optional(),
  ecosystem: z.unknown().optional(),
  depth: z.unknown().optional(),
  via: z.unknown().optional(),
  hops: z.unknown().optional(),
});
export type SignalInput = z.input<typeof SignalInput>;

/**
 * Where a signal came from that a rule of another ecosystem forwarded. Only the edge writes this, so it can be trusted: it
 * stands in the place of `cause`, which names a signal of the same log.
 */
export const Via = z.object({
  ecosystem: z.string(),
  seq: z.int().meta({ example: 42 }),
  id: z.string(),
  signal: z.string(),
  source: z.string(),
});
export type Via = Readonly<z.infer<typeof Via>>;

/** A signal as the log gives it to readers. Times are RFC 3339 in UTC with milliseconds. */
export const Signal = z.object({
  /** Without holes. */
  seq: z.int().meta({ example: 42, description: "Sequence number in the ecosystem's log, from 1" }),
  id: z.string(),
  signal: z.string().meta({ example: "Q_DREAM_TRIGGER" }),
  source: z.string(),
  ecosystem: z.string(),
  timestamp: Timestamp.meta({ description: "Event time, as the sender gave it" }),
  /** Never goes back from one signal to the next. */
  received_at: Timestamp.meta({ description: "When the log accepted the signal" }),
  facts: z.record(z.string(), z.unknown()).meta({ additionalProperties: true }),
  cause: z.string().optional().meta({ description: "Id of the signal that led to this one" }),
  trace: z.string().optional().meta({ description: "W3C traceparent" }),
  depth: z.int().optional().meta({ description: "Length of the chain of causes above the signal, where known" }),
  via: Via.optional().meta({ description: "The signal of another ecosystem whose forwarding this signal is" }),
  hops: z.int().optional().meta({ description: "How often the chain of causes went from one ecosystem to another" }),
});
export type Signal = Readonly<z.infer<typeof Signal>>;

/** A signal that was admitted and is not in the log yet. Its facts are serialised once and not parsed again on the way. */
export interface NewSignal {
  /** `undefined`: the log assigns one. */
  readonly id: string | undefined;
  readonly signal: string;
  readonly source: string;
  /** `undefined`: the time at which the log accepts the signal. */
  readonly timestampMs: number | undefined;
  readonly factsJson: string;
  readonly cause: string | undefined;
  readonly trace: string | undefined;
  readonly depth: number | undefined;
  /** Of a signal that a rule of another ecosystem forwarded; set by the edge alone. */
  readonly via?: Via | undefined;
  readonly hops?: number | undefined;
}
