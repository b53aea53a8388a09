/** What came of taking a signal in again that had become a dead letter of a projection. */
export type ReprocessAnswer =
  | { readonly outcome: "taken" }
  /** It was taken in again before. */
  | { readonly outcome: "known" }
  /** The log has it no more: its time of retention is over. */
  | { readonly outcome: "gone" }
  | { readonly outcome: "failed"; readonly error: string };
