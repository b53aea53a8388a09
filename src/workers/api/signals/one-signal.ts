import { z } from "@hono/zod-openapi";
import { problem } from "../../../core/problem/problem.ts";
import { LIMITS } from "../../../core/signals/limits.ts";
import { lineSeq, readSignalLine } from "../../../core/signals/signal-line.ts";
import type { Environment } from "../../bindings/environment.ts";
import { signalLog } from "../../bindings/objects.ts";
import { sequence, words } from "../http/query.ts";
import { notFound, overloaded, Refusal } from "../http/refusal.ts";

/** The query of calls that name a signal by its id. */
export const WhichSignal = z.strictObject({
  source: words("Of several signals with this id, the one of this source"),
  before: sequence("Only signals before this sequence number, to go on after `search-incomplete`"),
});

/** Calls of the log in one request. Each is a bounded read, and others go on in between. */
const MAX_CALLS = 16;

type Which = Partial<z.output<typeof WhichSignal>>;

/**
 * Searches the log for an id, from its end back.
 *
 * @returns the newest signal of each owner and source, the newest first
 * @throws Refusal 503 where none is found, and the log is too long to search it all in one request
 */
export async function signalsOf(env: Environment, eco: string, id: string, { source, before }: Which = {}) {
  if (id.length > LIMITS.identifierLength) return [];
  const lines: string[] = [];
  let searchedFrom = before ?? Number.MAX_SAFE_INTEGER;
  for (let calls = 0; calls < MAX_CALLS && searchedFrom > 0; calls++) {
    const part = await signalLog(env, eco).findAll(id, { source, before: searchedFrom });
    if (part === null) {
      if (lines.length > 0) return lines;
      throw overloaded("Too many searches for ids are running, and each reads much of the log.", 1_000);
    }
    searchedFrom = part.searched_from;
    // Signals of one call are told apart by owner and source, those of several calls by their sources alone.
    const known = new Set(lines.map((line) => readSignalLine(line).source));
    lines.push(...part.lines.filter((line) => !known.has(readSignalLine(line).source)));
  }
  if (lines.length > 0 || searchedFrom === 0) return lines;
  const detail =
    `No signal "${id}" stands at ${searchedFrom} or later in the log, and one request searches no further. ` +
    `For what stands before, get the signal with ?before=${searchedFrom}.`;
  throw new Refusal(
    problem("search-incomplete", 503, "The log was searched in part", detail, { searched_from: searchedFrom }),
    { "Retry-After": "1" },
  );
}

/**
 * The line of a signal.
 *
 * @throws Refusal 404 where the log holds none, 409 where several owners gave signals this id, 503 where the log is too
 * long to search it all in one request
 */
export async function oneSignal(env: Environment, eco: string, id: string, which: Which = {}): Promise<string> {
  const lines = await signalsOf(env, eco, id, which);
  const { source } = which;
  const [line] = lines;
  if (line === undefined)
    throw notFound(
      `No signal "${id}"${source === undefined ? "" : ` of the source "${source}"`}; the retention may have dropped it. ` +
        `List signals: GET /v1/${eco}/signals.`,
    );
  // Who names the source gets its newest: owners of one source are told apart by their places alone.
  if (lines.length === 1 || source !== undefined) return line;
  const signals = lines.map((each) => ({ seq: lineSeq(each), source: readSignalLine(each).source }));
  throw new Refusal(
    problem(
      "ambiguous-id",
      409,
      "Several signals have this id",
      `${lines.length} signals have the id "${id}": choose one by ?source=, or read it by its place: ` +
        `GET /v1/${eco}/signals?after=<seq - 1>&limit=1`,
      { seqs: signals.map(({ seq }) => seq), signals },
    ),
  );
}
