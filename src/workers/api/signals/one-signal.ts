import { z } from "@hono/zod-openapi";
import { problem } from "../../../core/problem/problem.ts";
import { LIMITS } from "../../../core/signals/limits.ts";
import { lineSeq, readSignalLine } from "../../../core/signals/signal-line.ts";
import type { Environment } from "../../bindings/environment.ts";
import { signalLog } from "../../bindings/objects.ts";
import { words } from "../http/query.ts";
import { notFound, Refusal } from "../http/refusal.ts";

/** The query of calls that name a signal by its id. */
export const WhichSignal = z.strictObject({
  source: words("Of several signals with this id, the one of this source"),
});

/**
 * The line of a signal.
 *
 * @throws Refusal 404 where the log holds none, 409 where several owners gave signals this id
 */
export async function oneSignal(env: Environment, eco: string, id: string, source?: string): Promise<string> {
  const lines = id.length > LIMITS.identifierLength ? [] : await signalLog(env, eco).findAll(id, source);
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
