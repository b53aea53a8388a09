import { z } from "@hono/zod-openapi";
import { ExpressionError } from "../../../core/policy/expression.ts";
import { SignalFilter } from "../../../core/policy/signal-filter.ts";
import type { ReadPage, ReadQuery, SignalPage } from "../../../core/signals/api.ts";
import { lineSeq, readSignalLine } from "../../../core/signals/signal-line.ts";
import type { Environment } from "../../bindings/environment.ts";
import { signalLog } from "../../bindings/objects.ts";

const MAX_FILTER_CHARS = 2_000;
/** Pages of the log that one call reads, and signals in each. Each page is a bounded read. */
const MAX_PAGES = 8;
const PAGE = 1_000;

/** The query parameter `filter`, compiled. */
export const signalFilter = z
  .preprocess((value) => (value === "" ? undefined : value), z.string().max(MAX_FILTER_CHARS).optional())
  .transform((text, context) => {
    if (text === undefined) return undefined;
    try {
      return new SignalFilter(text);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  })
  .openapi({
    type: "string",
    maxLength: MAX_FILTER_CHARS,
    example: 'facts.host == "gpu-01"',
    description: "Only signals that meet this condition, in CEL",
    param: { required: false },
  });

/** A page, and which part of the log was searched for it. */
export interface FilteredPage extends ReadPage {
  readonly searched: NonNullable<SignalPage["searched"]>;
}

/**
 * A page of the signals that meet a condition. Searches until the page is full, the log ends, or the call has read
 * or evaluated as much as it may.
 */
export async function filteredPage(
  env: Environment,
  ecosystem: string,
  { limit, ...query }: ReadQuery,
  filter: SignalFilter,
): Promise<FilteredPage> {
  const log = signalLog(env, ecosystem);
  const found: string[] = [];
  let from: number | null = null;
  let through: number | null = null;
  let next: number | null = query.after ?? null;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const after = next === null ? {} : { after: next };
    const page = await log.read({ ...query, ...after, limit: PAGE });
    const full = (): boolean => found.length >= limit || filter.exhausted;
    next = page.next;
    for (const line of page.lines) {
      if (full()) {
        next = through;
        break;
      }
      const seq = lineSeq(line);
      from ??= seq;
      through = seq;
      if (filter.matches(readSignalLine(line))) found.push(line);
    }
    if (next === null || full()) break;
    through = next;
  }
  return { lines: found, searched: { from, through, ...filter.counts }, next };
}
