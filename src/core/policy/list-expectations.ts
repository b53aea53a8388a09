import { formatTimestamp } from "../signals/timestamp.ts";
import type { ExpectationPage } from "./api.ts";
import type { PolicyEngine } from "./engine.ts";

/** Lists the open expectations, the next to be due first. */
export function listExpectations(
  engine: PolicyEngine,
  { limit, after, rule }: { readonly limit: number; readonly after?: string; readonly rule?: string },
): ExpectationPage {
  const signals = new Map(engine.rules.map(({ id, expect }) => [id, expect?.signal ?? []]));
  const all = engine.expected
    .filter((one) => rule === undefined || one.rule === rule)
    .map((one) => ({ ...one, sortKey: sortKeyOf(one.body.dueMs, one.body.since.seq, one.rule) }))
    .sort((a, b) => (a.sortKey < b.sortKey ? -1 : 1));
  const page = all.filter(({ sortKey }) => after === undefined || sortKey > after).slice(0, limit + 1);
  const shown = page.slice(0, limit);
  return {
    expectations: shown.map(({ rule: id, key, body: { since, sinceMs, dueMs } }) => ({
      rule: id,
      by: key,
      signal: signals.get(id) ?? [],
      since: formatTimestamp(sinceMs),
      due: formatTimestamp(dueMs),
      cause: { seq: since.seq, id: since.id, signal: since.signal },
    })),
    total: all.length,
    next: page.length > limit ? (shown.at(-1)?.sortKey ?? null) : null,
  };
}

/** Sorts as the times do: all numbers have the same length. */
const sortKeyOf = (dueMs: number, seq: number, rule: string) =>
  `${String(dueMs).padStart(15, "0")}.${String(seq).padStart(15, "0")}.${rule}`;
