import type { BulkAnswer, DeadLettersPage } from "../core/dead-letters/api.ts";
import type { DeadLetter } from "../core/dead-letters/dead-letter.ts";
import type { DeadLetterFilter } from "../core/dead-letters/filter.ts";
import type { Call } from "./http/request.ts";

interface Calls {
  readonly call: <Answer>(what: Call) => Promise<Answer>;
  readonly inside: (path: string) => string;
}

export interface BulkOptions {
  /** `false`: do it. */
  readonly dryRun: boolean;
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/** A page of replays takes so long at most, and the last of it once more. */
const BULK_MS = 60_000;

export function deadLetterCalls({ call, inside }: Calls) {
  const at = (id: string, path = "") => inside(`/dead-letters/${encodeURIComponent(id)}${path}`);
  const bulk =
    (action: "replay" | "discard") =>
    (filter: DeadLetterFilter, { dryRun, after, limit }: BulkOptions) =>
      call<BulkAnswer>({
        method: "POST",
        path: inside(`/dead-letters/${action}`),
        body: { filter, dry_run: dryRun, after, limit },
        timeoutMs: BULK_MS,
      });
  return {
    /** Newest first. A page may be short, and still go on while `next` is not null. */
    list: (query: DeadLetterFilter & { limit?: number | undefined; after?: string | undefined } = {}) =>
      call<DeadLettersPage>({ path: inside("/dead-letters"), query }),
    show: (id: string) => call<DeadLetter>({ path: at(id) }),
    /** @param mended - a signal that stands in for one that the log refused */
    replay: (id: string, mended?: unknown) =>
      call<{ id: string; outcome: "replayed" | "already" }>({
        method: "POST",
        path: at(id, "/replay"),
        ...(mended === undefined ? {} : { body: { signal: mended } }),
      }),
    discard: (id: string) => call<void>({ method: "DELETE", path: at(id) }),
    /** One page of letters, oldest first; go on with `next`. */
    replayAll: bulk("replay"),
    discardAll: bulk("discard"),
  };
}
