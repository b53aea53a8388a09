/** How long the answer to a key is kept, in milliseconds. */
export const KEEP_ANSWERS_MS = 86_400_000;
/** Largest answer that is kept, in bytes of its body: with its row below what an object may store. */
export const MAX_ANSWER_BYTES = 1_900_000;

/** An answer that a repeated request gets. */
export interface KeptAnswer {
  readonly status: number;
  /** Media type of the body; `null`: the answer has none. */
  readonly type: string | null;
  readonly body: string;
}

/** Why an answer cannot be given again. */
export type Unkept = "secret" | "too_large" | "stream";

/** What is kept of a request that had its effect: its answer, or why the answer cannot be given again. */
export type Settled = KeptAnswer | { readonly unkept: Unkept };

/** The call that a key is for. Two calls of one key are the same request where their fingerprints are equal. */
export interface KeyedCall {
  /** Digest of the caller's token and the key. */
  readonly key: string;
  /** Id of the caller's token: the oldest keys of the token that has the most go first. */
  readonly owner: string;
  /** Digest of method, path, query and body. */
  readonly fingerprint: string;
}
