import type { Payload } from "./span.ts";

/** Finished work as an object hands it over that did it, or decided on it. */
export interface SourceBatch {
  /** `policy`, or `queue/<name>`. */
  readonly source: string;
  /** Names the numbers: another store of the same name begins again. */
  readonly epoch: string;
  /** How much of payloads the items hold. */
  readonly payload: Payload;
  readonly rows: readonly SourceRow[];
  /** Items that were given up since the call before, because too many waited. */
  readonly dropped: number;
}

export interface SourceRow {
  readonly number: number;
  readonly items: readonly string[];
}

/** The answer: how far the rows are stored, or that nothing is exported any more. */
export type SourceAnswer = { readonly through: number } | { readonly off: true };

export const POLICY_SOURCE = "policy";
export const queueSource = (queue: string): string => `queue/${queue}`;
/** @returns `undefined`: the source is no queue */
export const queueOfSource = (source: string): string | undefined =>
  source.startsWith("queue/") ? source.slice("queue/".length) : undefined;
