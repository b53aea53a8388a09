/** The outcome of reprocessing a signal that had become a dead letter of a projection. */
export type ReprocessAnswer =
  | { readonly outcome: "taken" }
  /** The signal was reprocessed before. */
  | { readonly outcome: "known" }
  /** The log no longer holds the signal: its retention is over. */
  | { readonly outcome: "gone" }
  | { readonly outcome: "failed"; readonly error: string };
