import { BulkAnswer, DeadLettersPage, Replayed } from "../core/dead-letters/api.ts";
import { DeadLetter } from "../core/dead-letters/dead-letter.ts";
import type { DeadLetterFilter } from "../core/dead-letters/filter.ts";
import { NoAnswer } from "./answers/no-answer.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

export interface BulkOptions {
  /** `true`: only list the dead letters that match. */
  readonly dryRun: boolean;
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/** Time limit of a bulk call in milliseconds. The edge starts no replay after 20 s, and the last one may be slow. */
const BULK_MS = 60_000;

export function deadLetterCalls({ call, inside }: Calls) {
  const at = (id: string, path = "") => inside(`/dead-letters/${encodeURIComponent(id)}${path}`);
  const bulk =
    (action: "replay" | "discard") =>
    (filter: DeadLetterFilter, { dryRun, after, limit }: BulkOptions) =>
      call(BulkAnswer, {
        method: "POST",
        path: inside(`/dead-letters/${action}`),
        body: { filter, dry_run: dryRun, after, limit },
        timeoutMs: BULK_MS,
      });
  return {
    /** Newest first. A short page may still have a next one: continue until `next` is null. */
    list: (query: DeadLetterFilter & { limit?: number | undefined; after?: string | undefined } = {}) =>
      call(DeadLettersPage, { path: inside("/dead-letters"), query }),
    show: (id: string) => call(DeadLetter, { path: at(id) }),
    /** @param replacement - a signal that replaces one that the log refused */
    replay: (id: string, replacement?: unknown) =>
      call(Replayed, {
        method: "POST",
        path: at(id, "/replay"),
        ...(replacement === undefined ? {} : { body: { signal: replacement } }),
      }),
    discard: (id: string) => call(NoAnswer, { method: "DELETE", path: at(id) }),
    /** One page of dead letters, oldest first; continue with `next`. */
    replayAll: bulk("replay"),
    discardAll: bulk("discard"),
  };
}
