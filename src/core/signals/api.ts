import * as z from "zod";
import { Budget } from "../billing/budget.ts";
import { ObjectSize } from "../billing/heap-budget.ts";
import type { Problem } from "../problem/problem.ts";
import type { RateLimit } from "../problem/rate-limit.ts";
import { type NewSignal, Signal } from "./signal.ts";
import { Timestamp } from "./timestamp-schema.ts";

/** Signals to append, in order. */
export interface AppendRequest {
  /** An idempotent producer and the number of its first signal here; the others follow without holes. */
  readonly producer?: {
    readonly name: string;
    readonly first: number;
    /**
     * The numbers come from another machine, which may be a clone, or may have been set back: numbers that the log has
     * are compared with what it holds under them, and numbers far ahead are refused.
     */
    readonly remote?: boolean;
  };
  /** Whose ids these are: the token's id, or the host; absent: the edge's own. See log/id-owner.ts. */
  readonly owner?: string;
  /** Observations are not stored: the budget of the ecosystem is used up. A producer's numbers go on over them. */
  readonly leaveOut?: boolean;
  readonly signals: readonly NewSignal[];
}

/** A signal bears an id that the log gives out itself, or that belongs to the producer of a host. Nothing was stored. */
export interface ForeignId {
  readonly foreign_id: string;
  /** Place of the signal in the request. */
  readonly place: number;
}

/**
 * The signals are durable. `first_seq` and `last_seq` are the lowest and the highest sequence number of these signals in the
 * log, those of duplicates included where the log knows them.
 */
export const AppendResult = z.object({
  first_seq: z.int().nullable(),
  last_seq: z.int().nullable(),
  accepted: z.int(),
  duplicates: z.int().meta({ description: "Signals that the log had already: counted, not stored again" }),
  ids: z.array(z.string()).readonly().meta({
    description: "In the order of the request; of an observation that was left out, the id that it came with, or none",
  }),
  left_out: z.int().optional().meta({
    description: "Observations that were not stored, because the budget of the ecosystem is used up; absent: none",
  }),
});
export type AppendResult = Readonly<z.infer<typeof AppendResult>>;

/** The log has more waiting than it may hold in memory, or its disk refuses. Nothing of the request was stored. */
export interface Overloaded {
  readonly overloaded: true;
  readonly retry_after_ms: number;
  readonly detail: string;
  /** Refuses this sender alone, who has sent too much today. */
  readonly problem?: Problem;
}

/**
 * The producer's numbers do not fit those of the log, and nothing of the request was stored: `differs`, the log holds other
 * signals under them; `gap`, they are far ahead of the last; `closed`, an earlier request of the producer differed. The
 * producer goes on under a new name.
 */
export interface NumberConflict {
  readonly conflict: "differs" | "gap" | "closed";
  /** Up to here the log holds the producer's signals as they were sent; `null`: nothing was compared. */
  readonly same_up_to: number | null;
  /** Last number of the producer in the log. */
  readonly last: number;
}

/** {@link AppendResult}, and what the sender may add today, for a token that sends over HTTP. */
export type Appended = AppendResult & { readonly share?: RateLimit };

export type AppendOutcome = Appended | Overloaded | NumberConflict | ForeignId;

export interface ReadQuery {
  /** Patterns, see pattern.ts; empty: all signals. */
  readonly signals: readonly string[];
  readonly source?: string;
  /** Exclusive, in the direction of `order`: with `desc`, signals before this sequence number. */
  readonly after?: number;
  /** Event time, inclusive, in milliseconds since the epoch. */
  readonly sinceMs?: number;
  /** Event time, exclusive, in milliseconds since the epoch. */
  readonly untilMs?: number;
  readonly limit: number;
  readonly order: "asc" | "desc";
}

/** A search for effects of signals. */
export interface EffectsQuery {
  readonly ids: readonly string[];
  readonly after: number;
  readonly limit: number;
  /** The signal that is meant, where others bear its id. */
  readonly of?: { readonly id: string; readonly seq: number };
}

