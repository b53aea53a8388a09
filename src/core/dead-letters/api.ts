import type { Problem } from "../problem/problem.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { DeadLetterFilter } from "./filter.ts";

export interface DeadLettersQuery {
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string;
  readonly filter?: DeadLetterFilter;
}

/** A page may be short, or empty, and still go on: what is looked through for one page is bounded. */
export interface DeadLettersPage {
  readonly dead_letters: DeadLetter[];
  readonly next: string | null;
}

export type ReplayAnswer =
  /** `already`: what it stands for has happened, or is under way, since. */
  | { readonly id: string; readonly outcome: "replayed" | "already" }
  /** The letter stays as it is, with one attempt more. */
  | { readonly id: string; readonly problem: Problem };

export interface BulkQuery {
  readonly filter: DeadLetterFilter;
  readonly limit: number;
  readonly after?: string;
  /** Only say what would be done. */
  readonly dryRun: boolean;
}

/** What was done with one page of letters, oldest first. */
export interface BulkAnswer {
  readonly dry_run: boolean;
  readonly matched: number;
  /** Letters that were replayed, or discarded. */
  readonly done: number;
  readonly failed: readonly { readonly id: string; readonly problem: Problem }[];
  /** What matched, in a dry run. */
  readonly dead_letters: DeadLetter[];
  /** Give it as `after` for the rest; `null`: there is none. */
  readonly next: string | null;
}
