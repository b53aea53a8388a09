import type { NewSignal } from "./signal.ts";

/** Signals to append, in order. */
export interface AppendRequest {
  /** An idempotent producer and the number of its first signal here; the others follow without holes. */
  readonly producer?: { readonly name: string; readonly first: number };
  readonly signals: readonly NewSignal[];
}

/** The signals are durable. */
export interface AppendResult {
  /** Lowest and highest place of these signals in the log, those of duplicates included where they are known. */
  readonly first_seq: number | null;
  readonly last_seq: number | null;
  readonly accepted: number;
  readonly duplicates: number;
  /** In the order of the request. */
  readonly ids: readonly string[];
}

/** The log has more waiting than it may hold in memory, or its disk refuses. Nothing of the request was kept. */
export interface Overloaded {
  readonly overloaded: true;
  readonly retry_after_ms: number;
  readonly detail: string;
}

export type AppendOutcome = AppendResult | Overloaded;

export interface ReadQuery {
  /** Patterns, see core/signals/pattern.ts; empty: all. */
  readonly signals: readonly string[];
  readonly source?: string;
  /** Exclusive, in the direction of `order`: with `desc`, signals before this place. */
  readonly after?: number;
  /** Event time, inclusive, in milliseconds since the epoch. */
  readonly sinceMs?: number;
  /** Event time, exclusive. */
  readonly untilMs?: number;
  readonly limit: number;
  readonly order: "asc" | "desc";
}

/** One page. `lines` are the signals as JSON texts, so that they cross from the object to the caller unparsed. */
export interface ReadPage {
  readonly lines: readonly string[];
  /** Give it as `after` for the next page; `null`: nothing more for now. A page may be short, or empty, and still go on. */
  readonly next: number | null;
}

/** What an agent shows about an ecosystem at a glance. */
export interface LogStatus {
  readonly head_seq: number;
  readonly oldest_seq: number | null;
  readonly signals_last_minute: number;
  readonly subscribers: number;
  readonly hosts: readonly string[];
  /** Of newer agents, passed over since the log woke. */
  readonly unknown_frames: number;
}