/** One page between the log and the API. `lines` are the signals as JSON texts, so that they reach the caller unparsed. */
export interface ReadPage {
  readonly lines: readonly string[];
  /** `after` of the next page; `null`: there is no more for now. A page may be short, or empty, and still have a next one. */
  readonly next: number | null;
}

/** The same page as the API answers it. */
export const SignalPage = z.object({
  signals: z.array(Signal),
  searched: z
    .object({
      from: z
        .int()
        .nullable()
        .meta({ description: "Sequence number at which the search began; null: nothing was searched" }),
      through: z
        .int()
        .nullable()
        .meta({ description: "Sequence number up to which it came, in the direction of `order`" }),
      signals: z.int().meta({ description: "Signals on which the condition was evaluated" }),
      failed: z.int().meta({ description: "Signals on which it could not be evaluated" }),
      first_failure: z.string().optional().meta({ description: "Why, of the first of them; absent: there was none" }),
    })
    .optional()
    .meta({ description: "Only with `filter`: which part of the log was searched" }),
  next: z.int().nullable().meta({
    description:
      "Give this number as `after` for the next page; null: there is no more for now. A page may be short and still have a next one.",
  }),
});
export type SignalPage = Readonly<z.infer<typeof SignalPage>>;

/** A producer whose numbers the log knows. */
export const ProducerRecord = z.object({
  producer: z
    .string()
    .meta({ example: "gpu-01.0a1b2c3d4e5f.bus", description: "`<host>.<epoch>.<lane>`, or `ganglion.…`" }),
  last: z.int().meta({ description: "Number of its last signal in the log" }),
  seen_at: Timestamp.meta({ description: "When the log received that signal" }),
});
export type ProducerRecord = Readonly<z.infer<typeof ProducerRecord>>;

/** A page of producers, by name. */
export const ProducerPage = z.object({
  producers: z.array(ProducerRecord),
  next: z.string().nullable().meta({ description: "`after` of the next page; null: there is none" }),
});

/** A row of the log that cannot be read, and that readers leave out. */
export const LogDamage = z.object({
  part: z.enum(["slice", "header", "body", "zone", "producers"]).meta({
    description:
      "Which part of its storage: a stretch of time, what a segment says of itself, its signals, a summary of segments, or a page of producers",
  }),
  place: z.int().meta({ description: "Sequence number at which a segment or zone begins; number of a slice or page" }),
  reason: z.string(),
});
export type LogDamage = Readonly<z.infer<typeof LogDamage>>;

/** The log's part of an ecosystem's status. */
export const LogStatus = z.object({
  head_seq: z.int(),
  oldest_seq: z.int().nullable(),
  signals_last_minute: z.int(),
  subscribers: z.int(),
  bytes_in_flight: z
    .int()
    .meta({ description: "Bytes that were sent to links and streams and that these have not acknowledged" }),
  hosts: z.array(z.string()).readonly(),
  unknown_frames: z.int().meta({ description: "Frames of newer agents that were ignored since the log woke" }),
  database_bytes: z.int().meta({ description: "Bytes of storage that the log takes" }),
  heap: ObjectSize.shape.heap,
  limit_bytes: z.number().meta({ description: "Bytes beyond which the oldest signals are dropped before their time" }),
  dropped_for_size: z
    .int()
    .meta({ description: "Signals that were dropped before their time for want of room, since the log began" }),
  damaged: z
    .object({
      rows: z.int().meta({ description: "How many rows of the log cannot be read; 1,000 at most are remembered" }),
      first: z.array(LogDamage).readonly().meta({ description: "The first ten of them" }),
    })
    .optional()
    .meta({ description: "What of the log's storage cannot be read, and is left out; absent: nothing" }),
  budget: Budget.optional().meta({ description: "The budget of the ecosystem; absent: there is none" }),
});
export type LogStatus = Readonly<z.infer<typeof LogStatus>>;
