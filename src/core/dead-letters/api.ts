import * as z from "zod";
import { Problem } from "../problem/problem.ts";
import { DeadLetter } from "./dead-letter.ts";
import { DeadLetterFilter } from "./filter.ts";

export interface DeadLettersQuery {
  readonly limit: number;
  /** `next` of the previous page. */
  readonly after?: string;
  readonly filter?: DeadLetterFilter;
  /** Whether the caller may read what tasks hold. If not, the filter does not see it either. */
  readonly readsTasks?: boolean;
}

/** A page may be short or empty and still have a next one: the number of rows read for one page is bounded. */
export const DeadLettersPage = z.object({ dead_letters: z.array(DeadLetter), next: z.string().nullable() });
export type DeadLettersPage = Readonly<z.infer<typeof DeadLettersPage>>;

/** Result of a replay that had its effect. */
export const Replayed = z.object({
  id: z.string(),
  outcome: z
    .enum(["replayed", "already"])
    .meta({ description: "already: the effect happened before, or is under way, since the failure" }),
});
export type Replayed = z.infer<typeof Replayed>;

export type ReplayAnswer =
  | Replayed
  /** The replay failed. The dead letter stays, with one more attempt. */
  | { readonly id: string; readonly problem: Problem };

/** Body of the call that replays one dead letter. */
export const ReplayRequest = z.strictObject({
  /** Replaces a signal that the log refused. */
  signal: z.unknown().optional(),
});

/** Maximum number of dead letters that one bulk call replays or discards. */
export const BULK_LIMIT = 100;

/** Body of the calls that replay or discard dead letters by a filter. */
export const BulkRequest = z.strictObject({
  filter: DeadLetterFilter,
  dry_run: z.boolean().default(true),
  limit: z.int().min(1).max(BULK_LIMIT).default(BULK_LIMIT),
  after: z.string().max(256).optional(),
});

export interface BulkQuery {
  readonly filter: DeadLetterFilter;
  readonly limit: number;
  /** `next` of the previous page. */
  readonly after?: string;
  /** Only list the dead letters that would be replayed or discarded. */
  readonly dryRun: boolean;
}

/** Result of a bulk call for one page of dead letters, oldest first. */
export const BulkAnswer = z.object({
  dry_run: z.boolean(),
  matched: z.int().meta({ description: "Number of dead letters of this page" }),
  done: z.int().meta({ description: "Number of dead letters that were replayed or discarded" }),
  failed: z.array(z.object({ id: z.string(), problem: Problem })).readonly(),
  dead_letters: z.array(DeadLetter),
  next: z
    .string()
    .nullable()
    .meta({ description: "Give this text as `after` for the next page; null: there is no next page" }),
});
export type BulkAnswer = z.infer<typeof BulkAnswer>;
