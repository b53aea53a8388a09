/** Projections of the log, and the object that holds each. */
export const PROJECTIONS = ["observations", "policy", "workers"] as const;
export type ProjectionName = (typeof PROJECTIONS)[number];

/** A stretch of the log on its way to a projection: what lies in it and concerns the projection. */
export interface ProjectionBatch {
  readonly projection: ProjectionName;
  /** What was sent to this projection before ends here. */
  readonly after: number;
  readonly through: number;
  /** The signals, a JSON text each; `undefined`: too much for a queue message, read it from the log. */
  readonly lines: readonly string[] | undefined;
}

/** Body of a queue message: a head, and the lines of its batches one after the other. Cloudflare's limit is 128 KB. */
export const QUEUE_BYTES = 120_000;

interface Head {
  readonly ecosystem: string;
  readonly parts: readonly { projection: ProjectionName; after: number; through: number; lines: number | null }[];
}

/** The lines are JSON already: joining them spares parsing and quoting them again on every hop. */
export function encodeBatches(ecosystem: string, batches: readonly ProjectionBatch[]): string {
  const head: Head = {
    ecosystem,
    parts: batches.map(({ projection, after, through, lines }) => ({
      projection,
      after,
      through,
      lines: lines === undefined ? null : lines.length,
    })),
  };
  return [JSON.stringify(head), ...batches.flatMap((batch) => batch.lines ?? [])].join("\n");
}

/** @throws SyntaxError or TypeError when `body` is not what {@link encodeBatches} made */
export function decodeBatches(body: string): { ecosystem: string; batches: ProjectionBatch[] } {
  const [first = "", ...lines] = body.split("\n");
  const head = JSON.parse(first) as Head;
  let taken = 0;
  const batches = head.parts.map(({ projection, after, through, lines: count }) => {
    if (!PROJECTIONS.includes(projection)) throw new TypeError(`no projection is called ${String(projection)}`);
    const own = count === null ? undefined : lines.slice(taken, taken + count);
    taken += count ?? 0;
    return { projection, after, through, lines: own };
  });
  if (taken !== lines.length) throw new TypeError(`a queue message names ${taken} lines and holds ${lines.length}`);
  return { ecosystem: head.ecosystem, batches };
}
