import * as z from "zod";
import { DeadLetterFilter } from "../../../core/dead-letters/filter.ts";

export const BULK_LIMIT = 100;
export const ReplayRequest = z.strictObject({ signal: z.unknown().optional() });
export const BulkRequest = z.strictObject({
  filter: DeadLetterFilter,
  dry_run: z.boolean().default(true),
  limit: z.int().min(1).max(BULK_LIMIT).default(BULK_LIMIT),
  after: z.string().max(256).optional(),
});
