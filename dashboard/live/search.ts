import { useEffect, useState } from "preact/hooks";
import type { SignalQuery } from "../../src/client/signals.ts";
import type { SignalPage } from "../../src/core/signals/api.ts";
import type { Signal } from "../../src/core/signals/signal.ts";

/** How far back a search looks, in minutes. */
export const RANGES = [
  ["", "the last hour"],
  ["1440", "the last day"],
  ["10080", "the last 7 days"],
  ["all", "the whole log"],
] as const;

const DEFAULT_MINUTES = 60;

const PAGE = 200;
/** Somebody who types is not done yet. */
const PAUSE_MS = 400;
const MINUTE_MS = 60_000;

/** A search of the log, as far as it came. */
export interface Found {
  readonly signals: readonly Signal[];
  /** Signals on which the condition was evaluated, and on which it could not be. */
  readonly looked: number;
  readonly failed: number;
  readonly firstFailure: string | undefined;
  /** `after` of the next page; `null`: the range is done. */
  readonly next: number | null;
}

const NOTHING: Found = { signals: [], looked: 0, failed: 0, firstFailure: undefined, next: null };

/** The search with one page more. */
export function withPage(found: Found, { signals, searched, next }: SignalPage): Found {
  return {
    signals: [...found.signals, ...signals],
    looked: found.looked + (searched?.signals ?? 0),
    failed: found.failed + (searched?.failed ?? 0),
    firstFailure: found.firstFailure ?? searched?.first_failure,
    next,
  };
}

const sinceOf = (range: string): string =>
  new Date(Date.now() - (Number(range) || DEFAULT_MINUTES) * MINUTE_MS).toISOString();

interface Search {
  readonly ecosystem: string;
  readonly names: readonly string[];
  readonly where: string;
  /** One of {@link RANGES}. */
  readonly range: string;
}

/** Searches the log for signals on which a condition is true, newest first, a page at a time. */
export function useFound(ask: (query: SignalQuery) => Promise<SignalPage>, { ecosystem, names, where, range }: Search) {
  const [found, setFound] = useState(NOTHING);
  const [busy, setBusy] = useState(true);
  const [error, setError] = useState<unknown>();
  const key = JSON.stringify([ecosystem, names, where, range]);

  const page = async (before: Found, current: () => boolean) => {
    setBusy(true);
    setError(undefined);
    try {
      const since = range === "all" ? {} : { since: sinceOf(range) };
      const from = before.next === null ? {} : { after: before.next };
      const answer = await ask({ signals: names, filter: where, order: "desc", limit: PAGE, ...since, ...from });
      if (current()) setFound(withPage(before, answer));
    } catch (failure) {
      if (current()) setError(failure);
    } finally {
      if (current()) setBusy(false);
    }
  };
  useEffect(() => {
    let shown = true;
    setFound(NOTHING);
    const timer = setTimeout(() => page(NOTHING, () => shown), PAUSE_MS);
    return () => {
      shown = false;
      clearTimeout(timer);
    };
  }, [key]);
  return { ...found, busy, error, more: found.next === null ? undefined : () => page(found, () => true) };
}
