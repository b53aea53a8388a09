import { formatTimestamp } from "../signals/timestamp.ts";
import type { ExpectationPage } from "./api.ts";
import type { PolicyEngine } from "./engine.ts";

/** What is waited for, the next to be late first. */
export function listExpectations(
  engine: PolicyEngine,
  { limit, after, rule }: { readonly limit: number; readonly after?: string; readonly rule?: string },
): ExpectationPage {
  const signals = new Map(engine.rules.map(({ id, expect }) => [id, expect?.signal ?? []]));
  const all = engine.expected
    .filter((one) => rule === undefined || one.rule === rule)
    .map((one) => ({ ...one, place: placeOf(one.body.dueMs, one.body.since.seq, one.rule) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1));
  const page = all.filter(({ place }) => after === undefined || place > after).slice(0, limit + 1);
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
    next: page.length > limit ? (shown.at(-1)?.place ?? null) : null,
  };
}

/** Sorts as the times do: the numbers have one length. */
const placeOf = (dueMs: number, seq: number, rule: string) =>
  `${String(dueMs).padStart(15, "0")}.${String(seq).padStart(15, "0")}.${rule}`;
